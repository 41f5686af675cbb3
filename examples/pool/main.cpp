// Connections that are lent to one caller each: eight callers, two connections, and a server that closes one of them.
#include <fmt/format.h>

#include <atomic>
#include <thread>
#include <vector>

#include "serin/pool/pool.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/random.hpp"

using namespace serin;

namespace {

/// Stands for yours: a client that somebody else wrote.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(std::atomic<int>& opened) {
    ++opened;
    return std::make_unique<Connection>();
  }
  [[nodiscard]] Status ping() const { return alive_ ? Status() : fail(Errc::unavailable, "closed by the server"); }
  Result<int> ask(bool last) {
    SERIN_CHECK(ping());
    if (last) alive_ = false;  // the server goes away after this answer
    return 42;
  }

 private:
  bool alive_ = true;
};

}  // namespace

int main() {
  PatientSleeper sleeper;
  SystemRandom random;
  std::atomic<int> opened = 0;
  std::atomic<int> served = 0;
  // snippet
  pool::Factory<Connection> factory;
  factory.create = [&](Deadline, const std::stop_token&) { return Connection::open(opened); };
  factory.validate = [](Connection& connection, Duration, Deadline) { return connection.ping(); };
  const auto connections =
      pool::Pool<Connection>::make({.name = "connection", .max = 2, .min_idle = 2, .validate_after = 0s},
                                   std::move(factory), sleeper, random)
          .value();
  const Status ready = connections->warm_up(2, Deadline::after(sleeper.now(), 5s));
  // snippet
  if (!ready) return 1;
  const auto call = [&](int number) -> Status {
    const std::stop_token stop;
    // snippet
    SERIN_TRY(auto connection, connections->borrow(Deadline::after(sleeper.now(), 2s), stop));
    const auto answer = connection->ask(number == 0);
    if (!answer) connection.poison(answer.error().text());  // closed when it comes back, and the others are asked
    // snippet
    served += answer ? 1 : 0;
    return {};
  };
  static_cast<void>(call(0));
  {
    std::vector<std::jthread> callers;
    for (int i = 1; i < 8; ++i) callers.emplace_back([&, i] { static_cast<void>(call(i)); });
  }
  // snippet
  const pool::Stats stats = connections->stats();
  // snippet
  fmt::print("{} of 8 callers were served, {} dead connection was found and lent to nobody\n", served.load(),
             stats.closed_dead);
  // snippet
  const Status ended = connections->close(Deadline::after(sleeper.now(), 5s));
  // snippet
  return ended && opened >= 2 ? 0 : 1;
}
