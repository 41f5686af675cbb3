#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "detail_cookies.hpp"
#include "detail_dns.hpp"
#include "detail_loop.hpp"
#include "detail_proxy.hpp"
#include "detail_tls.hpp"
#include "detail_url.hpp"
#include "serin/http/session.hpp"
#include "serin/system/random.hpp"

// What all loops of a session share, and what one of them has of its own.
namespace serin::http {

class Call;
class Pool;

/// A number that one thread changes and any may read.
class Count {
 public:
  void add(std::int64_t by) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

/// OriginStats as they are counted. Written by its loop; threads that read: any.
struct Tally {
  explicit Tally(std::string name) : origin(std::move(name)) {}
  const std::string origin;
  Count requests, opened, failed, reused, handshakes, resumed, resends, ambiguous, refused;
  Count waiting, opening, in_use, leases, idle;
  std::array<Count, close_reasons> closed;
};

struct Shared {
  Shared(SessionOptions chosen, const Clock& given);
  /// Made when the first https origin is asked for. Errors: as TlsContext::make(). Threads: any.
  [[nodiscard]] Result<const TlsContext*> tls();
  /// Between 0 and options.jitter of a duration, taken off it.
  [[nodiscard]] Duration shortened(Duration duration);

  const SessionOptions options;
  const Clock& clock;
  SystemRandom random;
  const ProxyRules proxies;
  CookieJar jar;
  std::atomic<std::size_t> connections = 0;  // open or being opened, to all origins
  std::atomic<int> starving = 0;             // pools that wait for a place among them
  std::vector<std::unique_ptr<class Hub>> hubs;
  // After the hubs: its threads tell them what they found, and end before them.
  Names names;
  std::mutex mutex;
  std::vector<std::shared_ptr<Tally>> tallies;  // guarded by mutex
  std::optional<TlsContext> context;            // guarded by mutex; never changed once there
};

/// One loop, the origins that belong to it, and the requests on their way. Threads: its loop.
class Hub {
 public:
  Hub(Shared& shared, std::size_t index);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  [[nodiscard]] Shared& shared() noexcept { return shared_; }
  [[nodiscard]] Loop& loop() noexcept { return loop_; }
  [[nodiscard]] Pool& pool(const Origin& origin);
  /// The loop whose origin it is; maybe this one.
  [[nodiscard]] Hub& home(const Origin& origin);

  void add(std::shared_ptr<Call> call);
  void remove(Call& call);
  /// Ends everything.
  void end();
  [[nodiscard]] bool is_ending() const noexcept { return ending_; }

  /// A place among the session's connections; takes that of one nobody uses, if need be. False: none, and `pool` is
  /// told when there may be one.
  [[nodiscard]] bool reserve(Pool& pool);
  void unreserve();
  void forget_starving(Pool& pool);
  /// A pool of another loop needs a place.
  void make_room();
  void feed_starving();

 private:
  [[nodiscard]] bool close_oldest_idle();
  void forget_unused();

  Shared& shared_;
  Loop loop_;
  std::unordered_map<std::string, std::unique_ptr<Pool>> pools_;
  std::vector<Pool*> starving_;
  std::vector<std::shared_ptr<Call>> calls_;
  bool ending_ = false;
};

}  // namespace serin::http
