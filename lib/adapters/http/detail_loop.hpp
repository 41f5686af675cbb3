#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "detail_timer.hpp"
#include "serin/ports/clock.hpp"

// One thread that waits for many sockets. Not Asio's: a kept connection stays registered, edge-triggered, for its whole
// life, so that a request costs send, epoll_wait and recv and nothing else.
namespace serin::http {

/// What a socket belongs to. Threads: its loop.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// \param events  of epoll. Told of every change, so it reads until there is nothing left, or less than it asked for.
  virtual void on_ready(std::uint32_t events) = 0;
};

/// The descriptors of a session's sockets, so that a forked child can close its copies of them.
class OpenSockets {
 public:
  explicit OpenSockets(std::size_t most) : numbers_(most) {
    for (auto& one : numbers_) one = -1;
    for (std::size_t slot = most; slot-- > 0;) free_.push_back(slot);
  }
  std::size_t add(int number);
  void remove(std::size_t slot);
  /// In the child alone. Closes, and says nothing to any peer.
  void close_all() noexcept;

 private:
  std::vector<std::atomic<int>> numbers_;
  std::vector<std::size_t> free_;
};

/// A descriptor with an owner. Threads: its loop.
class Socket {
 public:
  Socket() = default;
  Socket(int number, OpenSockets& open) : number_(number), open_(&open), slot_(open.add(number)) {}
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)), open_(other.open_), slot_(other.slot_) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(open_, other.open_);
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~Socket();
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_ = -1;
  OpenSockets* open_ = nullptr;
  std::size_t slot_ = 0;
};

using Task = std::move_only_function<void()>;

class Loop {
 public:
  Loop(const Clock& clock, std::size_t most_sockets);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Starts the thread; after a failure it may be called again. Errors: exhausted (no descriptor or no thread left).
  Status start();
  /// Ends the thread after what was posted before. Idempotent.
  void stop();
  /// Threads: any. What is posted after the end is not run.
  void post(Task task);
  [[nodiscard]] bool is_running() const noexcept { return thread_.joinable(); }
  [[nodiscard]] bool is_here() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

  // The rest: its thread.
  /// False: the kernel has no room for it; errno says why.
  [[nodiscard]] bool watch(int number, Watcher& watcher);
  void rewatch(int number, Watcher& watcher);
  /// Later in this turn, after everything that runs now.
  void later(Task task) { later_.push_back(std::move(task)); }
  /// Keeps what may still be called in this turn until the turn is over.
  void bury(std::unique_ptr<Watcher> watcher) { buried_.push_back(std::move(watcher)); }
  [[nodiscard]] Timers& timers() noexcept { return timers_; }
  [[nodiscard]] OpenSockets& sockets() noexcept { return sockets_; }
  [[nodiscard]] Instant now() const noexcept { return now_; }
  [[nodiscard]] WallTime wall() const { return clock_.wall(); }
  /// Counts up with everything that happens.
  [[nodiscard]] std::uint64_t turn() const noexcept { return turn_; }
  /// Where all connections read to, one after the other.
  [[nodiscard]] std::span<char> scratch() noexcept { return scratch_; }
  /// In a forked child: closes the copies of its descriptors.
  void close_copies() noexcept;

 private:
  std::unexpected<Error> not_started(std::string_view why);
  void run();
  void run_tasks();

  const Clock& clock_;
  int epoll_ = -1;
  int wake_ = -1;
  OpenSockets sockets_;
  Timers timers_;
  std::vector<char> scratch_;
  std::deque<Task> later_;
  std::vector<std::unique_ptr<Watcher>> buried_;
  Instant now_{};
  std::uint64_t turn_ = 0;
  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
  bool ending_ = false;       // guarded by mutex_
  std::jthread thread_;
};

}  // namespace serin::http
