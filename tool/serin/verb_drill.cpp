#include "verb_drill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "drill.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

struct DrillFlags {
  std::vector<std::string> names;
  bool json = false;
  bool keep = false;
};

struct DrillOutcome {
  std::string name;
  std::vector<Expectation> expectations;
  bool as_expected = false;
  double seconds = 0;
};

std::vector<Drill> all_drills() {
  std::vector<Drill> out(warehouse_drills().begin(), warehouse_drills().end());
  out.insert(out.end(), data_drills().begin(), data_drills().end());
  return out;
}

std::string list_text() {
  std::string out;
  for (const Drill& drill : all_drills()) out += fmt::format("{:<18} {}\n", drill.name, drill.what);
  return out;
}

Result<std::vector<Drill>> chosen(const DrillFlags& flags) {
  const std::vector<Drill> all = all_drills();
  std::vector<Drill> out;
  for (const std::string& name : flags.names) {
    if (name == "all") {
      out = all;
      continue;
    }
    const auto found = std::ranges::find(all, name, &Drill::name);
    if (found == all.end())
      return fail(Errc::invalid_argument, fmt::format("there is no drill '{}'; there are\n{}", name, list_text()));
    out.push_back(*found);
  }
  return out;
}

Result<DrillOutcome> run_one(VerbContext& context, const Drill& drill, bool keep) {
  context.err(fmt::format("drill {}: {}\n", drill.name, drill.what));
  DrillRun run(context, keep);
  const auto ran = [&]() -> Status {
    SERIN_CHECK(run.begin());
    return drill.run(run);
  }();
  run.end();
  if (!ran) return pass(ran.error());
  return DrillOutcome{.name = std::string(drill.name),
                      .expectations = run.expectations(),
                      .as_expected = run.as_expected(),
                      .seconds = seconds_of(run.fleet().age())};
}

std::string text_of(const std::vector<DrillOutcome>& outcomes) {
  std::string out;
  for (const DrillOutcome& outcome : outcomes) {
    out += fmt::format("{}: {} after {:.0f} s\n", outcome.name,
                       outcome.as_expected ? "ended as it must" : "DID NOT END AS IT MUST", outcome.seconds);
    for (const Expectation& each : outcome.expectations)
      out += fmt::format("  {:<7} {} ({})\n", each.held ? "held" : "BROKEN", each.sentence, each.seen);
  }
  return out;
}

std::string document(const std::vector<DrillOutcome>& outcomes) {
  json::array list;
  for (const DrillOutcome& outcome : outcomes) {
    json::array expectations;
    for (const Expectation& each : outcome.expectations)
      expectations.push_back({{"sentence", each.sentence}, {"held", each.held}, {"seen", each.seen}});
    list.push_back({{"name", outcome.name},
                    {"as_expected", outcome.as_expected},
                    {"seconds", outcome.seconds},
                    {"expectations", std::move(expectations)}});
  }
  return json::serialize(json::object{{"drills", std::move(list)}}) + "\n";
}

void run_drills(VerbContext& context, const DrillFlags& flags) {
  const Result<std::vector<Drill>> drills = chosen(flags);
  if (!drills) return context.fail_with(drills.error());
  std::vector<DrillOutcome> outcomes;
  for (const Drill& drill : *drills) {
    Result<DrillOutcome> outcome = run_one(context, drill, flags.keep);
    if (!outcome) return context.fail_with(outcome.error());
    outcomes.push_back(*std::move(outcome));
  }
  context.out(flags.json ? document(outcomes) : text_of(outcomes));
  if (!std::ranges::all_of(outcomes, &DrillOutcome::as_expected)) context.finish(Exit::failed);
}

}  // namespace

void add_drill_verb(CLI::App& app, VerbContext& context) {
  auto flags = std::make_shared<DrillFlags>();
  CLI::App* verb = app.add_subcommand("drill", "Stage a failure on a fleet of its own, and say what held");
  verb->add_option("name", flags->names, "Which; or all; nothing lists them");
  verb->add_flag("--keep", flags->keep, "Keep databases and logs");
  add_json_flag(*verb, flags->json);
  verb->footer("Exit codes: 0 everything held, 1 something did not, 2 no such drill, 3 it could not be staged.");
  verb->callback([&context, flags] {
    if (flags->names.empty()) return context.out(list_text());
    run_drills(context, *flags);
  });
}

}  // namespace serin::tool
