#include "verb_smoke.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "serin/smoke/report.hpp"
#include "smoke_gate.hpp"

namespace serin::tool {
namespace {

struct SmokeFlags {
  std::string file;
  std::string environment;
  std::vector<std::string> urls;
  std::vector<std::string> variables;
  smoke::Selection selection;
  std::string junit;
  std::string html;
  std::string ca;
  std::string certificate;
  std::string key;
  int parallel = 8;
  bool github = false;
  bool json = false;
};

Result<std::map<std::string, std::string>> pairs_of(const std::vector<std::string>& words, std::string_view flag) {
  std::map<std::string, std::string> out;
  for (const std::string& word : words) {
    const auto pair = name_and_value(word);
    if (!pair) return fail(Errc::invalid_argument, fmt::format("{} '{}' is not NAME=VALUE", flag, word));
    out[pair->first] = pair->second;
  }
  return out;
}

/// Where the services are: what was given, then the file's environment, then the running fleet.
Result<std::map<std::string, std::string>> origins(RealContext& context, const smoke::Suite& suite,
                                                   const SmokeFlags& flags) {
  SERIN_TRY(auto out, pairs_of(flags.urls, "--url"));
  for (auto& [service, url] : out) {
    SERIN_TRY(auto parts, split_url(url, "/"));
    if (parts.second != "/")
      return fail(Errc::invalid_argument, fmt::format("--url {}: paths stand in the file, give http://host:port", url));
    url = parts.first;
  }
  if (flags.environment == "fleet") {
    SERIN_TRY(Session* const session, context.session());
    for (const config::ServiceSpec& service : session->spec.services) {
      SERIN_TRY(const std::string address, agent::service_address(session->store, service));
      out.try_emplace(service.name.str(), "http://" + address);
    }
    return out;
  }
  if (flags.environment.empty()) return out;
  const auto found = suite.environments.find(flags.environment);
  if (found == suite.environments.end()) {
    std::string known = "fleet";
    for (const auto& [name, services] : suite.environments) known += ", " + name;
    return fail(Errc::invalid_argument,
                fmt::format("{} has no environment '{}'; there is {}", suite.file, flags.environment, known));
  }
  out.insert(found->second.begin(), found->second.end());
  return out;
}

std::vector<smoke::TestResult> run_all(RealContext& context, const std::vector<const smoke::Test*>& tests,
                                       const smoke::Surroundings& with, HttpClient& http, int parallel) {
  std::vector<smoke::TestResult> results(tests.size());
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < std::min<int>(parallel, static_cast<int>(tests.size())); ++i)
    threads.emplace_back([&] {
      for (std::size_t at; (at = next++) < tests.size();)
        results[at] = smoke::run_test(*tests[at], with, http, context.sleeper());
    });
  threads.clear();  // joins
  return results;
}

Result<Exit> play(RealContext& context, const SmokeFlags& flags) {
  if (flags.parallel < 1 || flags.parallel > 64) return fail(Errc::invalid_argument, "--parallel must be 1 to 64");
  SERIN_TRY(const std::string text, context.read_file(flags.file));
  SERIN_TRY(const smoke::Suite suite, smoke::parse_suite(text, flags.file));
  SERIN_TRY(const std::vector<const smoke::Test*> tests, smoke::choose(suite, flags.selection));
  smoke::Surroundings with;
  SERIN_TRY(with.origins, origins(context, suite, flags));
  SERIN_TRY(with.variables, pairs_of(flags.variables, "--set"));
  with.secrets = secrets_of(context, suite);
  SERIN_TRY(
      const auto http,
      http::Session::make({.tls = {.ca_file = flags.ca, .certificate_file = flags.certificate, .key_file = flags.key},
                           .proxies = http::proxies_of(context.environment())},
                          context.sleeper()));
  const Instant began = context.sleeper().now();
  smoke::Report report{.file = flags.file, .environment = flags.environment};
  report.tests = run_all(context, tests, with, *http, flags.parallel);
  report.took = context.sleeper().now() - began;
  // First, so that a full disk loses no finding.
  context.out(flags.json ? smoke::report_json(report) : smoke::report_text(report));
  if (!flags.junit.empty()) SERIN_CHECK(write_report_to(flags.junit, smoke::report_junit(report)));
  if (!flags.html.empty()) SERIN_CHECK(write_report_to(flags.html, smoke::report_html(report)));
  if (flags.github) {
    context.err(smoke::report_github(report));
    if (const auto summary = context.environment().value("GITHUB_STEP_SUMMARY"); summary && !summary->empty())
      SERIN_CHECK(write_report_to(*summary, smoke::report_markdown(report), true));  // others write to it, too
  }
  switch (smoke::outcome_of(report)) {
    case smoke::Outcome::pass: return Exit::done;
    case smoke::Outcome::fail: return Exit::failed;
    case smoke::Outcome::unknown: return Exit::held;
  }
  return Exit::held;
}

}  // namespace

void add_smoke_verb(CLI::App& app, RealContext& context) {
  auto flags = std::make_shared<SmokeFlags>();
  CLI::App* smoke = app.add_subcommand("smoke", "Smoke tests: requests of a file, and what their answers must be");
  smoke->require_subcommand(1);
  CLI::App* run = smoke->add_subcommand("run", "Run the tests of a file");
  run->add_option("file", flags->file, "The suite, YAML")->required();
  run->add_option("--env", flags->environment, "An environment of the file, or fleet: the one that runs here");
  run->add_option("--url", flags->urls, "SERVICE=http://host:port, instead of the environment's");
  run->add_option("--set", flags->variables, "NAME=VALUE for ${NAME}");
  run->add_option("--service", flags->selection.services, "Only tests that ask it");
  run->add_option("--tag", flags->selection.tags, "Only tests with it");
  run->add_option("--name", flags->selection.names, "Only this test");
  run->add_option("--parallel", flags->parallel, "Tests at once, 1 to 64")->capture_default_str();
  run->add_option("--junit", flags->junit, "Write JUnit's XML to this file");
  run->add_option("--html", flags->html, "Write a page to this file");
  run->add_option("--ca", flags->ca, "PEM, believed instead of the system's authorities");
  run->add_option("--cert", flags->certificate, "PEM chain shown to servers that ask for one");
  run->add_option("--key", flags->key, "PEM key of it");
  run->add_flag("--github", flags->github, "Annotations on standard error, and the job's summary");
  add_json_flag(*run, flags->json);
  run->footer(
      "Exit codes: 0 all passed, 1 one failed, 2 usage or file, or no test is chosen, 3 one is unknown: a secret that "
      "is\n"
      "missing, or an answer of 401 or 403 that nobody expects.");
  run->callback([&context, flags] {
    const auto exit = play(context, *flags);
    if (!exit) return context.fail_with(exit.error());
    context.finish(*exit);
  });
}

}  // namespace serin::tool
