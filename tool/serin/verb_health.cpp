#include "verb_health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <thread>

#include "serin/conformance/conformance.hpp"
#include "serin/conformance/probe.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;
using conformance::Finding;
using conformance::Probed;
using conformance::ProbeTarget;
using health::HealthStatus;

constexpr std::size_t most_targets = 64;  // asked at the same time, a thread each
constexpr Duration between_tries = 200ms;

struct HealthFlags {
  std::vector<std::string> urls;
  std::vector<std::string> expected;
  std::string timeout = "5s";
  std::string wait = "0s";
  bool strict = false;
  bool quiet = false;
  bool json = false;
};

Result<std::vector<ProbeTarget>> targets_of(const HealthFlags& flags) {
  if (flags.urls.size() > most_targets)
    return fail(Errc::invalid_argument,
                fmt::format("at most {} addresses at once, not {}", most_targets, flags.urls.size()));
  std::map<std::string, std::string> expected;
  for (const std::string& claim : flags.expected) {
    const auto pair = name_and_value(claim);
    if (!pair)
      return fail(Errc::invalid_argument, fmt::format("--expect '{}' is not FIELD=VALUE, like commit=0a1b2c3", claim));
    expected[pair->first] = pair->second;
  }
  std::vector<ProbeTarget> targets;
  for (const std::string& url : flags.urls) {
    SERIN_TRY(auto parts, split_url(url, "/ready"));
    targets.push_back({.origin = parts.first, .path = parts.second, .expected = expected});
  }
  return targets;
}

/// All at the same time: one that hangs delays no other.
std::vector<Probed> ask_all(RealContext& context, const std::vector<ProbeTarget>& targets, Deadline deadline) {
  std::vector<Probed> probed(targets.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < targets.size(); ++i)
    threads.emplace_back(
        [&, i] { probed[i] = conformance::probe_health(context.http(), context.patient(), targets[i], deadline); });
  threads.clear();  // joins
  return probed;
}

bool is_well(HealthStatus status, bool strict) {
  return status == HealthStatus::up || (status == HealthStatus::degraded && !strict);
}

Exit exit_of(const std::vector<Probed>& probed, bool strict) {
  Exit exit = Exit::done;
  for (const Probed& each : probed) {
    if (is_well(each.status, strict)) continue;
    if (each.status != HealthStatus::unknown) return Exit::failed;
    exit = Exit::held;
  }
  return exit;
}

std::string table(const std::vector<ProbeTarget>& targets, const std::vector<Probed>& probed) {
  std::size_t widest = 6;
  for (const ProbeTarget& target : targets) widest = std::max(widest, target.origin.size() + target.path.size());
  std::string out = fmt::format("{:<{}}  {:<14} {:>4} {:>9}  {}\n", "TARGET", widest, "STATUS", "CODE", "TOOK", "SAID");
  for (std::size_t i = 0; i < targets.size(); ++i)
    out += fmt::format("{:<{}}  {:<14} {:>4} {:>9}  {}\n", targets[i].origin + targets[i].path, widest,
                       health::health_status_name(probed[i].status),
                       probed[i].code == 0 ? std::string("-") : std::to_string(probed[i].code),
                       fmt::format("{:.1f} ms", 1000 * seconds_of(probed[i].took)), probed[i].said);
  return out;
}

std::string document(const std::vector<ProbeTarget>& targets, const std::vector<Probed>& probed) {
  json::array list;
  for (std::size_t i = 0; i < targets.size(); ++i)
    list.push_back({{"url", targets[i].origin + targets[i].path},
                    {"status", std::string(health::health_status_name(probed[i].status))},
                    {"code", probed[i].code},
                    {"seconds", seconds_of(probed[i].took)},
                    {"said", probed[i].said}});
  return json::serialize(json::object{{"targets", std::move(list)}}) + "\n";
}

void run_health(RealContext& context, const HealthFlags& flags) {
  const auto probed = [&]() -> Result<Exit> {
    SERIN_TRY(const Duration timeout, parse_duration(flags.timeout));
    SERIN_TRY(const Duration wait, parse_duration(flags.wait));
    if (timeout <= 0s) return fail(Errc::invalid_argument, "--timeout must be above 0");
    SERIN_TRY(const std::vector<ProbeTarget> targets, targets_of(flags));
    const Deadline patience = Deadline::after(context.sleeper().now(), wait);
    for (;;) {
      const std::vector<Probed> seen = ask_all(context, targets, Deadline::after(context.sleeper().now(), timeout));
      const Exit exit = exit_of(seen, flags.strict);
      const bool again = exit != Exit::done && !patience.passed(context.sleeper().now());
      if (again && context.sleeper().sleep_for(between_tries)) continue;
      if (!flags.quiet) context.out(flags.json ? document(targets, seen) : table(targets, seen));
      return exit;
    }
  }();
  if (!probed) return context.fail_with(probed.error());
  context.finish(*probed);
}

struct ConformanceFlags {
  std::vector<std::string> targets;
  std::string service;
  std::string key;
  std::string within = "1s";
  bool hanging = false;
  bool all = false;
  bool json = false;
};

struct Subject {
  std::string name;  ///< "prediction-worker v1-1", or the address
  std::string origin;
  std::string service;
};

/// Every replica of the running fleet that has an address, at that address: also one that is not ready.
Result<std::vector<Subject>> fleet_subjects(RealContext& context) {
  SERIN_TRY(Session* const session, context.session());
  SERIN_CHECK(session->store.check_alive());
  SERIN_TRY(const std::vector<control::ObservedReplica> replicas, session->store.replicas());
  std::vector<Subject> subjects;
  for (const control::ObservedReplica& seen : replicas)
    if (!seen.replica.address.empty() && seen.replica.state <= ReplicaState::not_ready)
      subjects.push_back({.name = seen.service.str() + " " + seen.replica.name,
                          .origin = "http://" + seen.replica.address,
                          .service = seen.service.str()});
  if (subjects.empty()) return fail(Errc::unavailable, "no replica of the fleet is running; `serin up` starts it");
  return subjects;
}

Result<std::vector<Subject>> subjects_of(RealContext& context, const ConformanceFlags& flags) {
  std::vector<Subject> subjects;
  for (const std::string& target : flags.targets) {
    if (target == "fleet") {
      SERIN_TRY(const std::vector<Subject> all, fleet_subjects(context));
      subjects.insert(subjects.end(), all.begin(), all.end());
      continue;
    }
    SERIN_TRY(auto parts, split_url(target, "/"));
    if (parts.second != "/")
      return fail(Errc::invalid_argument,
                  fmt::format("'{}': the contract has its own paths; give only http://host:port", target));
    subjects.push_back({.name = parts.first, .origin = parts.first, .service = flags.service});
  }
  return subjects;
}

struct Verdict {
  Subject subject;
  std::vector<Finding> findings;
  [[nodiscard]] std::size_t kept() const {
    return static_cast<std::size_t>(std::ranges::count_if(findings, &Finding::kept));
  }
  [[nodiscard]] bool is_kept() const { return kept() == findings.size(); }
};

std::string text_of(const std::vector<Verdict>& verdicts, bool all) {
  std::string out;
  for (const Verdict& verdict : verdicts) {
    out += fmt::format("{}: {} of {} rules kept\n", verdict.subject.name, verdict.kept(), verdict.findings.size());
    for (const Finding& finding : verdict.findings)
      if (!finding.kept)
        out += fmt::format("  BROKEN  {}: {}\n", finding.rule, finding.seen);
      else if (all)
        out += fmt::format("  kept    {}\n", finding.rule);
  }
  return out;
}

std::string document(const std::vector<Verdict>& verdicts) {
  json::array list;
  for (const Verdict& verdict : verdicts) {
    json::array findings;
    for (const Finding& finding : verdict.findings)
      findings.push_back({{"rule", finding.rule}, {"kept", finding.kept}, {"seen", finding.seen}});
    list.push_back({{"name", verdict.subject.name},
                    {"url", verdict.subject.origin},
                    {"kept", verdict.is_kept()},
                    {"findings", std::move(findings)}});
  }
  return json::serialize(json::object{{"services", std::move(list)}}) + "\n";
}

Result<std::vector<Verdict>> judge(RealContext& context, const ConformanceFlags& flags) {
  SERIN_TRY(const Duration within, parse_duration(flags.within));
  if (within <= 0s) return fail(Errc::invalid_argument, "--answer-within must be above 0");
  SERIN_TRY(const std::vector<Subject> subjects, subjects_of(context, flags));
  std::vector<Verdict> verdicts;
  for (const Subject& subject : subjects)
    verdicts.push_back(
        {.subject = subject,
         .findings = conformance::check_contract(
             context.http(), context.patient(), subject.origin,
             {.service = subject.service, .key = flags.key, .answer_within = within, .dependency_hangs = flags.hanging},
             Deadline::after(context.sleeper().now(), 60 * within))});
  return verdicts;
}

}  // namespace

void add_health_verbs(CLI::App& app, RealContext& context) {
  auto health = std::make_shared<HealthFlags>();
  CLI::App* probe =
      app.add_subcommand("health", "Ask services whether they are healthy: for containers, systemd and CI");
  probe->add_option("url", health->urls, "http://host:port[/path]; without a path /ready is asked")->required();
  probe->add_option("--expect", health->expected, "FIELD=VALUE that /health has to say: service=NAME, commit=SHA");
  probe->add_option("--timeout", health->timeout, "Of one try, all addresses together")->capture_default_str();
  probe->add_option("--wait", health->wait, "Try again until all are healthy, for so long")->capture_default_str();
  probe->add_flag("--strict", health->strict, "Degraded is not healthy");
  probe->add_flag("-q,--quiet", health->quiet, "Print nothing: the exit code says it");
  add_json_flag(*probe, health->json);
  probe->footer(
      "Exit codes: 0 all are healthy, 1 one is not (or is not who was expected), 2 usage, 3 one could not be asked.\n"
      "HEALTHCHECK CMD serin health -q http://127.0.0.1:8080/health");
  probe->callback([&context, health] { run_health(context, *health); });

  auto rules = std::make_shared<ConformanceFlags>();
  CLI::App* verb = app.add_subcommand("conformance", "Whether a service keeps the health contract, rule by rule");
  verb->add_option("target", rules->targets, "http://host:port, or `fleet` for every replica that runs")->required();
  verb->add_option("--service", rules->service, "The name that /health has to say");
  verb->add_option("--key", rules->key, "Shows details; without it they are not asked for");
  verb->add_option("--answer-within", rules->within, "Of every single answer")->capture_default_str();
  verb->add_flag("--dependency-hangs", rules->hanging, "A critical check never returns: it has to say so, in time");
  verb->add_flag("--all", rules->all, "Print the rules that are kept, too");
  add_json_flag(*verb, rules->json);
  verb->footer("Exit codes: 0 every rule is kept, 1 one is broken, 2 usage, 3 the fleet could not be asked.");
  verb->callback([&context, rules] {
    const Result<std::vector<Verdict>> verdicts = judge(context, *rules);
    if (!verdicts) return context.fail_with(verdicts.error());
    context.out(rules->json ? document(*verdicts) : text_of(*verdicts, rules->all));
    if (!std::ranges::all_of(*verdicts, &Verdict::is_kept)) context.finish(Exit::failed);
  });
}

}  // namespace serin::tool
