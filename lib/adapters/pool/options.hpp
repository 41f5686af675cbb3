#pragma once
#include <cstdint>
#include <string>

#include "serin/base/checked.hpp"
#include "serin/base/time.hpp"

namespace serin::pool {

/// Who does what falls due: making, closing, checking, ageing.
enum class Upkeep : std::uint8_t {
  own_threads,  ///< one thread that watches, and up to `creators` + 1 that exist only while there is work for them
  by_hand,      ///< whoever calls sweep(), on the caller's thread: for tests, and programs that want no thread
};

/// What becomes of those who wait when a creation fails and there is nothing that could come back.
enum class WhenDown : std::uint8_t {
  wait,  ///< for the next attempt, until their time is over
  fail,  ///< they get that failure: it is no use to wait for what is down. Who comes later waits for the next attempt
};

struct Options {
  std::string name;                  ///< of one of the things, "database connection"; errors and log lines say it
  int max = 10;                      ///< there at once, those being made and closed included; 1 to 4096
  int min_idle = 0;                  ///< kept ready; 0 to max. Equal to max: a pool of a fixed size
  int creators = 2;                  ///< creations at once; 1 to 16
  Duration borrow_timeout = 30s;     ///< a borrower waits at most this long, and never past its own deadline; > 0
  int wait_queue = 200;              ///< borrowers that may wait; one more is refused; 0 to 100000
  Duration create_timeout = 30s;     ///< the deadline that a creation is given; > 0
  Duration max_lifetime = 30min;     ///< less U(0, 10 %), drawn for each one; 0: none, else >= 10ms
  Duration idle_timeout = 10min;     ///< as max_lifetime, for what is above min_idle
  Duration validate_after = 500ms;   ///< asked whether it lives before it is lent if unused for so long; >= 0
  Duration validation_timeout = 5s;  ///< of that question, within the caller's deadline; > 0
  Duration keepalive = 0s;           ///< asked while idle, every so often less U(0, 10 %); 0: never, else >= 30 s
  Duration leak_after = 0s;          ///< held longer than this is reported; 0: never, else >= 2 s
  Duration sweep_every = 10s;        ///< how often ages are looked at; 10 ms to 10 min
  Duration first_backoff = 10ms;     ///< after a failed creation; doubles with each further one; >= 1 ms
  Duration most_backoff = 5s;        ///< and no longer than this; >= first_backoff
  WhenDown when_down = WhenDown::wait;
  Upkeep upkeep = Upkeep::own_threads;
};

constexpr Wrongs wrongs(const Options& options) {
  Wrongs out;
  const auto zero_or = [](Duration value, Duration least) { return value == Duration::zero() || value >= least; };
  out.unless(!options.name.empty(), "name", "must not be empty");
  out.unless(options.max >= 1 && options.max <= 4096, "max", "must be from 1 to 4096", options.max);
  out.unless(options.min_idle >= 0 && options.min_idle <= options.max, "min_idle", "must be from 0 to max",
             options.min_idle);
  out.unless(options.creators >= 1 && options.creators <= 16, "creators", "must be from 1 to 16", options.creators);
  out.unless(options.borrow_timeout > 0s, "borrow_timeout", "must be above 0", options.borrow_timeout);
  out.unless(options.wait_queue >= 0 && options.wait_queue <= 100'000, "wait_queue", "must be from 0 to 100000",
             options.wait_queue);
  out.unless(options.create_timeout > 0s, "create_timeout", "must be above 0", options.create_timeout);
  out.unless(zero_or(options.max_lifetime, 10ms), "max_lifetime", "must be 0 or at least 10ms", options.max_lifetime);
  out.unless(zero_or(options.idle_timeout, 10ms), "idle_timeout", "must be 0 or at least 10ms", options.idle_timeout);
  out.unless(options.validate_after >= 0s, "validate_after", "must not be negative", options.validate_after);
  out.unless(options.validation_timeout > 0s, "validation_timeout", "must be above 0", options.validation_timeout);
  out.unless(zero_or(options.keepalive, 30s), "keepalive", "must be 0 or at least 30s", options.keepalive);
  out.unless(zero_or(options.leak_after, 2s), "leak_after", "must be 0 or at least 2s", options.leak_after);
  out.unless(options.sweep_every >= 10ms && options.sweep_every <= 10min, "sweep_every", "must be from 10ms to 10m",
             options.sweep_every);
  out.unless(options.first_backoff >= 1ms, "first_backoff", "must be at least 1ms", options.first_backoff);
  out.unless(options.most_backoff >= options.first_backoff, "most_backoff", "must be at least first_backoff",
             options.most_backoff);
  return out;
}

}  // namespace serin::pool
