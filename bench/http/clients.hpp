#pragma once
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "serin/system/clock.hpp"

// The clients that are compared. Each makes the same requests, one after the other on each of its connections, and
// copies what it gets: status, header fields, body.
namespace serin::bench_http {

struct Load {
  std::uint16_t port = 0;
  int concurrency = 1;
  int requests = 1000;
};
struct Took {
  std::vector<std::int64_t> latencies;  ///< ns, one a request
  double seconds = 0;
  double cpu_seconds = 0;  ///< user and system, of the process
  std::int64_t wrong = 0;  ///< answers that were none
};

constexpr std::size_t body_size = 512;  ///< of every answer

struct Client {
  const char* name;
  Took (*run)(const Load&);
};
[[nodiscard]] std::span<const Client> clients();

Took ours_async(const Load& load);
Took ours_blocking(const Load& load);
Took beast_by_hand(const Load& load);
Took curl_easy(const Load& load);
Took curl_multi(const Load& load);
Took no_pooling(const Load& load);

/// Prints its port, answers until its standard input ends. "/stats" says how many connections and requests there were.
int serve();

/// Times a run: a tenth of the requests first, which do not count.
class Stopwatch {
 public:
  explicit Stopwatch(const Load& load)
      : left_(load.requests), warming_(std::max(load.requests / 10, load.concurrency)) {
    took_.latencies.reserve(static_cast<std::size_t>(load.requests));
  }
  /// One more may be sent; false: enough were.
  [[nodiscard]] bool take() {
    if (warming_ > 0) return true;
    return left_-- > 0;
  }
  [[nodiscard]] Instant now() const { return clock_.now(); }
  /// One came back.
  void done(Instant began, bool good) {
    if (!good) ++took_.wrong;
    if (warming_ > 0) {
      if (--warming_ == 0) {
        began_ = clock_.now();
        cpu_ = cpu_seconds();
      }
      return;
    }
    if (began >= began_) took_.latencies.push_back((clock_.now() - began).count());
  }
  [[nodiscard]] Took finish() {
    took_.seconds = seconds_of(clock_.now() - began_);
    took_.cpu_seconds = cpu_seconds() - cpu_;
    return std::move(took_);
  }

 private:
  static double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto of = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
  }
  SystemClock clock_;
  Took took_;
  int left_;
  int warming_;
  Instant began_{};
  double cpu_ = 0;
};

}  // namespace serin::bench_http
