#pragma once
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>

#include "api.hpp"

// Private to the module.
namespace serin::google_emulator {

/// What goes wrong on purpose, and what was asked: POST, GET and DELETE of /emulator/faults and /emulator/requests.
/// Threads: any.
class Faults {
 public:
  struct Fault {
    std::string method = "*";
    std::string path = "*";  ///< '*' stands for anything, also for several segments
    std::int64_t skip = 0;   ///< requests that fit and pass first
    std::int64_t count = 1;  ///< requests that are hit; -1: all
    int status = 0;          ///< 0: the request is served
    std::string reason;
    std::string message = "staged by a fault";
    std::optional<std::string> body;      ///< instead of Google's error
    double retry_after = 0;               ///< seconds; 0: none
    Duration delay{};                     ///< before anything else
    std::string close;                    ///< "before" or "after" the request is served: no answer
    std::optional<std::size_t> truncate;  ///< bytes of the answer's body that are still sent
    int pending = 0;                      ///< BigQuery: answers of the job that say "not complete"
    std::int64_t hits = 0;
  };

  /// Answers /emulator/...; nothing for other paths.
  [[nodiscard]] std::optional<HttpResponse> admin(const HttpRequest& request);
  void log(const HttpRequest& request, std::string_view body);
  /// The first fault that fits, and counts it.
  [[nodiscard]] std::optional<Fault> hit(std::string_view method, std::string_view path);

 private:
  HttpResponse add(const HttpRequest& request);
  HttpResponse faults();
  HttpResponse requests();
  std::mutex mutex_;
  std::list<Fault> faults_;            // guarded by mutex_
  std::deque<json::object> requests_;  // guarded by mutex_; the last ones
};

/// The error that a fault answers with.
[[nodiscard]] HttpResponse answer_of(const Faults::Fault& fault);

}  // namespace serin::google_emulator
