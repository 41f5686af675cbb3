#include "progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "serin/rollout/split.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

constexpr Duration show_every = 5s;
constexpr std::size_t named_kinds = 10;

/// "v3-bad: 500 POST /predict": what is the same for many requests.
std::string kind_of(const control::FailedRequest& failure) {
  return fmt::format("{}: {} {}", failure.release.empty() ? "no server" : failure.release,
                     failure.status > 0 ? std::to_string(failure.status) : std::string("closed"), failure.what);
}

}  // namespace

void Progress::end_line() {
  if (open_) context_.err("\n");
  open_ = false;
}

void Progress::line(std::string_view text) {
  end_line();
  context_.err(fmt::format("{:6.1f} s  {}\n", seconds_of(context_.sleeper().now() - began_), text));
}

void Progress::on_stage(const rollout::Record& record, double percent) {
  line(fmt::format("{} at {:.4g} %", record.candidate.name, percent));
  shown_ = context_.sleeper().now();
}

void Progress::on_evidence(const rollout::Record& record, const rollout::Bucket&) {
  const bool terminal = context_.is_terminal();
  const Instant now = context_.sleeper().now();
  if (!terminal && now - shown_ < show_every) return;
  shown_ = now;
  const rollout::Report report = rollout::make_report(record);
  const std::string text =
      rollout::evidence_text(report) + (report.paused.empty() ? "" : fmt::format("; {}", report.paused));
  if (!terminal) return line("  " + text);
  context_.err(fmt::format("\r\033[K          {}", text));
  open_ = true;
}

void Progress::on_verdict(const rollout::Record&, std::string_view text) { line(text); }
void Progress::on_note(std::string_view text) { line(text); }

std::string report_text(const rollout::Report& report, const std::vector<control::FailedRequest>& failures) {
  std::string out = fmt::format("rollout {} of {}: {} beside {}: {}\n  {}\n", report.id, report.service, report.release,
                                report.baseline, rollout::state_name(report.outcome), report.reason);
  if (!report.paused.empty()) out += fmt::format("  {}\n", report.paused);
  for (const rollout::StageReport& stage : report.stages) {
    out +=
        fmt::format("  {:>5.4g} %  {:>6.1f} s{}  {}\n", stage.percent, seconds_of(stage.lasted),
                    stage.extensions > 0 ? fmt::format(" (extended {} times)", stage.extensions) : "", stage.verdict);
    if (stage.percent > 0)
      out += fmt::format("                     latency: new {}; old {}\n", rollout::latency_text(stage.canary),
                         rollout::latency_text(stage.baseline));
  }
  out += fmt::format("  evidence: {}\n", rollout::evidence_text(report));
  out += fmt::format("  failed user requests: {}, of them the new version's: {}\n", report.failed_user_requests,
                     report.canary_user_failures);
  std::map<std::string, int> kinds;
  for (const control::FailedRequest& failure : failures) ++kinds[kind_of(failure)];
  std::size_t shown = 0;
  for (const auto& [kind, count] : kinds) {
    if (++shown > named_kinds) {
      out += fmt::format("    and {} more kinds: --json names them all\n", kinds.size() - named_kinds);
      break;
    }
    out += fmt::format("    {} x {}\n", count, kind);
  }
  if (report.first_bad && report.restored_at)
    out += fmt::format("  first bad response to restored split: {:.1f} s\n",
                       seconds_of(*report.restored_at - *report.first_bad));
  if (report.verdict_at && report.restored_at)
    out += fmt::format("  verdict to restored split: {:.3f} s\n", seconds_of(*report.restored_at - *report.verdict_at));
  if (report.after) out += fmt::format("  traffic now: {}\n", rollout::split_text(*report.after));
  return out;
}

std::string report_json(const rollout::Report& report, const std::vector<control::FailedRequest>& failures) {
  json::value value = json::parse(rollout::report_json(report));
  json::array list;
  for (const control::FailedRequest& failure : failures)
    list.push_back(
        {{"seconds_since_begin", static_cast<double>(failure.second) - seconds_of(report.began_at.time_since_epoch())},
         {"release", failure.release},
         {"status", failure.status},
         {"milliseconds", failure.milliseconds},
         {"request", failure.what}});
  value.as_object()["failed_requests"] = std::move(list);
  return json::serialize(value);
}

}  // namespace serin::tool
