#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/clock.hpp"

namespace serin::fleet {

/// What the verbs share. Threads: main's.
struct Console {
  Sleeper& sleeper;
  int exit_code = 0;
  void out(std::string_view text);
  void err(std::string_view text);
  /// Prints the sentence; 2 for what the caller got wrong, 3 for the rest.
  void fail_with(const Error& error);
};

void add_accuracy_verb(CLI::App& app, Console& console);
/// load, pipeline and grade.
void add_pipeline_verbs(CLI::App& app, Console& console);

}  // namespace serin::fleet
