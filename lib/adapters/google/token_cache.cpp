#include "serin/google/token_cache.hpp"

#include <algorithm>

namespace serin::google {
namespace {

constexpr Duration most_beside = 60s;  // a renewal in the background takes
constexpr Duration most_in_call = 5s;  // a renewal in a caller's time takes while there is a token that lives

/// Whether it says more about who asked than about the token: the next one may have more time.
bool is_of_the_asker(Errc code) { return code == Errc::deadline_exceeded || code == Errc::cancelled; }

}  // namespace

TokenCache::TokenCache(FetchToken fetch, TokenWorld world, std::string name)
    : fetch_(std::move(fetch)), world_(world), name_(std::move(name)) {}

TokenCache::~TokenCache() {
  ending_.request_stop();
  if (beside_) world_.tasks->join(*beside_);
  const std::scoped_lock lock(mutex_);  // whoever set the event has let go of it
}

TokenCache::Turn TokenCache::turn_of(Instant now, Event& landed) {
  if (held_ && now < held_->expires) {
    if (asking_ || now < held_->renew_at || (next_try_ && now < *next_try_)) return Turn::has_token;
    next_try_ = now + spacing;
    asking_ = true;
    return Turn::ask_beside;
  }
  if (asking_) {
    waiting_.push_back(&landed);
    return Turn::wait;
  }
  asking_ = true;
  return Turn::ask_now;
}

Result<std::string> TokenCache::token(Deadline deadline, std::stop_token stop) {
  for (;;) {
    Event landed;
    Turn turn{};
    std::string old;
    {
      const Instant now = world_.sleeper.now();
      const std::scoped_lock lock(mutex_);
      turn = turn_of(now, landed);
      if (turn == Turn::has_token || turn == Turn::ask_beside) old = held_->value;
    }
    switch (turn) {
      case Turn::has_token: return old;
      case Turn::ask_beside: begin_beside(deadline, stop); return old;
      case Turn::ask_now: return ask(deadline, stop);
      case Turn::wait: break;
    }
    SERIN_CHECK(wait_for(landed, deadline, stop));
    const std::scoped_lock lock(mutex_);
    if (!held_ && failure_ && !is_of_the_asker(failure_->code())) return pass(*failure_);
  }
}

Status TokenCache::wait_for(Event& landed, Deadline deadline, const std::stop_token& stop) {
  Result<bool> woken = false;
  {
    const std::stop_callback on_stop(stop, [&landed] { landed.set(); });
    woken = world_.sleeper.wait(landed, deadline.at());
  }
  {
    const std::scoped_lock lock(mutex_);
    std::erase(waiting_, &landed);
  }
  if (!woken) return pass(woken.error());
  if (stop.stop_requested()) return fail(Errc::cancelled, "the caller gave up waiting for a token");
  if (!*woken) return fail(Errc::deadline_exceeded, "a token for " + name_ + " was asked for and has not come in time");
  return {};
}

Result<std::string> TokenCache::ask(Deadline deadline, const std::stop_token& stop) {
  const Instant asked_at = world_.sleeper.now();
  Result<FetchedToken> fetched = fetch_(deadline, stop);
  land(fetched, asked_at, nullptr);
  if (!fetched) return pass(fetched.error());
  return std::move(fetched->value);
}

void TokenCache::begin_beside(Deadline deadline, const std::stop_token& stop) {
  const Instant now = world_.sleeper.now();
  if (world_.tasks != nullptr) {
    auto ended = std::make_unique<Event>();
    Event* const last = ended.get();
    {
      // Only one renewal runs at a time, so the one before has ended: its event is nobody's any more.
      const std::scoped_lock lock(mutex_);
      std::swap(beside_, ended);
    }
    const auto renew = [this, now, last] {
      land(fetch_(Deadline::after(now, most_beside), ending_.get_token()), now, last);
    };
    if (world_.tasks->start(renew)) return;
    const std::scoped_lock lock(mutex_);
    beside_.reset();
  }
  // No thread is free: in the caller's time, but not in all of it, as there is a token already.
  const Duration may_take = std::min<Duration>(deadline.left(now) / 2, most_in_call);
  land(fetch_(Deadline::after(now, may_take), stop), now, nullptr);
}

void TokenCache::land(const Result<FetchedToken>& fetched, Instant asked_at, Event* ended) {
  if (!fetched && world_.log != nullptr && is_alive())
    Logger(*world_.log).warn("token_not_renewed", {{"of", name_}, {"error", fetched.error().text()}});
  const auto jitter = static_cast<std::int64_t>(world_.random.unit() * static_cast<double>(most_jitter.count()));
  const Instant now = world_.sleeper.now();
  // From here on in one piece: once `ended` is set and the lock is free, the cache may be gone.
  const std::scoped_lock lock(mutex_);
  asking_ = false;
  failure_.reset();
  if (fetched) {
    const Instant expires = Deadline::after(asked_at, fetched->lives).at();
    held_ = Held{fetched->value, expires, expires - slack - Duration(jitter)};
    next_try_ = asked_at + spacing;
  } else {
    failure_ = fetched.error();
    if (held_ && now >= held_->expires) held_.reset();
  }
  for (Event* const waiter : waiting_) waiter->set();
  waiting_.clear();
  if (ended != nullptr) ended->set();
}

bool TokenCache::is_alive() {
  const Instant now = world_.sleeper.now();
  const std::scoped_lock lock(mutex_);
  return held_ && now < held_->expires;
}

void TokenCache::reject(std::string_view token) {
  const Instant now = world_.sleeper.now();
  const std::scoped_lock lock(mutex_);
  if (!held_ || held_->value != token) return;
  if (rejected_at_ && now - *rejected_at_ < spacing) return;
  rejected_at_ = now;
  held_.reset();
}

}  // namespace serin::google
