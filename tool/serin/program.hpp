#pragma once
#include <map>
#include <string>
#include <vector>

#include "serin/base/error.hpp"

namespace serin::tool {

struct ProgramResult {
  int exit_code = 0;   ///< 128 + signal when a signal ended it
  std::string output;  ///< its standard output
};

/// Runs a program to its end, as a shell would: standard error and Ctrl-C are shared with us, standard output is
/// collected. \param argv  program (a path) and arguments  \param environment  added to ours
/// Errors: not_found, permission_denied, exhausted (no process, no pipe).
Result<ProgramResult> run_program(const std::vector<std::string>& argv,
                                  const std::map<std::string, std::string>& environment = {});

}  // namespace serin::tool
