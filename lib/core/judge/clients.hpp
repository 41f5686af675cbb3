#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "serin/judge/likelihood.hpp"

namespace serin::judge {

enum class Arm : std::uint8_t { canary, baseline };

/// Counts clients instead of requests, so that one that tries again and again is one trouble. In each bucket a client
/// counts once, as failed if one of its requests did; after a failure it does not count again for `memory` buckets,
/// neither as good nor as bad. So every failure comes from a client that was at risk, which is what a likelihood of
/// rates needs (a discrete hazard: Kalbfleisch, Prentice, "The Statistical Analysis of Failure Time Data", 2002, 2.4).
/// Threads: one; pure.
class ClientCounter {
 public:
  struct Options {
    std::int64_t memory = 300;             ///< buckets, >= 1
    std::size_t most_clients = 1'000'000;  ///< further ones are not counted, and `overflowed` says so
  };
  explicit ClientCounter(Options options) : options_(options) {}
  ClientCounter() : ClientCounter(Options{}) {}

  /// One request of the bucket. `client`: a hash of whatever names it, per arm it is another one.
  void add(std::uint64_t client, Arm arm, bool failed);
  /// Ends the bucket and gives its clients.
  [[nodiscard]] Bucket close();
  /// Different clients of the canary that ever failed.
  [[nodiscard]] std::int64_t failed_clients() const noexcept { return failed_clients_; }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

 private:
  struct Client {
    std::int64_t seen = -1;  // bucket
    std::int64_t failed = -1;
    bool ever_failed = false;
  };
  Options options_;
  std::unordered_map<std::uint64_t, Client> canary_;
  std::unordered_map<std::uint64_t, Client> baseline_;
  Bucket now_;
  std::int64_t bucket_ = 0;
  std::int64_t failed_clients_ = 0;
  bool overflowed_ = false;
};

}  // namespace serin::judge
