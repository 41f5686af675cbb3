#include "detail_connection.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "detail_call.hpp"
#include "detail_pool.hpp"

namespace serin::http {

Connection::Connection(Pool& pool, Channel channel)
    : pool_(pool),
      channel_(std::move(channel)),
      parser_({.head = pool.hub().shared().options.head_limit}),
      timer_(pool.hub().loop().timers(), [this] { on_time(); }),
      tls_(pool.origin().tls) {
  Shared& shared = pool.hub().shared();
  Loop& loop = pool.hub().loop();
  expires_ = Deadline::after(loop.now(), shared.shortened(shared.options.max_lifetime)).at();
  loop.rewatch(channel_.number(), *this);
}

bool Connection::is_fresh() const noexcept { return used_turn_ == pool_.hub().loop().turn(); }

void Connection::start(Call& call) {
  call_ = &call;
  ++served_;
  ++generation_;
  ended_ = false;
  readable_ = false;
  parser_.begin(call, call.has_no_body(), call.body_limit());
  flush();
}

void Connection::flush() {
  for (;;) {
    const Call::Outgoing out = call_->outgoing();
    if (out.waits) return;
    if (out.bytes.empty() && out.rest.empty()) return;  // all is sent
    const Moved moved = channel_.write(out.bytes, out.rest);
    switch (moved.what) {
      case Moved::What::later: return;
      case Moved::What::some: call_->on_sent(moved.size); break;
      case Moved::What::ended:
      case Moved::What::failed:
        // The answer may be there all the same: a server that refuses a large body says so and closes.
        ended_ = true;
        if (call_->sent_some())
          receive(true);
        else
          broke(call_->lost(channel_.failure(), false));
        return;
    }
  }
}

void Connection::resume() {
  const std::uint64_t before = generation_;
  if (!ended_) flush();
  if (call_ != nullptr && generation_ == before && readable_) receive(ended_);
}

void Connection::on_ready(std::uint32_t events) {
  if (channel_.number() < 0) return;
  const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (call_ == nullptr) {
    if ((events & EPOLLIN) == 0 && !ends) return;
    if (!channel_.is_quiet()) pool_.drop_idle(*this, CloseReason::peer);
    return;
  }
  const std::uint64_t before = generation_;
  if ((events & EPOLLOUT) != 0 && !ended_) flush();
  if (call_ == nullptr || generation_ != before) return;
  if ((events & EPOLLIN) != 0 || ends || tls_) receive(ends);
}

void Connection::receive(bool ends) {
  ended_ = ended_ || ends;
  const std::span<char> room = pool_.hub().loop().scratch();
  for (;;) {
    if (call_->is_paused()) {
      readable_ = true;
      return;
    }
    const Moved moved = channel_.read(room);
    if (moved.what == Moved::What::later) break;
    if (moved.what == Moved::What::some) {
      call_->on_arrival();
      if (auto taken = parser_.put({room.data(), moved.size}); !taken) return broke(taken.error());
      // Less than there was room for is all there is, unless the peer has left since.
      const bool drained = !tls_ && !ended_ && moved.size < room.size();
      if (parser_.is_done()) return complete(drained);
      if (drained) break;
      continue;
    }
    // The end may be how the answer says that it is complete; a reset never is.
    if (moved.what == Moved::What::ended && parser_.got_some()) {
      if (auto done = parser_.end(); !done) return broke(call_->lost(done.error().detail(), true));
      return complete(false);
    }
    return broke(call_->lost(moved.what == Moved::What::ended ? "closed without an answer" : channel_.failure(),
                             parser_.got_some()));
  }
  readable_ = false;
}

void Connection::complete(bool drained) {
  used_turn_ = pool_.hub().loop().turn();
  std::optional<CloseReason> reason;
  if (!parser_.is_reusable() || !call_->may_keep_connection()) {
    reason = CloseReason::announced;
  } else if (ended_ || (!drained && !channel_.is_quiet())) {
    reason = CloseReason::peer;
  }
  Call* call = std::exchange(call_, nullptr);
  call->on_complete(reason);
}

void Connection::broke(const Error& why) {
  const Call::Broken broken{.why = why, .got_some = parser_.got_some()};
  Call* call = std::exchange(call_, nullptr);
  call->on_broken(broken);
}

void Connection::begin_idle() {
  Shared& shared = pool_.hub().shared();
  const Instant now = pool_.hub().loop().now();
  // Drawn once for each connection.
  if (idle_limit_ == Duration::zero()) idle_limit_ = shared.shortened(shared.options.idle_timeout);
  idle_until_ = Deadline::after(now, announced_ ? std::min(idle_limit_, *announced_) : idle_limit_).at();
  timer_.at_latest(std::min(idle_until_, expires_));
}

void Connection::on_time() {
  if (is_busy()) return;  // begins anew when it is idle again
  const Instant now = pool_.hub().loop().now();
  if (is_too_old(now)) return pool_.drop_idle(*this, CloseReason::lifetime);
  if (is_idle_too_long(now)) return pool_.drop_idle(*this, CloseReason::idle);
  timer_.at(std::min(idle_until_, expires_));
}

void Connection::close(bool politely) noexcept {
  call_ = nullptr;
  timer_.stop();
  if (politely) channel_.close_politely();
  channel_ = Channel();
}

}  // namespace serin::http
