#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

// What a story test needs of a shell: run a command, look at everything it said, never leave it behind.
namespace serin::story {
using namespace std::chrono_literals;

struct Outcome {
  int code = 0;  ///< exit code, or 128 + signal
  std::string out;
  std::string err;
  bool timed_out = false;
  [[nodiscard]] std::string text() const;  ///< all of it, for a failing test
};

/// A program in its own process group, its output in files. Killed with its group when the object goes.
class Process {
 public:
  Process(std::vector<std::string> argv, const std::map<std::string, std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;        ///< to the process
  void signal_group(int number) const;  ///< as Ctrl-C in a terminal does
  Outcome wait(std::chrono::seconds limit);
  [[nodiscard]] std::string err_so_far() const;

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  bool reaped_ = false;
};

Outcome run(std::vector<std::string> argv, std::chrono::seconds limit = 60s);

/// A folder that goes away with the object. Short, because unix sockets live in it.
class Folder {
 public:
  Folder();
  ~Folder();
  [[nodiscard]] std::string path() const { return path_.string(); }
  /// Writes a file into it and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// All of a file; empty when there is none.
std::string read_all(const std::filesystem::path& file);

/// Looks every 20 ms until `condition` holds or the limit passed. Returns whether it held.
bool eventually(std::chrono::seconds limit, const std::function<bool()>& condition);

/// Every living process whose command line or environment mentions `text`: what must be empty after `serin down`.
std::vector<std::string> processes_mentioning(const std::string& text);

/// Folder of the programs under test, and of the project.
std::string bin();
std::string source();

}  // namespace serin::story
