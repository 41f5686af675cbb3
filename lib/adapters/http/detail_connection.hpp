#pragma once
#include <cstdint>
#include <optional>

#include "detail_channel.hpp"
#include "detail_parser.hpp"
#include "detail_timer.hpp"

namespace serin::http {

class Call;
class Pool;

/// An open connection: idle, or with one request on it. Threads: its loop.
class Connection final : public Watcher {
 public:
  Connection(Pool& pool, Channel channel);
  /// Sends what `call` has to send, and brings it the answer.
  void start(Call& call);
  /// Goes on with a call that could not take, or not give, any more.
  void resume();
  /// The call is over; nothing is told to it any more.
  void stop() noexcept { call_ = nullptr; }
  /// No more events; the descriptor is closed.
  void close(bool politely) noexcept;
  void on_ready(std::uint32_t events) override;

  [[nodiscard]] bool is_busy() const noexcept { return call_ != nullptr; }
  [[nodiscard]] bool was_resumed() const noexcept { return channel_.was_resumed(); }
  [[nodiscard]] int served() const noexcept { return served_; }
  /// Nothing on it, and the peer has not left.
  [[nodiscard]] bool is_quiet() { return channel_.is_quiet(); }
  /// It has served a request in this very turn, so that nothing can be known that was not seen.
  [[nodiscard]] bool is_fresh() const noexcept;
  [[nodiscard]] bool is_too_old(Instant now) const noexcept { return now >= expires_; }
  [[nodiscard]] bool is_idle_too_long(Instant now) const noexcept { return now >= idle_until_; }
  void begin_idle();
  /// From an answer's Keep-Alive: nothing when it says nothing.
  void limit_idle(std::optional<Duration> announced) noexcept { announced_ = announced; }
  std::size_t index = 0;  // in the pool's list

 private:
  void flush();
  void receive(bool ends);
  void complete(bool drained);
  void broke(const Error& why);
  void on_time();

  Pool& pool_;
  Channel channel_;
  Parser parser_;
  Timer timer_;
  Call* call_ = nullptr;
  Instant expires_;
  Instant idle_until_{};
  Duration idle_limit_{};
  std::optional<Duration> announced_;
  std::uint64_t used_turn_ = 0;
  std::uint64_t generation_ = 0;  // counts requests: what calls back may find another one here
  int served_ = 0;
  bool tls_ = false;
  bool ended_ = false;     // the peer has said so
  bool readable_ = false;  // and the call could not take it
};

}  // namespace serin::http
