#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/smoke/suite.hpp"

namespace serin::smoke {

/// Unknown is what could not be found out: a secret that is missing, an answer that says we may not ask.
enum class Outcome : std::uint8_t { pass, fail, unknown };
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;

struct StepResult {
  Outcome outcome = Outcome::unknown;
  std::string request;  ///< "GET http://127.0.0.1:8080/health"
  std::string said;     ///< what was expected and what came; empty when it passed
  int tries = 0;
  Duration took{};  ///< of the last try
  int line = 1;
};

struct TestResult {
  std::string name;
  std::string service;  ///< of its first step
  Outcome outcome = Outcome::unknown;
  std::vector<StepResult> steps;  ///< those that ran
  Duration took{};
  int line = 1;
};

/// What a run knows besides the suite.
struct Surroundings {
  std::map<std::string, std::string> origins;    ///< service -> "http://host:port"
  std::map<std::string, std::string> variables;  ///< given from outside; a capture of the same name hides it
  std::map<std::string, std::string> secrets;    ///< by name; one that could not be read is missing
};

/// Runs one test: its steps in order, each tried again as its patience says. Answers of 401 and 403 that nobody expects
/// are unknown: they tell of us, not of the service. No text of the result holds a secret of four characters or more.
/// Threads: the caller's; several tests may run at the same time. Ctrl-C ends it as unknown.
[[nodiscard]] TestResult run_test(const Test& test, const Surroundings& with, HttpClient& http, Sleeper& sleeper);

}  // namespace serin::smoke
