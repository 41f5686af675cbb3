#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin::smoke {

/// What stands at a place of an answer's JSON: "== ok" and "ok" are the same; != < <= > >= compare numbers where both
/// sides are one and text otherwise; "~ PATTERN" is a regular expression (RE2) that is found in it.
struct JsonExpectation {
  std::string pointer;  ///< RFC 6901: "/checks/0/status"
  std::string relation = "==";
  std::string value;
};

struct Expectation {
  std::vector<int> statuses = {200};
  std::vector<std::pair<std::string, std::string>> headers;  ///< name, and what its value contains
  std::vector<JsonExpectation> json;
  std::vector<std::string> present;  ///< JSON pointers where anything stands
  std::string contains;              ///< empty: anything
  std::string matches;               ///< RE2, found in the body; empty: anything
  std::optional<Duration> within;    ///< of the answer that passed; > 0
};

/// One request. Texts may hold ${NAME}, what an earlier step captured or --set gave, and ${secret:NAME}.
struct Step {
  std::string method = "GET";
  std::string path;  ///< with query; begins with '/'
  std::string service;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string basic;  ///< "user:password" for HTTP's basic authentication; empty: none
  std::string body;
  Expectation expect;
  std::map<std::string, std::string> capture;  ///< variable -> JSON pointer, or "header:NAME"
  int line = 1;                                ///< in the file
};

/// How long a step is tried again before what it found counts.
struct Patience {
  Duration deadline = 0s;     ///< 0: one try
  Duration first = 100ms;     ///< before the second try; doubles
  Duration most = 2s;         ///< no longer than this
  Duration try_timeout = 5s;  ///< of one try; > 0
};

/// Steps one after the other; the first that does not pass ends them.
struct Test {
  std::string name;
  std::vector<std::string> tags;
  std::vector<Step> steps;  ///< at least one
  Patience patience;
  int line = 1;
};

struct SecretSource {
  std::string environment;  ///< a variable's name; or
  std::string file;         ///< a file, whose last line feed is not part of it
};

struct Suite {
  std::string file;
  /// Environment -> service -> origin, "https://orders.example.org".
  std::map<std::string, std::map<std::string, std::string>> environments;
  std::map<std::string, SecretSource> secrets;
  std::vector<Test> tests;  ///< at least one
};

/// Reads a suite strictly. Pure. \param file  only for messages
/// Errors: invalid_argument: every mistake as "file:line:column: sentence", a line each.
Result<Suite> parse_suite(std::string_view text, std::string_view file);

/// Which tests are to run. Empty lists choose all.
struct Selection {
  std::vector<std::string> services;  ///< a test is chosen when one of its steps asks one of them
  std::vector<std::string> tags;
  std::vector<std::string> names;
};
/// Errors: invalid_argument when nothing is chosen, saying what there is: no test is no pass. Pure.
Result<std::vector<const Test*>> choose(const Suite& suite, const Selection& selection);

}  // namespace serin::smoke
