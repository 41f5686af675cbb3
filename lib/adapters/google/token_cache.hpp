#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "serin/google/token_source.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/log.hpp"
#include "serin/ports/random.hpp"
#include "serin/ports/tasks.hpp"

namespace serin::google {

struct FetchedToken {
  std::string value;
  Duration lives{};  ///< from when it was asked for
};
/// Asks for a new token, blocking. Called by one thread at a time.
using FetchToken = std::function<Result<FetchedToken>(Deadline, std::stop_token)>;

/// What a cache needs of the world. All of it outlives the cache.
struct TokenWorld {
  Sleeper& sleeper;
  Random& random;
  Tasks* tasks = nullptr;  ///< renews in the background; null: a caller does it, who waits for it
  LogSink* log = nullptr;  ///< hears of renewals that failed
};

/// One token for everybody, renewed before it ends. With less than 300 s left (and up to 30 s more, so that the
/// processes of a machine do not all ask at once) one renewal runs in the background while everybody gets the old one;
/// that it fails is no error while the old one lives, and the next try comes 10 s later at the earliest. Without a
/// token that lives, one caller asks and all wait for it. The steady clock measures: a calendar that jumps changes
/// nothing. Threads: any.
class TokenCache final : public TokenSource {
 public:
  /// \param name  in the log: "service account a@b"
  TokenCache(FetchToken fetch, TokenWorld world, std::string name);
  /// Stops a renewal in the background and waits for its end.
  ~TokenCache() override;
  /// Errors: those of the fetch; deadline_exceeded and cancelled, while somebody else is still asking.
  Result<std::string> token(Deadline deadline, std::stop_token stop) override;
  /// Forgets the token if it is still the one; at most once in 10 s, so that a service which refuses every token does
  /// not turn each call into a new token.
  void reject(std::string_view token) override;

  static constexpr Duration slack = 300s;  ///< that a token should still live
  static constexpr Duration most_jitter = 30s;
  static constexpr Duration spacing = 10s;  ///< between tries while a token lives, and between rejections

 private:
  struct Held {
    std::string value;
    Instant expires;
    Instant renew_at;
  };
  enum class Turn { has_token, ask_beside, ask_now, wait };
  Turn turn_of(Instant now, Event& landed);
  void begin_beside(Deadline deadline, const std::stop_token& stop);
  Result<std::string> ask(Deadline deadline, const std::stop_token& stop);
  Status wait_for(Event& landed, Deadline deadline, const std::stop_token& stop);
  bool is_alive();
  void land(const Result<FetchedToken>& fetched, Instant asked_at, Event* ended);

  FetchToken fetch_;
  TokenWorld world_;
  std::string name_;
  std::stop_source ending_;
  std::mutex mutex_;
  std::optional<Held> held_;         // guarded by mutex_, like the rest
  std::optional<Instant> next_try_;  // not sooner, while a token lives
  std::optional<Instant> rejected_at_;
  bool asking_ = false;            // somebody is
  std::vector<Event*> waiting_;    // for who is asking; each is its waiter's
  std::optional<Error> failure_;   // of the last who asked
  std::unique_ptr<Event> beside_;  // set at the end of the renewal in the background that began last
};

}  // namespace serin::google
