#include "detail_pool.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "detail_call.hpp"

namespace serin::http {

Pool::Pool(Hub& hub, Origin origin, std::shared_ptr<Tally> tally)
    : hub_(hub), origin_(std::move(origin)), proxy_(hub.shared().proxies.find(origin_)), tally_(std::move(tally)) {}
Pool::~Pool() = default;

Status Pool::admit(Call& call) {
  if (ending_) return fail(Errc::cancelled, "the session ends");
  if (waiting_.empty())
    if (Connection* connection = take_idle(call)) {
      grant(call, *connection);
      return {};
    }
  const std::size_t limit = hub_.shared().options.queue;
  if (waiting_.size() >= limit + unbound() && !has_place()) {
    tally_->refused.add(1);
    return fail(Errc::rejected, fmt::format("{}: {} requests wait for a connection already; nothing was sent",
                                            origin_.name, waiting_.size()));
  }
  call.place = waiting_.insert(waiting_.end(), &call);
  tally_->waiting.add(1);
  open_more();
  return {};
}

void Pool::withdraw(Call& call) {
  waiting_.erase(call.place);
  tally_->waiting.add(-1);
  std::size_t warming = 0;
  for (const Warming& one : warming_) warming = std::max(warming, one.count);
  // The youngest first: the others are nearer to be of use.
  while (unbound() > waiting_.size() + warming) {
    const auto last = std::ranges::find_if(openings_.rbegin(), openings_.rend(),
                                           [](const auto& one) { return one->bound() == nullptr; });
    (*last)->stop();
    hub_.loop().bury(std::move(*last));
    openings_.erase(std::next(last).base());
    tally_->opening.add(-1);
    hub_.unreserve();
  }
  if (waiting_.empty()) hub_.forget_starving(*this);
}

std::optional<Instant> Pool::opening_until(const Call& call) const {
  std::size_t before = 0;
  for (auto one = waiting_.begin(); one != waiting_.end() && *one != &call; ++one) ++before;
  for (const auto& opening : openings_)
    if (opening->bound() == nullptr && before-- == 0) return opening->until();
  return {};
}

Connection* Pool::take_idle(const Call& call) {
  while (!idle_.empty()) {
    Connection* connection = idle_.back();
    const Instant now = hub_.loop().now();
    const bool known = connection->is_fresh() && call.may_resend();
    if (connection->is_too_old(now)) {
      drop_idle(*connection, CloseReason::lifetime);
    } else if (connection->is_idle_too_long(now)) {
      drop_idle(*connection, CloseReason::idle);
    } else if (!known && !connection->is_quiet()) {
      drop_idle(*connection, CloseReason::peer);
    } else {
      idle_.pop_back();
      tally_->idle.add(-1);
      return connection;
    }
  }
  return nullptr;
}

void Pool::grant(Call& call, Connection& connection) {
  tally_->in_use.add(1);
  if (connection.served() != 0) tally_->reused.add(1);
  call.granted(Lease(*this, connection));
}

void Pool::grant_front(Connection& connection) {
  Call& call = *waiting_.front();
  waiting_.pop_front();
  tally_->waiting.add(-1);
  if (waiting_.empty()) hub_.forget_starving(*this);
  grant(call, connection);
}

void Pool::returned(Connection& connection, std::optional<CloseReason> reason) {
  tally_->in_use.add(-1);
  connection.stop();
  if (!reason && connection.is_too_old(hub_.loop().now())) reason = CloseReason::lifetime;
  if (!reason && waiting_.empty() && hub_.shared().starving.load(std::memory_order_relaxed) != 0)
    reason = CloseReason::evicted;
  if (!reason && ending_) reason = CloseReason::ended;
  if (reason) {
    drop(connection, *reason, false);
    open_more();
    return;
  }
  if (!waiting_.empty()) return grant_front(connection);
  keep(connection);
}

void Pool::keep(Connection& connection) {
  idle_.push_back(&connection);
  tally_->idle.add(1);
  connection.begin_idle();
  check_warming({});
}

void Pool::drop_idle(Connection& connection, CloseReason reason) {
  std::erase(idle_, &connection);
  tally_->idle.add(-1);
  drop(connection, reason, false);
}

void Pool::drop(Connection& connection, CloseReason reason, bool keep_place) {
  tally_->closed[static_cast<std::size_t>(reason)].add(1);
  connection.close(reason != CloseReason::broken && reason != CloseReason::peer);
  const std::size_t index = connection.index;
  std::unique_ptr<Connection> owned = std::move(all_[index]);
  if (index + 1 != all_.size()) {
    all_[index] = std::move(all_.back());
    all_[index]->index = index;
  }
  all_.pop_back();
  hub_.loop().bury(std::move(owned));
  if (!keep_place) hub_.unreserve();
}

void Pool::sweep_idle() {
  const std::vector<Connection*> idle = idle_;
  for (Connection* one : idle)
    if (!one->is_quiet()) drop_idle(*one, CloseReason::peer);
}

bool Pool::has_place() {
  return all_.size() + openings_.size() < hub_.shared().options.per_origin &&
         hub_.shared().connections.load(std::memory_order_relaxed) < hub_.shared().options.total;
}

void Pool::open_more() {
  std::size_t wanted = waiting_.size();
  for (const Warming& one : warming_) wanted = std::max(wanted, one.count - std::min(one.count, idle_.size()));
  while (!ending_ && unbound() < wanted && all_.size() + openings_.size() < hub_.shared().options.per_origin) {
    if (!hub_.reserve(*this)) return;
    open(nullptr);
  }
}

void Pool::open(Call* bound) {
  auto opening = std::make_unique<Opening>(*this, bound);
  if (bound != nullptr) ++bound_;
  tally_->opening.add(1);
  openings_.push_back(std::move(opening));
  openings_.back()->start();
}

void Pool::reopen(Call& call) {
  Connection* broken = call.lease().take_out();
  broken->stop();
  drop(*broken, CloseReason::broken, true);
  open(&call);
  sweep_idle();
}

void Pool::give_up_reopening(Call& call) {
  const auto found = std::ranges::find_if(openings_, [&](const auto& one) { return one->bound() == &call; });
  if (found == openings_.end()) return;
  (*found)->stop();
  hub_.loop().bury(std::move(*found));
  openings_.erase(found);
  --bound_;
  tally_->opening.add(-1);
  tally_->in_use.add(-1);
  hub_.unreserve();
  open_more();
}

void Pool::opened(Opening& opening, Result<std::unique_ptr<Connection>> result) {
  const auto found = std::ranges::find_if(openings_, [&](const auto& one) { return one.get() == &opening; });
  Call* bound = opening.bound();
  hub_.loop().bury(std::move(*found));
  openings_.erase(found);
  tally_->opening.add(-1);
  if (bound != nullptr) --bound_;
  if (!result) {
    tally_->failed.add(1);
    hub_.unreserve();
    if (bound != nullptr) {
      tally_->in_use.add(-1);
      bound->failed(result.error());
    } else if (!waiting_.empty()) {
      waiting_.front()->failed(result.error());
    }
    check_warming(pass(result.error()));
    return open_more();
  }
  tally_->opened.add(1);
  Connection& connection = **result;
  connection.index = all_.size();
  all_.push_back(std::move(*result));
  if (bound != nullptr) return bound->reopened(connection);
  if (!waiting_.empty()) return grant_front(connection);
  keep(connection);
}

void Pool::warm_up(std::size_t count, std::move_only_function<void(Status)> done) {
  const std::size_t limit = std::min(hub_.shared().options.per_origin, hub_.shared().options.total);
  if (count > limit)
    return done(fail(Errc::exhausted, fmt::format("{}: at most {} connections, not {}", origin_.name, limit, count)));
  warming_.push_back({.count = count, .done = std::move(done)});
  open_more();
  check_warming({});
}

void Pool::check_warming(const Status& status) {
  std::vector<Warming> over;
  std::erase_if(warming_, [&](Warming& one) {
    if (status && idle_.size() < one.count) return false;
    over.push_back(std::move(one));
    return true;
  });
  for (Warming& one : over) one.done(status);
}

void Pool::end() {
  ending_ = true;
  while (!openings_.empty()) {
    openings_.back()->stop();
    hub_.loop().bury(std::move(openings_.back()));
    openings_.pop_back();
    tally_->opening.add(-1);
  }
  bound_ = 0;
  while (!idle_.empty()) drop_idle(*idle_.back(), CloseReason::ended);
  check_warming(fail(Errc::cancelled, "the session ends"));
}

}  // namespace serin::http
