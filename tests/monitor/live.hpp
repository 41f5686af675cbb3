#pragma once
#include <boost/json.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fleet_under_test.hpp"
#include "serin/beast/http_server.hpp"
#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"

namespace serin::monitor {

namespace json = boost::json;
using namespace std::chrono_literals;

/// One alert as a notification told it.
struct Told {
  std::string alert;
  std::string service;
  std::string status;  ///< firing or resolved
  WallTime starts;
  WallTime ends;      ///< of a resolved one
  WallTime received;  ///< by our clock
};

/// Where Alertmanager's notifications arrive. Threads: any.
class Webhook final : public HttpHandler {
 public:
  explicit Webhook(const Clock& clock);
  [[nodiscard]] std::string url() const;
  /// The first one of that kind that arrived at or after `since`.
  [[nodiscard]] std::optional<Told> find(const std::string& alert, const std::string& service,
                                         const std::string& status, WallTime since) const;
  /// Whether the last word on every alert is that it is over.
  [[nodiscard]] bool is_all_resolved() const;
  [[nodiscard]] std::string all() const;  ///< for a failing test

  [[nodiscard]] bool is_immediate(const HttpRequest&) const noexcept override { return true; }
  HttpResponse handle(const HttpRequest& request) override;

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Told> told_;              // guarded by mutex_
  std::unique_ptr<HttpServer> server_;  // last: it uses all of the above
};

/// Prometheus or Alertmanager as a child, on a port that the kernel chose; ended in order with the object.
class Daemon {
 public:
  explicit Daemon(std::vector<std::string> command);
  ~Daemon();
  /// "127.0.0.1:PORT"; empty when it did not come up.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::string log() const { return process_.err_so_far(); }

 private:
  story::Process process_;
  std::string address_;
};

/// The reference fleet, watched by Prometheus and Alertmanager as `serin monitor apply` sets them up.
class Watched {
 public:
  Watched();
  [[nodiscard]] bool is_up() const { return prometheus && !prometheus->address().empty(); }
  /// Writes the catalogue with such a time until a service is down, and `serin monitor WORDS`.
  void write_catalogue(const std::string& absent_for);
  [[nodiscard]] story::Outcome monitor(std::vector<std::string> words) const;
  /// GET: the JSON of an answer of 200; null for anything else.
  [[nodiscard]] json::value ask(const std::string& address, const std::string& path);
  /// The series of a query: what stands at "result".
  [[nodiscard]] json::array query(const std::string& promql);
  /// One request of a user; any answer is one.
  void predict();
  void set_fault(const std::string& line) const;

  story::Fleet fleet;
  story::Folder folder;
  PatientSleeper clock;
  http::Session session{clock};
  Webhook webhook{clock};
  std::string url;  ///< of the mlb-worker
  std::unique_ptr<Daemon> alertmanager;
  std::unique_ptr<Daemon> prometheus;
};

}  // namespace serin::monitor
