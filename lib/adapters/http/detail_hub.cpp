#include <algorithm>

#include "detail_call.hpp"
#include "detail_pool.hpp"

namespace serin::http {

namespace {
constexpr std::size_t most_pools = 4096;  // of origins that nobody uses any more
}

Shared::Shared(SessionOptions chosen, const Clock& given)
    : options(std::move(chosen)), clock(given), proxies(options.proxies), names(options, given) {}

Result<const TlsContext*> Shared::tls() {
  const std::lock_guard lock(mutex);
  if (!context) {
    SERIN_TRY(TlsContext made, TlsContext::make(options.tls));
    context.emplace(std::move(made));
  }
  return &*context;
}

Duration Shared::shortened(Duration duration) {
  return duration == Duration::max()
             ? duration
             : duration - Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * options.jitter *
                                                              random.unit()));
}

// Twice: while addresses are tried side by side, an opening has more than one.
Hub::Hub(Shared& shared, std::size_t) : shared_(shared), loop_(shared.clock, 2 * shared.options.total + 8) {}
Hub::~Hub() = default;

Hub& Hub::home(const Origin& origin) {
  if (shared_.hubs.size() == 1) return *this;
  return *shared_.hubs[std::hash<std::string>{}(origin.name) % shared_.hubs.size()];
}

Pool& Hub::pool(const Origin& origin) {
  if (const auto found = pools_.find(origin.name); found != pools_.end()) return *found->second;
  if (pools_.size() >= most_pools) forget_unused();
  auto tally = std::make_shared<Tally>(origin.name);
  {
    const std::lock_guard lock(shared_.mutex);
    shared_.tallies.push_back(tally);
  }
  return *pools_.emplace(origin.name, std::make_unique<Pool>(*this, origin, std::move(tally))).first->second;
}

void Hub::forget_unused() {
  std::erase_if(pools_, [this](const auto& one) {
    if (!one.second->is_unused()) return false;
    forget_starving(*one.second);
    const std::lock_guard lock(shared_.mutex);
    std::erase_if(shared_.tallies, [&](const auto& tally) { return tally.get() == &one.second->tally(); });
    return true;
  });
}

void Hub::add(std::shared_ptr<Call> call) {
  call->index = calls_.size();
  calls_.push_back(std::move(call));
}

void Hub::remove(Call& call) {
  const std::size_t index = call.index;
  if (index + 1 != calls_.size()) {
    calls_[index].swap(calls_.back());
    calls_[index]->index = index;
  }
  calls_.pop_back();
}

void Hub::end() {
  ending_ = true;
  while (!calls_.empty()) {
    const std::shared_ptr<Call> call = calls_.back();
    call->failed(fail(Errc::cancelled, "the session ends").error());
  }
  for (auto& [name, pool] : pools_) pool->end();
}

bool Hub::reserve(Pool& pool) {
  const std::size_t most = shared_.options.total;
  const auto take = [&] {
    std::size_t now = shared_.connections;
    while (now < most)
      if (shared_.connections.compare_exchange_weak(now, now + 1)) return true;
    return false;
  };
  while (!take())
    if (!close_oldest_idle()) {
      const bool known = std::ranges::find(starving_, &pool) != starving_.end();
      if (!known) {
        starving_.push_back(&pool);
        ++shared_.starving;
      }
      // Once more: a place given back by another loop before it could see that somebody waits for one.
      if (take()) {
        forget_starving(pool);
        return true;
      }
      for (const auto& other : shared_.hubs)
        if (!known && other.get() != this) other->loop().post([hub = other.get()] { hub->make_room(); });
      return false;
    }
  return true;
}

void Hub::unreserve() {
  --shared_.connections;
  if (shared_.starving == 0) return;
  // Later: whoever gives the place back is in the middle of something.
  for (const auto& one : shared_.hubs) {
    if (one.get() == this)
      loop_.later([this] { feed_starving(); });
    else
      one->loop().post([hub = one.get()] { hub->feed_starving(); });
  }
}

void Hub::feed_starving() {
  const std::vector<Pool*> hungry = std::exchange(starving_, {});
  shared_.starving -= static_cast<int>(hungry.size());
  for (Pool* pool : hungry) pool->open_more();
}

void Hub::forget_starving(Pool& pool) {
  if (starving_.empty()) return;
  if (std::erase(starving_, &pool) != 0) --shared_.starving;
}

void Hub::make_room() {
  if (shared_.starving != 0) static_cast<void>(close_oldest_idle());
}

bool Hub::close_oldest_idle() {
  for (auto& [name, pool] : pools_)
    if (Connection* oldest = pool->oldest_idle()) {
      pool->drop_idle(*oldest, CloseReason::evicted);
      return true;
    }
  return false;
}

}  // namespace serin::http
