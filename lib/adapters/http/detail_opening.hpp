#pragma once
#include <memory>
#include <string>
#include <vector>

#include "detail_channel.hpp"
#include "detail_dns.hpp"
#include "detail_parser.hpp"
#include "detail_timer.hpp"

namespace serin::http {

class Call;
class Connection;
class Pool;

/// A connection on its way: name, addresses side by side, a proxy's tunnel, TLS. Tells its pool once, unless it is
/// given up before. Threads: its loop.
class Opening final : public Watcher, Receiver {
 public:
  /// \param bound  the one call it is for; otherwise it is for whoever is first in the line
  Opening(Pool& pool, Call* bound);
  ~Opening() override;
  void start();
  /// Nobody wants it any more.
  void stop();
  void on_ready(std::uint32_t events) override;
  [[nodiscard]] Call* bound() const noexcept { return bound_; }
  [[nodiscard]] Instant until() const noexcept { return until_; }

 private:
  struct Racer;
  enum class Phase : std::uint8_t { resolving, racing, tunnel, handshake, over };

  void on_names(const Result<std::vector<Address>>& found);
  void race();
  void start_next();
  void on_racer(Racer& racer, int error);
  void connected(Socket socket);
  void step_tunnel();
  void begin_tls();
  void step_tls();
  void succeed();
  void give_up(Errc code, std::string_view why);
  Status on_head(HttpResponse head) override;
  Status on_body(std::string_view) override { return {}; }

  Pool& pool_;
  Call* bound_;
  Phase phase_ = Phase::resolving;
  Instant until_{};
  Timer limit_;
  Timer head_start_;
  std::shared_ptr<int> alive_;  // what a lookup's end looks at, on this loop's thread
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Racer>> racers_;
  std::string last_failure_;
  Channel channel_;
  Parser parser_;
  std::string out_;  // to the proxy
  int proxy_status_ = 0;
};

}  // namespace serin::http
