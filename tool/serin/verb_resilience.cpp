#include "verb_resilience.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "serin/policy/policies.hpp"
#include "serin/retry/presets.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

struct Listed {
  json::array programs;
  bool all_known = true;  ///< every program answered, or does not offer it
  bool all_closed = true;
};

/// Adds what a program said of itself. \param body  as guard::to_json(); an error when there is none
void add(Listed& listed, std::string service, std::string replica, const Result<std::string>& body) {
  json::object entry{
      {"service", std::move(service)}, {"replica", std::move(replica)}, {"error", nullptr}, {"targets", json::array{}}};
  boost::system::error_code error;
  const json::value value = body ? json::parse(*body, error) : json::value();
  const json::value* targets = value.is_object() ? value.get_object().if_contains("targets") : nullptr;
  if (!body || error || targets == nullptr || !targets->is_array()) {
    listed.all_known = false;
    entry["error"] = body ? std::string("what it said cannot be read") : body.error().text();
  } else {
    entry["targets"] = *targets;
    for (const json::value& target : targets->get_array())
      listed.all_closed = listed.all_closed && (target.at("breaker").is_null() || target.at("breaker") == "closed");
  }
  listed.programs.push_back(std::move(entry));
}

Result<Listed> list(RealContext& context) {
  SERIN_TRY(Session* const session, context.session());
  SERIN_CHECK(session->store.check_alive());
  Listed out;
  SERIN_TRY(const std::optional<std::string> agent, session->store.fact(agent::resilience_fact));
  if (agent) add(out, "agent", "", *agent);
  SERIN_TRY(const std::vector<control::ObservedReplica> replicas, session->store.replicas());
  for (const control::ObservedReplica& seen : replicas) {
    if (seen.replica.state != ReplicaState::ready && seen.replica.state != ReplicaState::not_ready) continue;
    const Result<HttpResponse> answer = context.http().send("http://" + seen.replica.address, {.target = "/resilience"},
                                                            Deadline::after(context.sleeper().now(), 2s));
    if (answer && answer->status == 404) continue;  // a program that does not offer it
    const auto body = [&]() -> Result<std::string> {
      if (!answer) return pass(answer.error());
      if (answer->status != 200) return fail(Errc::unavailable, fmt::format("answered {}", answer->status));
      return answer->body;
    }();
    add(out, seen.service.str(), seen.replica.name, body);
  }
  return out;
}

/// A figure of a target, or "-" where its policy has no such part.
std::string figure(const json::object& target, std::string_view key) {
  const json::value* value = target.if_contains(key);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return std::string(value->get_string());
  return value->is_number() ? fmt::format("{:.0f}", value->to_number<double>()) : "?";
}

std::string text_of(const Listed& listed) {
  std::string out =
      fmt::format("{:<24} {:<8} {:<30} {:<10} {:>6} {:>9} {:>6} {:>9} {:>7} {:>6} {:>6} {:>7}\n", "PROGRAM", "REPLICA",
                  "TARGET", "BREAKER", "CALLS", "FAILURES", "SLOW", "REJECTED", "INSIDE", "LIMIT", "RATE", "BUDGET");
  for (const json::value& program : listed.programs) {
    const json::object& entry = program.as_object();
    const std::string who =
        fmt::format("{:<24} {:<8}", entry.at("service").as_string().c_str(), entry.at("replica").as_string().c_str());
    if (entry.at("error").is_string())
      out += fmt::format("{} unknown: {}\n", who, entry.at("error").as_string().c_str());
    for (const json::value& each : entry.at("targets").as_array()) {
      const json::object& target = each.as_object();
      out += fmt::format("{} {:<30} {:<10} {:>6} {:>9} {:>6} {:>9} {:>7} {:>6} {:>6} {:>6.0f}%\n", who,
                         figure(target, "name"), figure(target, "breaker"), figure(target, "calls"),
                         figure(target, "failures"), figure(target, "slow"), figure(target, "rejected"),
                         figure(target, "inside"), figure(target, "most_at_once"), figure(target, "rate_left"),
                         100 * target.at("budget_left").to_number<double>());
    }
  }
  return out;
}

void run_list(RealContext& context, bool as_json) {
  const Result<Listed> listed = list(context);
  if (!listed) return context.fail_with(listed.error());
  context.out(as_json ? json::serialize(json::object{{"programs", listed->programs}}) + "\n" : text_of(*listed));
  if (!listed->all_known) return context.finish(Exit::held);
  if (!listed->all_closed) context.finish(Exit::failed);
}

/// One line a target of a policy file: what its calls are guarded with.
std::string policies_text(const policy::Policies& policies) {
  std::string out = fmt::format("{:<24} {:>8} {:>9} {:>12} {:>10} {:>9} {:>9}\n", "TARGET", "ATTEMPTS", "BREAKER",
                                "CALLS AT ONCE", "A SECOND", "ATTEMPT", "DEADLINE");
  const auto time = [](const std::optional<Duration>& value) {
    return value ? format_duration(*value) : std::string("-");
  };
  for (const auto& [name, target] : policies.targets())
    out += fmt::format("{:<24} {:>8} {:>9} {:>12} {:>10} {:>9} {:>9}\n", name,
                       target.retry ? std::to_string(target.retry->max_attempts) : "1",
                       target.breaker ? fmt::format("{:.0f} %", 100 * target.breaker->failure_rate) : "-",
                       target.bulkhead   ? std::to_string(target.bulkhead->most)
                       : target.adaptive ? "adaptive"
                                         : "-",
                       target.rate ? fmt::format("{:g}", target.rate->second.rate) : "-", time(target.attempt_timeout),
                       time(target.deadline));
  return out;
}

std::string presets_text(bool as_json) {
  std::string out = fmt::format("{:<20} {:>8} {:>8} {:>8} {:<12} {:>10} {:>10}  {}\n", "PRESET", "ATTEMPTS", "FIRST",
                                "MOST", "JITTER", "MEAN WAIT", "P95 WAIT", "SOURCE");
  json::array list;
  for (const retry::Preset& preset : retry::presets()) {
    const retry::Retry made = retry::Retry::make(preset.options).value();
    const retry::TotalWait total = retry::total_wait(made);
    const retry::BackoffOptions& backoff = preset.options.backoff;
    out +=
        fmt::format("{:<20} {:>8} {:>8} {:>8} {:<12} {:>8.3f} s {:>8.3f} s  {}\n", preset.name,
                    preset.options.max_attempts, format_duration(backoff.first), format_duration(backoff.most),
                    retry::jitter_name(backoff.jitter), seconds_of(total.mean), seconds_of(total.p95), preset.source);
    list.push_back({{"name", std::string(preset.name)},
                    {"max_attempts", preset.options.max_attempts},
                    {"first_seconds", seconds_of(backoff.first)},
                    {"most_seconds", seconds_of(backoff.most)},
                    {"jitter", std::string(retry::jitter_name(backoff.jitter))},
                    {"mean_total_wait_seconds", seconds_of(total.mean)},
                    {"p95_total_wait_seconds", seconds_of(total.p95)},
                    {"source", std::string(preset.source)}});
  }
  return as_json ? json::serialize(json::object{{"presets", std::move(list)}}) + "\n" : out;
}

}  // namespace

void add_resilience_verb(CLI::App& app, RealContext& context) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* verb =
      app.add_subcommand("resilience", "Breakers, budgets, bulkheads and policies of everything that is called");
  verb->require_subcommand(1);

  CLI::App* now = verb->add_subcommand("list", "Of every program of the fleet, as they are now");
  add_json_flag(*now, *as_json);
  now->footer("Exit codes: 0 every breaker is closed, 1 one is not, 3 a program could not be asked.");
  now->callback([&context, as_json] { run_list(context, *as_json); });

  CLI::App* presets =
      verb->add_subcommand("presets", "Retry presets, and what each costs a caller whose attempts all fail");
  add_json_flag(*presets, *as_json);
  presets->callback([&context, as_json] { context.out(presets_text(*as_json)); });

  auto file = std::make_shared<std::string>();
  CLI::App* check = verb->add_subcommand("check", "Read a file of policies, and say every mistake in it");
  check->add_option("file", *file, "YAML with a section `resilience:`; - is standard input")->required();
  check->footer("Exit codes: 0 it is fine, 2 it is not.");
  check->callback([&context, file] {
    const auto policies = [&]() -> Result<policy::Policies> {
      SERIN_TRY(const std::string text, context.read_file(*file));
      return policy::parse_policies(text, *file);
    }();
    if (!policies) return context.fail_with(policies.error());
    context.out(policies_text(*policies));
  });
}

}  // namespace serin::tool
