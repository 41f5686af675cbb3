#include <unistd.h>

#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"
#include "verbs.hpp"

namespace serin::fleet {
void Console::out(std::string_view text) { write_all(STDOUT_FILENO, text); }
void Console::err(std::string_view text) { write_all(STDERR_FILENO, text); }
void Console::fail_with(const Error& error) {
  err("serin-fleet: " + error.detail() + "\n");
  const Errc code = error.code();
  const bool callers = code == Errc::invalid_argument || code == Errc::not_found || code == Errc::data_loss;
  exit_code = callers ? 2 : 3;
}

}  // namespace serin::fleet

int main(int argc, char** argv) {
  serin::StopSignal stop;
  serin::SystemSleeper sleeper(stop);
  serin::fleet::Console console{.sleeper = sleeper};
  CLI::App app{"The reference fleet's data: load a season, run a game date, grade it, measure the models.",
               "serin-fleet"};
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 a check failed, 2 usage or file, 3 could not run.");
  serin::fleet::add_accuracy_verb(app, console);
  serin::fleet::add_pipeline_verbs(app, console);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    console.err(std::string("serin-fleet: ") + error.what() + "\nserin-fleet --help shows what there is\n");
    return 2;
  }
  return console.exit_code;
}
