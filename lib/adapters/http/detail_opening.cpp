#include "detail_opening.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "detail_pool.hpp"

namespace serin::http {
namespace {

void set_option(int socket, int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof value); }

/// A middlebox forgets a silent connection without telling: this finds out, and keeps it remembered.
void set_options(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

Address with_port(Address address, std::uint16_t port) {
  const std::uint16_t wire = htons(port);
  // The port stands at the same place for both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  std::memcpy(reinterpret_cast<char*>(&address.storage) + offsetof(sockaddr_in, sin_port), &wire, sizeof wire);
  return address;
}

}  // namespace

/// One address being tried.
struct Opening::Racer final : Watcher {
  explicit Racer(Opening& owner) : opening(&owner) {}
  void on_ready(std::uint32_t events) override {
    if (opening == nullptr || (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      // A descriptor just registered is reported as hung up before its connect() has begun to mean anything.
      sockaddr_storage peer{};
      size = sizeof peer;
      if (getpeername(socket.number(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
    }
    opening->on_racer(*this, error);
  }
  Opening* opening;  // null when it has lost
  Socket socket;
};

Opening::Opening(Pool& pool, Call* bound)
    : pool_(pool),
      bound_(bound),
      limit_(pool.hub().loop().timers(),
             [this] {
               give_up(Errc::deadline_exceeded,
                       last_failure_.empty() ? "not connected in time" : "not connected in time; " + last_failure_);
             }),
      head_start_(pool.hub().loop().timers(), [this] { start_next(); }),
      alive_(std::make_shared<int>(0)),
      parser_({.head = 16u << 10}) {}

Opening::~Opening() = default;

void Opening::start() {
  Loop& loop = pool_.hub().loop();
  Shared& shared = pool_.hub().shared();
  until_ = Deadline::after(loop.now(), shared.options.timeouts.connect).at();
  limit_.at(until_);
  const std::string& host = pool_.proxy() ? pool_.proxy()->host : pool_.origin().host;
  if (auto address = parse_address(host, 0)) {
    addresses_.push_back(*address);
  } else {
    auto found = shared.names.find(
        host, [this, &loop, alive = std::weak_ptr<int>(alive_)](const Result<std::vector<Address>>& result) {
          loop.post([this, alive, result] {
            if (alive.lock()) on_names(result);
          });
        });
    if (!found) return;
    addresses_ = std::move(*found);
  }
  // Later: whoever opened it is not told while it is still busy with that.
  loop.later([this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.lock()) race();
  });
}

void Opening::stop() {
  phase_ = Phase::over;
  alive_.reset();
  limit_.stop();
  head_start_.stop();
  for (auto& racer : racers_) {
    racer->opening = nullptr;
    racer->socket = Socket();
    pool_.hub().loop().bury(std::move(racer));
  }
  racers_.clear();
  channel_ = Channel();
}

void Opening::on_names(const Result<std::vector<Address>>& found) {
  if (!found) return give_up(found.error().code(), "resolve: " + found.error().detail());
  addresses_ = *found;
  race();
}

void Opening::race() {
  phase_ = Phase::racing;
  start_next();
}

void Opening::start_next() {
  Loop& loop = pool_.hub().loop();
  const std::uint16_t port = pool_.proxy() ? pool_.proxy()->port : pool_.origin().port;
  while (next_ < addresses_.size()) {
    const Address address = with_port(addresses_[next_++], port);
    const int number = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0) {
      last_failure_ = std::strerror(errno);
      continue;
    }
    auto racer = std::make_unique<Racer>(*this);
    racer->socket = Socket(number, loop.sockets());
    set_options(number);
    if (::connect(number, address.get(), address.size) != 0 && errno != EINPROGRESS) {
      last_failure_ = fmt::format("{}: {}", address.text(), std::strerror(errno));
      continue;
    }
    if (!loop.watch(number, *racer)) {
      last_failure_ = std::strerror(errno);
      continue;
    }
    racers_.push_back(std::move(racer));
    if (next_ < addresses_.size()) head_start_.at(loop.now() + pool_.hub().shared().options.eyeballs);
    return;
  }
  if (racers_.empty()) give_up(Errc::unavailable, last_failure_.empty() ? "no address" : last_failure_);
}

void Opening::on_racer(Racer& racer, int error) {
  if (error == 0) return connected(std::move(racer.socket));
  last_failure_ = std::strerror(error);
  const auto lost = std::ranges::find_if(racers_, [&](const auto& one) { return one.get() == &racer; });
  racer.opening = nullptr;
  racer.socket = Socket();
  pool_.hub().loop().bury(std::move(*lost));
  racers_.erase(lost);
  // Nobody waits for the head start of one that has failed.
  head_start_.stop();
  start_next();
}

void Opening::connected(Socket socket) {
  Loop& loop = pool_.hub().loop();
  head_start_.stop();
  for (auto& racer : racers_) {
    racer->opening = nullptr;
    racer->socket = Socket();
    loop.bury(std::move(racer));
  }
  racers_.clear();
  channel_ = Channel(std::move(socket));
  if (!pool_.proxy() && !pool_.origin().tls) return succeed();
  loop.rewatch(channel_.number(), *this);
  if (!pool_.proxy() || !pool_.origin().tls) return pool_.origin().tls ? begin_tls() : succeed();
  phase_ = Phase::tunnel;
  const std::string target = pool_.origin().authority(true);
  out_ = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", target, target);
  if (!pool_.proxy()->authorization.empty())
    out_ += fmt::format("Proxy-Authorization: {}\r\n", pool_.proxy()->authorization);
  out_ += "\r\n";
  parser_.begin(*this, true, 0);
  step_tunnel();
}

Status Opening::on_head(HttpResponse head) {
  proxy_status_ = head.status;
  return {};
}

void Opening::step_tunnel() {
  while (!out_.empty()) {
    const Moved moved = channel_.write(out_);
    if (moved.what == Moved::What::later) return;
    if (moved.what != Moved::What::some) return give_up(Errc::unavailable, "proxy: " + channel_.failure());
    out_.erase(0, moved.size);
  }
  // A byte at a time: what comes behind the answer is not the proxy's, and belongs to TLS.
  char byte = 0;
  while (!parser_.is_done()) {
    const Moved moved = channel_.read({&byte, 1});
    if (moved.what == Moved::What::later) return;
    if (moved.what != Moved::What::some) return give_up(Errc::unavailable, "proxy: closed");
    if (auto taken = parser_.put({&byte, 1}); !taken)
      return give_up(taken.error().code(), "proxy: " + taken.error().detail());
  }
  if (proxy_status_ < 200 || proxy_status_ > 299)
    return give_up(proxy_status_ == 407 || proxy_status_ == 403 ? Errc::permission_denied : Errc::unavailable,
                   fmt::format("proxy: {} {}", proxy_status_, http_reason(proxy_status_)));
  begin_tls();
}

void Opening::begin_tls() {
  phase_ = Phase::handshake;
  auto context = pool_.hub().shared().tls();
  if (!context) return give_up(context.error().code(), context.error().detail());
  if (auto begun = channel_.begin_tls(**context, pool_.origin().host, pool_.tickets()); !begun)
    return give_up(begun.error().code(), begun.error().detail());
  step_tls();
}

void Opening::step_tls() {
  const auto done = channel_.shake_hands();
  if (!done) return give_up(done.error().code(), done.error().detail());
  if (!*done) return;
  pool_.tally().handshakes.add(1);
  if (channel_.was_resumed()) pool_.tally().resumed.add(1);
  succeed();
}

void Opening::on_ready(std::uint32_t) {
  switch (phase_) {
    case Phase::tunnel: return step_tunnel();
    case Phase::handshake: return step_tls();
    case Phase::resolving:
    case Phase::racing:
    case Phase::over: return;
  }
}

void Opening::succeed() {
  auto connection = std::make_unique<Connection>(pool_, std::move(channel_));
  stop();
  pool_.opened(*this, std::move(connection));
}

void Opening::give_up(Errc code, std::string_view why) {
  stop();
  const std::string via = pool_.proxy() ? fmt::format(" through {}:{}", pool_.proxy()->host, pool_.proxy()->port) : "";
  pool_.opened(*this, fail(code, fmt::format("connect {}{}: {}", pool_.origin().name, via, why)));
}

}  // namespace serin::http
