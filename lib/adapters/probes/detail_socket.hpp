#pragma once
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/clock.hpp"

// Blocking sockets whose every wait ends at a check's deadline, and at once when it is asked to stop.
namespace serin::probes {

/// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// What ends the waits of one run of a check. Threads: the one of the run.
class Wait {
 public:
  /// \param clock  outlives it
  Wait(const health::CheckContext& context, const Clock& clock);
  ~Wait();
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  /// Until poll() finds one of `events` on the descriptor.
  /// Errors: deadline_exceeded, cancelled (stop before the deadline), exhausted (no descriptor left).
  [[nodiscard]] Status ready(int descriptor, short events) const;
  /// The same, at most until `sooner`: false when that came first.
  [[nodiscard]] Result<bool> ready_until(int descriptor, short events, Deadline sooner) const;
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

 private:
  struct Wake {
    int event;
    void operator()() const noexcept;
  };
  const Clock& clock_;
  Deadline deadline_;
  std::stop_token stop_;
  Descriptor event_;
  std::optional<std::stop_callback<Wake>> wake_;
};

/// A peer as text: "127.0.0.1", "::1", "db.example", and a port from 1 to 65535.
struct Peer {
  std::string host;
  int port = 0;
  /// "db.example:5432", "[::1]:5432".
  [[nodiscard]] std::string text() const;
};
/// Errors: invalid_argument, naming what is wrong with it.
Status check_peer(const Peer& peer);

/// Looks the name up and connects; tries the addresses in turn.
/// Errors: not_found (no such name), unavailable (refused, unreachable), deadline_exceeded, cancelled, exhausted.
Result<Descriptor> dial(const Peer& peer, const Wait& wait);
/// Errors: unavailable (reset), deadline_exceeded, cancelled.
Status send_all(const Descriptor& socket, std::string_view bytes, const Wait& wait);
/// Adds what came to `buffer`. Errors: unavailable (closed, reset), deadline_exceeded, cancelled.
Status receive_some(const Descriptor& socket, std::string& buffer, const Wait& wait);

/// An error as an answer: cancelled and internal say nothing about the peer, so they are unknown; all others are down.
[[nodiscard]] health::CheckAnswer answer_of(const Error& error, std::vector<LogField> details = {});

}  // namespace serin::probes
