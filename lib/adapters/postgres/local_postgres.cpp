#include "serin/postgres/local_postgres.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <vector>

#include "connection.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/files.hpp"

namespace serin {
namespace {

namespace fs = std::filesystem;

constexpr Duration start_timeout = 30s;
constexpr Duration look_every = 20ms;
constexpr Duration end_timeout = 10s;
constexpr std::size_t shown = 400;

/// The newest version's folder of programs, as Debian lays them.
Result<std::string> program_folder() {
  std::error_code error;
  std::string newest;
  for (const fs::directory_entry& entry : fs::directory_iterator("/usr/lib/postgresql", error))
    if (fs::exists(entry.path() / "bin" / "postgres", error)) newest = std::max(newest, entry.path().string());
  if (newest.empty())
    return fail(Errc::not_found, "no PostgreSQL server is installed; on Debian: apt-get install postgresql");
  return newest + "/bin";
}

/// As root, the server's programs are started as the user that Debian made for them. setpriv becomes the program, so
/// that the process that we know is the server itself.
std::vector<std::string> as_server_user(std::vector<std::string> command) {
  if (::geteuid() != 0) return command;
  command.insert(command.begin(), {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"});
  return command;
}

Status hand_over(const std::string& folder) {
  if (::geteuid() != 0) return {};
  const passwd* const user = ::getpwnam("postgres");
  if (user == nullptr) return fail(Errc::not_found, "there is no user postgres to run the server as");
  if (::chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0)
    return fail(Errc::permission_denied, "cannot give " + folder + " to the user postgres");
  return {};
}

std::string last_words(const std::string& file) {
  const std::string text = read_file(file).value_or("");
  return text.size() > shown ? text.substr(text.size() - shown) : text;
}

Status run_to_end(const std::vector<std::string>& command, const std::string& output, Sleeper& sleeper) {
  SERIN_TRY(const ProcessId process, spawn({.command = command,
                                            .environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}},
                                            .directory = "/",
                                            .output = output}));
  const Deadline deadline = Deadline::after(sleeper.now(), start_timeout);
  for (;;) {
    if (const auto end = poll_end(process)) {
      if (end->code == 0) return {};
      return fail(Errc::unavailable,
                  fmt::format("{} ended with {}: {}", command.back(), end->text(), last_words(output)));
    }
    if (deadline.passed(sleeper.now())) {
      static_cast<void>(send_signal_to_group(process, SIGKILL));
      return fail(Errc::deadline_exceeded, command.back() + " is not done");
    }
    SERIN_CHECK(sleeper.sleep_for(look_every));
  }
}

}  // namespace

std::string LocalPostgres::url() const { return fmt::format("postgres:///postgres?host={}&user=postgres", folder_); }

Result<std::unique_ptr<LocalPostgres>> LocalPostgres::start(std::string folder, Sleeper& sleeper) {
  SERIN_TRY(const std::string bin, program_folder());
  SERIN_CHECK(make_folders(folder));
  SERIN_CHECK(hand_over(folder));
  const std::string data = folder + "/data";
  const std::string output = folder + "/server.log";
  if (!fs::exists(data + "/PG_VERSION"))
    SERIN_CHECK(run_to_end(as_server_user({bin + "/initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8",
                                           "--locale=C.UTF-8", "--no-sync", "-D", data}),
                           output, sleeper));
  SERIN_TRY(const ProcessId server,
            spawn({.command = as_server_user({bin + "/postgres", "-D", data, "-k", folder, "-c",
                                              "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=100"}),
                   .environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}},
                   .directory = "/",
                   .output = output}));
  std::unique_ptr<LocalPostgres> made(new LocalPostgres(std::move(folder), server));
  const Deadline deadline = Deadline::after(sleeper.now(), start_timeout);
  for (;;) {
    postgres::Connection connection(made->url(), 2s, sleeper);
    const Status ready = connection.connect(deadline);
    if (ready) return made;
    if (!is_running(server)) return fail(Errc::unavailable, "PostgreSQL did not start: " + last_words(output));
    if (deadline.passed(sleeper.now())) return pass(ready.error().in("PostgreSQL"));
    SERIN_CHECK(sleeper.sleep_for(look_every));
  }
}

void LocalPostgres::kill() {
  static_cast<void>(send_signal(server_, SIGKILL));
  await_end();
}

LocalPostgres::~LocalPostgres() {
  // At once, without waiting for clients, and with its helper processes, each of which has a session of its own.
  static_cast<void>(send_signal(server_, SIGQUIT));
  await_end();
}

void LocalPostgres::await_end() {
  PatientSleeper sleeper;
  const Deadline deadline = Deadline::after(sleeper.now(), end_timeout);
  while (is_running(server_)) {
    if (deadline.passed(sleeper.now())) static_cast<void>(send_signal(server_, SIGKILL));
    static_cast<void>(sleeper.sleep_for(look_every));
  }
}

}  // namespace serin
