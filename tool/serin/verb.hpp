#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "serin/base/error.hpp"
#include "serin/config/fleet_spec.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/documents.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/platform.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/router.hpp"
#include "serin/ports/sql.hpp"
#include "serin/ports/traffic.hpp"

namespace serin::control {
class ControlStore;
}

namespace serin::tool {

/// What the shell is told. The same for every verb.
enum class Exit : int {
  done = 0,    ///< what was asked for is so
  failed = 1,  ///< rolled back, or a check failed
  usage = 2,   ///< bad option, bad file: nothing was started
  held = 3,    ///< could not run, or stopped in the middle on purpose; the sentence says what now
};
/// The code for an error that ended a verb: usage for invalid_argument and not_found, held for the rest.
[[nodiscard]] Exit exit_of(const Error& error) noexcept;

/// The fleet as this process sees it: its file, its control database, and ports that act on what really runs.
struct Session {
  config::FleetSpec spec;
  Sql& state;            ///< the control database (state.db): journal, desired and observed state
  Documents& documents;  ///< small documents in the same database: leases
  control::ControlStore& store;
  Router& router;
  Platform& platform;
  Traffic& traffic;
};

/// What a verb may use; main() makes one. Threads: main's.
class VerbContext {
 public:
  virtual ~VerbContext() = default;
  [[nodiscard]] virtual Sleeper& sleeper() = 0;  ///< real time; answers cancelled after Ctrl-C
  [[nodiscard]] virtual Random& random() = 0;
  [[nodiscard]] virtual HttpClient& http() = 0;
  [[nodiscard]] virtual Logger logger() = 0;
  /// True when standard error is a terminal that can redraw a line.
  [[nodiscard]] virtual bool is_terminal() const = 0;

  /// Standard output: results only. With --json one JSON document and nothing else.
  virtual void out(std::string_view text) = 0;
  /// Standard error: progress and errors.
  virtual void err(std::string_view text) = 0;

  /// Reads the file given by --fleet (default: fleet/fleet.yaml, then fleet.yaml, in this folder or above).
  /// Errors: not_found, invalid_argument with file:line:column.
  virtual Result<config::FleetSpec> fleet() = 0;
  /// Opens the fleet's control database; made by `serin up`. Errors as fleet(); unavailable when it never was up.
  /// The same session at every call; it lives as long as the context.
  virtual Result<Session*> session() = 0;
  /// Reads a file whole, "-" for standard input. Errors: not_found, permission_denied, exhausted (over 256 MB).
  virtual Result<std::string> read_file(const std::string& path) = 0;

  /// Prints "serin: <sentence>" and remembers the code.
  void fail_with(const Error& error);
  void finish(Exit code) noexcept { exit_ = code; }
  [[nodiscard]] Exit exit() const noexcept { return exit_; }

 private:
  Exit exit_ = Exit::done;
};

/// A report into what the user named: a file, which is replaced or appended to, a pipe, a device.
/// Errors: unavailable, naming it: it cannot be opened, or is full.
Status write_report_to(const std::string& path, std::string_view text, bool append = false);

/// "NAME=VALUE" as its two parts; nothing without a '=' or without a name. Pure.
std::optional<std::pair<std::string, std::string>> name_and_value(const std::string& word);

/// "http://host:port/path", or https, as origin and path; without a path, `path`. Errors: invalid_argument.
Result<std::pair<std::string, std::string>> split_url(const std::string& url, std::string_view path);

/// Every verb's `--json`: `context.out()` then gets one JSON document.
inline void add_json_flag(CLI::App& verb, bool& json) { verb.add_flag("--json", json, "Print one JSON document"); }

}  // namespace serin::tool
