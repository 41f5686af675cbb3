#include "serin/http/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <latch>

#include "detail_call.hpp"
#include "detail_fork.hpp"

namespace serin::http {
namespace {

Status check(const SessionOptions& options) {
  const auto wrong = [](std::string_view what) { return fail(Errc::invalid_argument, fmt::format("{}", what)); };
  if (options.per_origin < 1 || options.per_origin > 10'000) return wrong("per_origin: 1 to 10000 connections");
  if (options.total < 1 || options.total > 100'000) return wrong("total: 1 to 100000 connections");
  const Timeouts& times = options.timeouts;
  for (const Duration one : {times.wait, times.connect, times.first_byte, times.idle_read, times.total,
                             options.idle_timeout, options.max_lifetime, options.eyeballs})
    if (one <= Duration::zero()) return wrong("timeouts are longer than nothing");
  if (!(options.jitter >= 0 && options.jitter <= 0.5)) return wrong("jitter: 0 to 0.5");
  if (options.dns_ttl < Duration::zero()) return wrong("dns_ttl: not negative");
  if (options.head_limit < 256 || options.head_limit > (1u << 20)) return wrong("head_limit: 256 bytes to 1 MiB");
  if (options.redirects < 0 || options.redirects > 50) return wrong("redirects: 0 to 50");
  if (options.loops < 1 || options.loops > 64) return wrong("loops: 1 to 64");
  if (options.on_hold && options.hold_after < 2s) return wrong("hold_after: at least 2 s");
  return ProxyRules::check(options.proxies);
}

/// What a blocking caller waits for: the end, and on the way pieces for its sink and questions to its source.
class Rendezvous {
 public:
  struct Event {
    std::shared_ptr<Call> call;  // who is told that it is done
    Hub* hub = nullptr;
    bool ask = false;
    std::shared_ptr<const HttpResponse> head;
    std::string piece;
  };
  void give(Event event) {
    const std::lock_guard lock(mutex_);
    event_ = std::move(event);
    changed_.notify_one();
  }
  void finish(Result<Answer> result) {
    // Under the lock: the caller goes, and this with it, as soon as it has seen the result.
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    changed_.notify_one();
  }
  /// The result, or nothing and something to do.
  std::optional<Result<Answer>> wait(Event& event) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return result_ || event_; });
    if (result_) return std::move(result_);
    event = std::move(*event_);
    event_.reset();
    return {};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Result<Answer>> result_;  // guarded by mutex_
  std::optional<Event> event_;            // guarded by mutex_
};

OriginStats read(const Tally& tally) {
  OriginStats out{.origin = tally.origin,
                  .requests = tally.requests.get(),
                  .opened = tally.opened.get(),
                  .failed = tally.failed.get(),
                  .reused = tally.reused.get(),
                  .handshakes = tally.handshakes.get(),
                  .resumed = tally.resumed.get(),
                  .resends = tally.resends.get(),
                  .ambiguous = tally.ambiguous.get(),
                  .refused = tally.refused.get(),
                  .waiting = tally.waiting.get(),
                  .opening = tally.opening.get(),
                  .in_use = tally.in_use.get(),
                  .leases = tally.leases.get(),
                  .idle = tally.idle.get()};
  for (std::size_t i = 0; i < close_reasons; ++i) out.closed[i] = tally.closed[i].get();
  return out;
}

}  // namespace

std::string_view close_reason_name(CloseReason reason) noexcept {
  switch (reason) {
    case CloseReason::idle: return "idle";
    case CloseReason::lifetime: return "lifetime";
    case CloseReason::announced: return "announced";
    case CloseReason::peer: return "peer";
    case CloseReason::broken: return "broken";
    case CloseReason::cancelled: return "cancelled";
    case CloseReason::evicted: return "evicted";
    case CloseReason::ended: return "ended";
  }
  return "ended";
}

/// Everything a session has in one process.
class Session::Parts {
 public:
  Parts(SessionOptions options, const Clock& clock) : shared_(std::move(options), clock) {
    for (int i = 0; i < shared_.options.loops; ++i)
      shared_.hubs.push_back(std::make_unique<Hub>(shared_, static_cast<std::size_t>(i)));
  }
  ~Parts() {
    // All first: a redirect may hand a request from one to another.
    std::latch ended(std::ranges::count_if(shared_.hubs, [](const auto& hub) { return hub->loop().is_running(); }));
    for (auto& hub : shared_.hubs)
      if (hub->loop().is_running())
        hub->loop().post([one = hub.get(), &ended] {
          one->end();
          ended.count_down();
        });
    ended.wait();
    for (auto& hub : shared_.hubs) hub->loop().stop();
  }
  Parts(const Parts&) = delete;

  [[nodiscard]] Shared& shared() noexcept { return shared_; }
  [[nodiscard]] bool is_of_parent() const noexcept { return mark_.is_in_child(); }
  /// The parent's threads are not here and its locks may be held for ever: nothing of it is touched but descriptors.
  void abandon() noexcept {
    for (auto& hub : shared_.hubs) hub->loop().close_copies();
  }
  /// Errors: exhausted, when its thread cannot be had.
  [[nodiscard]] Result<Hub*> home(const Origin& origin) {
    if (!started_.load(std::memory_order_acquire)) {
      const std::lock_guard lock(start_);
      for (auto& hub : shared_.hubs)
        if (!hub->loop().is_running()) SERIN_CHECK(hub->loop().start());
      started_.store(true, std::memory_order_release);
    }
    return &shared_.hubs.front()->home(origin);
  }
  /// Kept so that a tool which looks for leaks finds it: what a parent left behind cannot be taken apart.
  Parts* left_behind = nullptr;

 private:
  ForkMark mark_;
  std::mutex start_;  // whoever sends the first request starts the loops
  std::atomic<bool> started_ = false;
  Shared shared_;
};

Session::Session(const Clock& clock) : parts_(std::make_unique<Parts>(SessionOptions{}, clock).release()) {}
Session::Session(std::unique_ptr<Parts> parts) : parts_(parts.release()) {}

Result<std::unique_ptr<Session>> Session::make(SessionOptions options, const Clock& clock) {
  SERIN_CHECK(check(options));
  const bool names_files = !options.tls.ca_file.empty() || !options.tls.certificate_file.empty();
  auto parts = std::make_unique<Parts>(std::move(options), clock);
  // A file that is wrong should be known now, not at the first request.
  if (names_files) SERIN_CHECK(parts->shared().tls());
  return std::unique_ptr<Session>(new Session(std::move(parts)));
}

Session::~Session() {
  Parts* parts = parts_.load();
  if (parts->is_of_parent()) {
    parts->abandon();
    return;
  }
  const std::unique_ptr<Parts> owned(parts);
}

Session::Parts& Session::parts() const {
  Parts* parts = parts_.load(std::memory_order_acquire);
  if (!parts->is_of_parent()) [[likely]]
    return *parts;
  auto fresh = std::make_unique<Parts>(parts->shared().options, parts->shared().clock);
  fresh->left_behind = parts;
  if (!parts_.compare_exchange_strong(parts, fresh.get())) return *parts;
  fresh->left_behind->abandon();
  return *fresh.release();
}

void Session::send_async(Request request, Done done) {
  Parts& here = parts();
  Result<Origin> origin = parse_origin(request.origin);
  const Status good = origin ? check_message(request.message) : Status(pass(origin.error()));
  // Somebody must tell of it, and not during this call: the loop.
  const Result<Hub*> home = here.home(origin ? *origin : Origin{});
  if (!home) return done(pass(home.error()));  // without a loop there is no later
  Hub& hub = **home;
  if (!good) {
    hub.loop().post([done = std::move(done), error = good.error()]() mutable { done(pass(error)); });
    return;
  }
  auto call = std::make_shared<Call>(
      hub, Call::Start{.request = std::move(request), .origin = std::move(*origin), .done = std::move(done)});
  if (hub.loop().is_here()) return Call::begin(call);
  hub.loop().post([call = std::move(call)] { Call::begin(call); });
}

Result<Answer> Session::send(Request request) {
  Parts& here = parts();
  SERIN_TRY(Origin origin, parse_origin(request.origin));
  SERIN_CHECK(check_message(request.message));
  SERIN_TRY(Hub* const home, here.home(origin));
  Hub& hub = *home;
  if (hub.loop().is_here())
    return fail(Errc::invalid_argument, "send() would wait for the thread that it is called on; send_async() does not");
  Rendezvous meeting;
  std::shared_ptr<Passing> passing;
  const BodySink sink = request.sink;
  const BodySource source = request.source;
  if (sink || source) passing = std::make_shared<Passing>();
  if (sink)
    passing->give = [&meeting](std::shared_ptr<Call> call, const HttpResponse& head, std::string piece) {
      Hub& at = call->hub();
      meeting.give({.call = std::move(call),
                    .hub = &at,
                    .head = std::make_shared<const HttpResponse>(head),
                    .piece = std::move(piece)});
    };
  if (source)
    passing->ask = [&meeting](std::shared_ptr<Call> call) {
      Hub& at = call->hub();
      meeting.give({.call = std::move(call), .hub = &at, .ask = true});
    };
  auto call = std::make_shared<Call>(
      hub, Call::Start{.request = std::move(request),
                       .origin = std::move(origin),
                       .done = [&meeting](Result<Answer> result) { meeting.finish(std::move(result)); },
                       .passing = passing});
  hub.loop().post([call = std::move(call)] { Call::begin(call); });
  for (;;) {
    Rendezvous::Event event;
    if (auto result = meeting.wait(event)) return std::move(*result);
    Loop& loop = event.hub->loop();
    if (event.ask) {
      std::string piece(std::size_t{32} << 10, '\0');
      Result<std::size_t> size = source(piece);
      if (size) piece.resize(std::min(*size, piece.size()));
      loop.post([call = std::move(event.call), piece = size ? Result<std::string>(std::move(piece))
                                                            : Result<std::string>(pass(size.error()))]() mutable {
        call->supply(std::move(piece));
      });
    } else {
      Status taken = sink(*event.head, event.piece);
      loop.post([call = std::move(event.call), taken = std::move(taken)] { call->resume(taken); });
    }
  }
}

Result<HttpResponse> Session::send(std::string_view origin, HttpRequest request, Deadline deadline,
                                   std::stop_token stop) {
  SERIN_TRY(Answer answer, send(Request{.origin = std::string(origin),
                                        .message = std::move(request),
                                        .deadline = deadline,
                                        .stop = std::move(stop),
                                        .timeouts = Timeouts::only_connect()}));
  return std::move(answer.response);
}

Status Session::warm_up(std::string_view origin, std::size_t count, Deadline deadline) {
  Parts& here = parts();
  SERIN_TRY(const Origin parsed, parse_origin(origin));
  struct Warm {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Status> status;  // guarded by mutex
  };
  const auto warm = std::make_shared<Warm>();
  SERIN_TRY(Hub* const home, here.home(parsed));
  Hub& hub = *home;
  hub.loop().post([&hub, parsed, count, warm] {
    hub.pool(parsed).warm_up(count, [warm](const Status& status) {
      const std::lock_guard lock(warm->mutex);
      warm->status = status;
      warm->changed.notify_all();
    });
  });
  std::unique_lock lock(warm->mutex);
  const auto is_over = [&] { return warm->status.has_value(); };
  const Duration left = std::min<Duration>(deadline.left(here.shared().clock.now()), 24h);
  if (!warm->changed.wait_for(lock, left, is_over))
    return fail(Errc::deadline_exceeded, fmt::format("{}: not {} connections in time", parsed.name, count));
  return *warm->status;
}

std::vector<OriginStats> Session::stats() const {
  Shared& shared = parts().shared();
  std::vector<OriginStats> out;
  const std::lock_guard lock(shared.mutex);
  for (const auto& tally : shared.tallies) out.push_back(read(*tally));
  return out;
}

}  // namespace serin::http
