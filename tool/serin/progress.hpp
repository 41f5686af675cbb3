#pragma once
#include <string>

#include "serin/control/control_store.hpp"
#include "serin/rollout/observer.hpp"
#include "serin/rollout/report.hpp"
#include "verb.hpp"

namespace serin::tool {

/// Tells a person on standard error how a rollout goes: a line a stage, and the counts while it lasts (redrawn on a
/// terminal, every five seconds elsewhere). Threads: main's.
class Progress final : public rollout::RolloutObserver {
 public:
  explicit Progress(VerbContext& context) : context_(context), began_(context.sleeper().now()) {}
  ~Progress() override { end_line(); }
  void on_stage(const rollout::Record& record, double percent) override;
  void on_evidence(const rollout::Record& record, const rollout::Bucket& bucket) override;
  void on_verdict(const rollout::Record& record, std::string_view text) override;
  void on_note(std::string_view text) override;

 private:
  void line(std::string_view text);
  void end_line();
  VerbContext& context_;
  Instant began_;
  Instant shown_ = Instant::min();
  bool open_ = false;  ///< a line is being redrawn
};

/// The report of a rollout for people, with the failed requests that are known by name.
[[nodiscard]] std::string report_text(const rollout::Report& report,
                                      const std::vector<control::FailedRequest>& failures);
/// The same as one JSON object.
[[nodiscard]] std::string report_json(const rollout::Report& report,
                                      const std::vector<control::FailedRequest>& failures);

}  // namespace serin::tool
