#include "detail_loop.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

namespace serin::http {
namespace {

void close_if_open(int number) noexcept {
  if (number >= 0) ::close(number);
}

}  // namespace

std::size_t OpenSockets::add(int number) {
  if (number < 0 || free_.empty()) return numbers_.size();
  const std::size_t slot = free_.back();
  free_.pop_back();
  numbers_[slot].store(number, std::memory_order_relaxed);
  return slot;
}
void OpenSockets::remove(std::size_t slot) {
  if (slot == numbers_.size()) return;
  numbers_[slot].store(-1, std::memory_order_relaxed);
  free_.push_back(slot);
}
void OpenSockets::close_all() noexcept {
  for (auto& one : numbers_)
    if (const int number = one.exchange(-1, std::memory_order_relaxed); number >= 0) ::close(number);
}

Socket::~Socket() {
  if (number_ < 0) return;
  open_->remove(slot_);
  ::close(number_);
}

Loop::Loop(const Clock& clock, std::size_t most_sockets)
    : clock_(clock), sockets_(most_sockets), scratch_(std::size_t{64} << 10) {}

Loop::~Loop() {
  stop();
  close_if_open(wake_);
  close_if_open(epoll_);
}

std::unexpected<Error> Loop::not_started(std::string_view why) {
  close_if_open(std::exchange(wake_, -1));
  close_if_open(std::exchange(epoll_, -1));
  return fail(Errc::exhausted, fmt::format("the HTTP client's loop: {}", why));
}

Status Loop::start() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (epoll_ < 0 || wake_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0)
    return not_started(std::strerror(errno));
  // A signal is for the program's own threads. Blocked here, also SIGPIPE: OpenSSL writes without MSG_NOSIGNAL.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Status started;
  try {
    // Whoever the thread calls back may ask is_here(): so not before thread_ is there.
    const std::lock_guard lock(mutex_);
    thread_ = std::jthread([this] {
      { const std::lock_guard there(mutex_); }
      run();
    });
  } catch (const std::system_error& error) {
    started = not_started(error.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
  thread_.join();
}

void Loop::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    posted_.push_back(std::move(task));
    if (posted_.size() > 1) return;  // the loop knows already
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

bool Loop::watch(int number, Watcher& watcher) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watcher}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, number, &event) == 0;
}
void Loop::rewatch(int number, Watcher& watcher) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watcher}};
  SERIN_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_MOD, number, &event) == 0);
}

void Loop::close_copies() noexcept {
  sockets_.close_all();
  close_if_open(wake_);
  close_if_open(epoll_);
}

void Loop::run_tasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
  // Those that they add have their turn after the sockets.
  std::deque<Task> now = std::exchange(later_, {});
  for (Task& task : now) task();
  buried_.clear();
}

void Loop::run() {
  constexpr int batch = 64;
  std::array<epoll_event, batch> events;
  now_ = clock_.now();
  for (;;) {
    run_tasks();
    bool asleep = true;
    {
      const std::lock_guard lock(mutex_);
      if (!posted_.empty()) asleep = false;
      if (ending_ && posted_.empty() && later_.empty()) return;
    }
    int wait = 0;
    if (asleep && later_.empty()) {
      now_ = clock_.now();  // whoever was called back may have taken long
      const Instant next = timers_.next();
      constexpr Duration longest = 60s;
      // Rounded up: a timer that is asked for too early would make the loop turn until it is due.
      wait = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(
                                  next <= now_ ? Duration::zero() : std::min<Duration>(next - now_, longest))
                                  .count());
    }
    const int count = epoll_wait(epoll_, events.data(), batch, wait);
    now_ = clock_.now();
    for (int i = 0; i < count; ++i) {
      ++turn_;
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      // Null: somebody has posted. The counter need not be read: being told of every change, one is told of the next.
      if (event.data.ptr != nullptr) static_cast<Watcher*>(event.data.ptr)->on_ready(event.events);
    }
    ++turn_;
    timers_.run(now_);
  }
}

}  // namespace serin::http
