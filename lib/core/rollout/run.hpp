#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/rollout/engine.hpp"
#include "serin/rollout/evidence.hpp"
#include "serin/rollout/record.hpp"
#include "serin/rollout/stage.hpp"

namespace serin::rollout {

/// Starts a release and waits until all its replicas are ready. Returns their restarts so far, all together.
/// Errors: rejected (one ended by itself, or not ready in time; its output is named), cancelled, the platform's own.
Result<std::int64_t> start_and_wait(const Ports& ports, const ServiceName& service, const ReleaseSpec& release,
                                    const PlanOptions& plan);

/// Sets a split and reads it back until it is so. Errors: deadline_exceeded, with what the router said instead.
Result<Split> apply_and_verify(const Ports& ports, const ServiceName& service, const Split& split, Duration timeout,
                               const PlanOptions& plan);

/// One rollout while it is driven from state to state. Private to the module. Threads: one.
class Run {
 public:
  /// \param ports  outlives it
  Run(const Ports& ports, Record record);
  /// Makes itself ready to go on after a crash or a hold. Errors: unavailable (the router), the journal's, the guard's.
  Status take_up();
  /// From here on the traffic goes back. `kind` verdict: because of the candidate; note: for another reason.
  void go_back(EventKind kind, std::string reason);
  /// Until there is nothing to do, or nothing that may be done without a person.
  /// Errors: conflict (fenced off), or the journal could not be written; the sentence says where the traffic is.
  Status drive();
  [[nodiscard]] const Record& record() const noexcept { return record_; }

 private:
  Status step();
  Status start();
  Status watch_zero();
  Status stage();
  Status promote();
  Status restore();

  Status watch(bool traffic, bool last);
  /// Reads, journals, answers and follows what people ordered, each order once, and tells the sight of it.
  Status take_orders(Sight& sight);
  Status take_order(const Order& order, const OrderAnswer& answer);
  [[nodiscard]] OrderAnswer weigh(const Order& order, const Sight& sight) const;
  /// What the journal says was answered.
  [[nodiscard]] std::optional<OrderAnswer> answer_of(std::int64_t order) const;
  /// What an accepted order does to a stage; the same when it is given and when the journal is read again.
  void obey(const Order& order, Instant at);
  void forget_orders();
  /// What a person says about leaving the stage, where the plan asks one; nothing when nobody is asked or it was yes.
  Result<std::optional<Decision>> ask_person(Decision& decision);
  /// Of the stage that comes next; 100 after the last.
  [[nodiscard]] double next_percent() const;
  /// Those that come too late are told so, as far as they can be.
  void refuse_orders();
  /// What smoke tests and data say about leaving the stage, one of them a time; nothing when they have no say, or have
  /// said that it may be left.
  std::optional<Decision> ask_gates(const Sight& sight);
  std::optional<Decision> ask_gate(const Sight& sight, const GatePlan& plan, Gate* gate, std::string_view who,
                                   bool& passed);
  Result<Sight> look(bool traffic, bool last);
  void absorb_traffic(Sight& sight);
  void look_at_replicas(Sight& sight);
  void look_at_router(Sight& sight);
  /// Whether a trouble has been there at every look for at least `limit`; an empty text ends it.
  bool lasting(std::string_view what, const std::string& trouble, Duration limit);
  void blind(Sight& sight, std::string_view what, const std::string& trouble);

  Status fail_to_start(std::string reason);
  Status hold(std::string reason);
  void enter(Instant at);
  void stop_release(const ReleaseName& release);

  Status may_act();
  /// An event of this moment and stage, with nothing done and no split.
  [[nodiscard]] Event event_now(EventKind kind, std::string text) const;
  Status write(Event event);
  /// Writes an event down before its action is taken.
  Status begin(EventKind kind, const Split& split, std::string text);
  /// The action of the newest event had its effect.
  Status complete(const Split& seen);
  /// An event that is no action.
  Status say(EventKind kind, std::string text);
  /// The same where a failure must not stop us: it is remembered.
  void try_say(EventKind kind, std::string text);
  [[nodiscard]] Instant now() const { return ports_.sleeper.now(); }
  [[nodiscard]] double percent() const;
  [[nodiscard]] Split expected() const;

  const Ports& ports_;
  Record record_;
  PlanOptions plan_;
  Evidence evidence_;
  std::vector<Bucket> unwritten_;  // evidence that the journal does not have yet
  std::int64_t last_second_ = -1;
  bool entered_ = false;
  Instant entered_at_{};
  Instant ends_{};
  int extensions_ = 0;
  bool gate_passed_ = false;
  bool smoke_passed_ = false;
  Instant gate_from_{};  // after an answer that was none: not asked again before the extension is over
  struct Pause {
    Instant since;
    std::string words;
  };
  struct GoOn {
    bool now = false;
    bool to_the_end = false;
    std::string words = {};
  };
  std::optional<Pause> pause_;
  std::optional<Pause> await_;  // since when a person is asked, and why the stage may be left
  std::string approved_;        // by whom and why
  Duration stood_{};            // how long the stage's clock stood in pauses that are over
  GoOn go_on_;
  std::int64_t restarts_ = 0;
  std::map<std::string, Instant, std::less<>> since_;  // troubles, and when they began
  bool fenced_ = false;
  std::optional<Error> journal_error_;
};

}  // namespace serin::rollout
