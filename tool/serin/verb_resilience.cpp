#include "verb_resilience.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "serin/retry/presets.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

struct Listed {
  json::array replicas;
  bool all_known = true;  ///< every ready replica answered, or does not offer it
  bool all_closed = true;
};

Result<Listed> list(RealContext& context) {
  SERIN_TRY(Session* const session, context.session());
  SERIN_CHECK(session->store.check_alive());
  SERIN_TRY(const std::vector<control::ObservedReplica> replicas, session->store.replicas());
  Listed out;
  for (const control::ObservedReplica& seen : replicas) {
    if (seen.replica.state != ReplicaState::ready && seen.replica.state != ReplicaState::not_ready) continue;
    const auto answer = context.http().send("http://" + seen.replica.address, {.target = "/resilience"},
                                            Deadline::after(context.sleeper().now(), 2s));
    if (answer && answer->status == 404) continue;  // a program that does not offer it
    json::object entry{{"service", seen.service.str()},
                       {"replica", seen.replica.name},
                       {"error", nullptr},
                       {"targets", json::array{}}};
    boost::system::error_code error;
    const json::value body = answer ? json::parse(answer->body, error) : json::value();
    if (!answer || answer->status != 200 || error || !body.is_object() || !body.as_object().contains("targets")) {
      out.all_known = false;
      entry["error"] = answer ? fmt::format("answered {}", answer->status) : answer.error().text();
    } else {
      entry["targets"] = body.at("targets");
      for (const json::value& target : body.at("targets").as_array())
        out.all_closed = out.all_closed && target.at("breaker") == json::value("closed");
    }
    out.replicas.push_back(std::move(entry));
  }
  return out;
}

std::string text_of(const Listed& listed) {
  std::string out = fmt::format("{:<24} {:<8} {:<30} {:<10} {:>6} {:>9} {:>9} {:>7}\n", "SERVICE", "REPLICA", "TARGET",
                                "BREAKER", "CALLS", "FAILURES", "REJECTED", "BUDGET");
  for (const json::value& replica : listed.replicas) {
    const json::object& entry = replica.as_object();
    const std::string who =
        fmt::format("{:<24} {:<8}", entry.at("service").as_string().c_str(), entry.at("replica").as_string().c_str());
    if (entry.at("error").is_string())
      out += fmt::format("{} unknown: {}\n", who, entry.at("error").as_string().c_str());
    for (const json::value& target : entry.at("targets").as_array())
      out += fmt::format("{} {:<30} {:<10} {:>6} {:>9} {:>9} {:>6.0f}%\n", who, target.at("name").as_string().c_str(),
                         target.at("breaker").as_string().c_str(), target.at("calls").as_int64(),
                         target.at("failures").as_int64(), target.at("rejected").as_int64(),
                         100 * target.at("budget_left").to_number<double>());
  }
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
  CLI::App* presets =
      app.add_subcommand("presets", "Retry presets, and what each costs a caller whose attempts all fail");
  add_json_flag(*presets, *as_json);
  presets->callback([&context, as_json] { context.out(presets_text(*as_json)); });

  CLI::App* verb =
      app.add_subcommand("resilience", "Breakers, budgets and bulkheads of every replica, as they are now");
  add_json_flag(*verb, *as_json);
  verb->footer("Exit codes: 0 every breaker is closed, 1 one is not, 3 a replica could not be asked.");
  verb->callback([&context, as_json] {
    const Result<Listed> listed = list(context);
    if (!listed) return context.fail_with(listed.error());
    context.out(*as_json ? json::serialize(json::object{{"replicas", listed->replicas}}) + "\n" : text_of(*listed));
    if (!listed->all_known) return context.finish(Exit::held);
    if (!listed->all_closed) context.finish(Exit::failed);
  });
}

}  // namespace serin::tool
