#include <condition_variable>
#include <mutex>
#include <thread>

#include "clients.hpp"
#include "serin/http/session.hpp"

namespace serin::bench_http {
namespace {

std::unique_ptr<http::Session> session_for(const Load& load, const Clock& clock) {
  return http::Session::make({.per_origin = static_cast<std::size_t>(load.concurrency)}, clock).value();
}
std::string origin_of(const Load& load) { return "http://127.0.0.1:" + std::to_string(load.port); }

/// As many requests on their way as there are connections, each begun where another ended.
struct Crowd {
  Crowd(const Load& load, http::Session& given) : watch(load), session(given), origin(origin_of(load)) {}
  void next() {
    if (!watch.take()) {
      const std::lock_guard lock(mutex);
      --busy;
      changed.notify_one();
      return;
    }
    const Instant began = watch.now();
    session.send_async({.origin = origin}, [this, began](const Result<http::Answer>& answer) {
      watch.done(began, answer && answer->response.body.size() == body_size);
      next();
    });
  }
  Stopwatch watch;
  http::Session& session;
  std::string origin;
  std::mutex mutex;
  std::condition_variable changed;
  int busy = 0;
};

}  // namespace

Took ours_async(const Load& load) {
  const SystemClock clock;
  const auto session = session_for(load, clock);
  Crowd crowd(load, *session);
  crowd.busy = load.concurrency;
  // The first ones from the loop's own thread, as the others.
  session->send_async({.origin = crowd.origin}, [&](const Result<http::Answer>&) {
    for (int i = 0; i < load.concurrency; ++i) crowd.next();
  });
  std::unique_lock lock(crowd.mutex);
  crowd.changed.wait(lock, [&] { return crowd.busy == 0; });
  return crowd.watch.finish();
}

Took ours_blocking(const Load& load) {
  const SystemClock clock;
  const auto session = session_for(load, clock);
  std::mutex mutex;
  Stopwatch watch(load);
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < load.concurrency; ++i)
      callers.emplace_back([&] {
        for (;;) {
          {
            const std::lock_guard lock(mutex);
            if (!watch.take()) return;
          }
          const Instant began = watch.now();
          const auto answer = session->send(origin_of(load), {}, Deadline::never());
          const std::lock_guard lock(mutex);
          watch.done(began, answer && answer->body.size() == body_size);
        }
      });
  }
  return watch.finish();
}

}  // namespace serin::bench_http
