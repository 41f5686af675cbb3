#include <fmt/format.h>

#include <exception>

#include "real_context.hpp"
#include "verb_check.hpp"
#include "verb_demo.hpp"
#include "verb_deploy.hpp"
#include "verb_drill.hpp"
#include "verb_emulate.hpp"
#include "verb_fleet.hpp"
#include "verb_health.hpp"
#include "verb_judge.hpp"
#include "verb_load.hpp"
#include "verb_monitor.hpp"
#include "verb_plan.hpp"
#include "verb_resilience.hpp"
#include "verb_smoke.hpp"
#include "verb_steer.hpp"

namespace serin::tool {
namespace {

int run(int argc, char** argv) {
  RealContext context;
  CLI::App app{"Ships and runs services safely: canary releases with proof, and the exact way back.", "serin"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "serin 0.1.0");
  GlobalOptions& global = context.options();
  app.add_option("--fleet", global.fleet_file,
                 "The fleet's file (default: fleet/fleet.yaml or fleet.yaml, here or above)");
  app.add_option("--state", global.state, "Folder of the control database, instead of the one in the file");
  app.add_option("--log-level", global.log_level, "debug, info, warn, error or off; JSON lines on standard error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  app.footer("Exit codes: 0 done, 1 rolled back or a check failed, 2 usage or file, 3 could not run or held.");
  add_fleet_verbs(app, context);
  add_deploy_verbs(app, context);
  add_steer_verbs(app, context);
  add_plan_verb(app, context);
  add_health_verbs(app, context);
  add_smoke_verb(app, context);
  add_judge_verbs(app, context);
  add_check_verbs(app, context);
  add_monitor_verbs(app, context);
  add_load_verb(app, context);
  add_resilience_verb(app, context);
  add_demo_verb(app, context);
  add_drill_verb(app, context);
  add_emulate_verb(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are no errors; everything else is usage, whatever CLI11's own number is.
    if (error.get_exit_code() == 0) return app.exit(error);
    context.err(fmt::format("serin: {}\nserin --help shows what there is\n", error.what()));
    return static_cast<int>(Exit::usage);
  }
  return static_cast<int>(context.exit());
}

}  // namespace
}  // namespace serin::tool

int main(int argc, char** argv) {
  try {
    return serin::tool::run(argc, argv);
  } catch (const std::exception& error) {
    // Out of memory, or a bug in a library: say it, and do not pretend that anything was done.
    const std::string text = fmt::format("serin: internal error: {}\n", error.what());
    std::fputs(text.c_str(), stderr);
    return 3;
  }
}
