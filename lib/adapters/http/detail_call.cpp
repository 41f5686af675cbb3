#include "detail_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/base/text.hpp"

namespace serin::http {
namespace {

constexpr std::size_t small_body = 16u << 10;   // goes out with the head
constexpr std::size_t source_room = 32u << 10;  // asked of a source at a time
constexpr std::size_t most_discarded = 64u << 10;
constexpr std::size_t most_reserved = 1u << 20;
constexpr int most_unsent_resends = 3;

bool is_idempotent(const HttpRequest& message) {
  constexpr std::array<std::string_view, 6> methods{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::ranges::find(methods, message.method) != methods.end() || message.headers.find("Idempotency-Key");
}

Instant after(Instant now, Duration limit) { return Deadline::after(now, limit).at(); }

/// "timeout=5, max=100" -> 4 s: one second for what is on its way.
std::optional<Duration> announced_idle(const HttpHeaders& headers) {
  const auto value = headers.find("Keep-Alive");
  if (!value) return {};
  for (std::string_view part : split(*value, ',')) {
    part = trim(part);
    if (part.size() < 8 || !equal_ignoring_case(part.substr(0, 8), "timeout=")) continue;
    const auto seconds = to_int(part.substr(8));
    if (seconds && *seconds >= 0 && *seconds < 1'000'000)
      return std::max<Duration>(std::chrono::seconds(*seconds) - 1s, Duration::zero());
  }
  return {};
}

}  // namespace

Call::Call(Hub& hub, Start start)
    : hub_(hub),
      request_(std::move(start.request)),
      origin_(std::move(start.origin)),
      done_(std::move(start.done)),
      passing_(std::move(start.passing)),
      trip_(std::move(start.trip)),
      timeouts_(request_.timeouts.value_or(hub.shared().options.timeouts)),
      timer_(hub.loop().timers(), [this] { on_time(); }) {
  if (start.total_until) total_until_ = *start.total_until;
}

Call::~Call() = default;

void Call::begin(const std::shared_ptr<Call>& call) {
  Call& self = *call;
  self.began_ = self.hub_.loop().now();
  self.hub_.add(call);
  if (self.request_.stop.stop_possible())
    self.stop_.emplace(self.request_.stop, [loop = &self.hub_.loop(), weak = std::weak_ptr<Call>(call)] {
      loop->post([weak] {
        if (const auto there = weak.lock())
          there->failed(fail(Errc::cancelled, there->origin_.name + ": the caller gave up").error());
      });
    });
  self.admit();
}

void Call::admit() {
  if (request_.deadline) total_until_ = std::min(total_until_, request_.deadline->at());
  may_resend_ = !request_.source && (request_.resend == Resend::allowed ||
                                     (request_.resend == Resend::by_method && is_idempotent(request_.message)));
  if (request_.stop.stop_requested())
    return failed(fail(Errc::cancelled, origin_.name + ": the caller gave up; nothing was sent").error());
  if (hub_.is_ending()) return failed(fail(Errc::cancelled, "the session ends").error());
  if (began_ >= total_until_) return failed(timed_out());
  pool_ = &hub_.pool(origin_);
  phase_until_ = after(began_, timeouts_.wait);
  if (auto admitted = pool_->admit(*this); !admitted) {
    pool_ = nullptr;
    return failed(admitted.error());
  }
  if (where_ == Where::line) timer_.at_latest(due());
}

void Call::granted(Lease lease) {
  lease_ = std::move(lease);
  granted_ = hub_.loop().now();
  trip_.waited += granted_ - began_;
  trip_.reused = lease_.connection()->served() != 0;
  trip_.resumed = !trip_.reused && lease_.connection()->was_resumed();
  if (!request_.deadline && total_until_ == Instant::max()) total_until_ = after(granted_, timeouts_.total);
  if (hub_.shared().options.on_hold) watch_hold();
  send_now();
}

void Call::reopened(Connection& connection) {
  lease_.put_in(connection);
  trip_.reused = false;
  trip_.resumed = connection.was_resumed();
  send_now();
}

void Call::send_now() {
  where_ = Where::exchange;
  compose();
  set_phase(timeouts_.idle_read);
  pool_->tally().requests.add(1);
  lease_.connection()->start(*this);
}

void Call::set_phase(Duration limit) {
  phase_until_ = after(hub_.loop().now(), limit);
  timer_.at_latest(due());
}

void Call::compose() {
  const HttpRequest& message = request_.message;
  out_.clear();
  out_.reserve(512);
  out_at_ = body_at_ = 0;
  sent_some_ = false;
  says_close_ = false;
  out_ += message.method;
  out_ += ' ';
  if (pool_->proxy() && !origin_.tls) {
    out_ += "http://";
    out_ += origin_.authority(false);
  }
  out_ += message.target;
  out_ += " HTTP/1.1\r\n";
  const auto add = [this](std::string_view name, std::string_view value) {
    out_ += name;
    out_ += ": ";
    out_ += value;
    out_ += "\r\n";
  };
  bool host = false;
  bool cookie = false;
  bool encoding = false;
  for (const auto& [name, value] : message.headers) {
    if (equal_ignoring_case(name, "Content-Length")) continue;  // it is what it is
    host = host || equal_ignoring_case(name, "Host");
    cookie = cookie || equal_ignoring_case(name, "Cookie");
    encoding = encoding || equal_ignoring_case(name, "Accept-Encoding");
    if (equal_ignoring_case(name, "Connection") && equal_ignoring_case(value, "close")) says_close_ = true;
    add(name, value);
  }
  if (!host) {
    out_ += "Host: ";
    origin_.append_authority(out_, false);
    out_ += "\r\n";
  }
  if (pool_->proxy() && !origin_.tls && !pool_->proxy()->authorization.empty())
    add("Proxy-Authorization", pool_->proxy()->authorization);
  const SessionOptions& options = hub_.shared().options;
  if (!options.reuse && !std::exchange(says_close_, true)) add("Connection", "close");
  if (options.decompress && !encoding) add("Accept-Encoding", "gzip, deflate");
  if (options.cookies && !cookie)
    if (const std::string jar = hub_.shared().jar.header(origin_, message.path(), hub_.loop().wall()); !jar.empty())
      add("Cookie", jar);
  if (request_.source) {
    if (request_.source_size)
      add("Content-Length", fmt::to_string(*request_.source_size));
    else
      add("Transfer-Encoding", "chunked");
  } else if (!message.body.empty() || (message.method != "GET" && message.method != "HEAD")) {
    add("Content-Length", fmt::to_string(message.body.size()));
  }
  out_ += "\r\n";
  body_apart_ = !request_.source && message.body.size() > small_body;
  if (!request_.source && !body_apart_) out_ += message.body;
}

Call::Outgoing Call::outgoing() {
  if (out_at_ == out_.size() && request_.source && !source_ended_) {
    if (!refill()) return {.waits = true};
  }
  const std::string_view head = std::string_view(out_).substr(out_at_);
  if (!body_apart_) return {.bytes = head};
  const std::string_view body = std::string_view(request_.message.body).substr(body_at_);
  return head.empty() ? Outgoing{.bytes = body} : Outgoing{.bytes = head, .rest = body};
}

bool Call::refill() {
  if (asking_) return false;
  source_begun_ = true;
  if (passing_ && passing_->ask) {
    asking_ = true;
    phase_until_ = Instant::max();  // the time is the source's
    passing_->ask(shared_from_this());
    return false;
  }
  std::string piece(source_room, '\0');
  Result<std::size_t> size = request_.source(piece);
  if (size) piece.resize(std::min(*size, source_room));
  asking_ = true;
  // Later: this is called in the middle of writing, and an error would end what writes.
  hub_.loop().later([weak = weak_from_this(), result = size ? Result<std::string>(std::move(piece))
                                                            : Result<std::string>(pass(size.error()))]() mutable {
    if (const auto there = weak.lock()) there->supply(std::move(result));
  });
  return false;
}

void Call::supply(Result<std::string> piece) {
  if (where_ != Where::exchange || !asking_) return;
  asking_ = false;
  if (!piece) return failed(piece.error());
  out_at_ = 0;
  source_sent_ += piece->size();
  source_ended_ = piece->empty();
  if (request_.source_size) {
    if (source_sent_ > *request_.source_size || (source_ended_ && source_sent_ < *request_.source_size))
      return failed(fail(Errc::invalid_argument,
                         fmt::format("the source gave {} bytes, not {}", source_sent_, *request_.source_size))
                        .error());
    out_ = std::move(*piece);
    if (source_sent_ == *request_.source_size) source_ended_ = true;
  } else {
    out_ = source_ended_ ? "0\r\n\r\n" : fmt::format("{:x}\r\n{}\r\n", piece->size(), *piece);
  }
  set_phase(timeouts_.idle_read);
  lease_.connection()->resume();
}

void Call::on_sent(std::size_t size) {
  sent_some_ = sent_some_ || size != 0;
  const std::size_t head = std::min(size, out_.size() - out_at_);
  out_at_ += head;
  body_at_ += size - head;
  const bool all = out_at_ == out_.size() && (!body_apart_ || body_at_ == request_.message.body.size()) &&
                   (!request_.source || source_ended_);
  set_phase(all ? timeouts_.first_byte : timeouts_.idle_read);
}

void Call::on_arrival() { set_phase(timeouts_.idle_read); }

bool Call::may_keep_connection() const noexcept {
  return !says_close_ && out_at_ == out_.size() && (!body_apart_ || body_at_ == request_.message.body.size()) &&
         (!request_.source || source_ended_) && discarded_ <= most_discarded;
}

std::size_t Call::body_limit() const noexcept { return request_.body_limit.value_or(hub_.shared().options.body_limit); }

Status Call::on_head(HttpResponse head) {
  Shared& shared = hub_.shared();
  lease_.connection()->limit_idle(announced_idle(head.headers));
  if (shared.options.cookies) shared.jar.take(origin_, request_.message.path(), head.headers, hub_.loop().wall());
  SERIN_TRY(next_, next_url(head));
  response_ = std::move(head);
  if (next_ || has_no_body()) return {};
  if (shared.options.decompress) inflater_ = Inflater::of(response_.headers);
  if (inflater_) {
    HttpHeaders kept;
    for (const auto& [name, value] : response_.headers)
      if (!equal_ignoring_case(name, "Content-Encoding") && !equal_ignoring_case(name, "Content-Length"))
        kept.add(name, value);
    response_.headers = std::move(kept);
  } else if (const auto length = response_.headers.find("Content-Length"); length && !request_.sink) {
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(to_int(*length).value_or(0), 0));
    if (size > 64) response_.body.reserve(std::min({size, body_limit(), most_reserved}));
  }
  return {};
}

Status Call::on_body(std::string_view piece) {
  if (next_) {
    discarded_ += piece.size();
    // Not worth reading to its end for the connection's sake: on_broken() follows.
    if (discarded_ > most_discarded) return fail(Errc::cancelled, "what a redirect says is not read");
    return {};
  }
  if (!inflater_) return deliver(piece);
  return inflater_->put(piece, [this](std::string_view unpacked) { return deliver(unpacked); });
}

Status Call::deliver(std::string_view piece) {
  delivered_ += piece.size();
  if (delivered_ > body_limit())
    return fail(Errc::exhausted, fmt::format("the answer is larger than {} bytes", body_limit()));
  if (!request_.sink) {
    response_.body += piece;
    return {};
  }
  if (!passing_ || !passing_->give) return request_.sink(response_, piece);
  pending_ += piece;
  if (paused_) return {};
  paused_ = true;
  phase_until_ = Instant::max();  // the time is the sink's
  passing_->give(shared_from_this(), response_, std::exchange(pending_, {}));
  return {};
}

void Call::resume(const Status& taken) {
  if (where_ == Where::over || !paused_) return;
  if (!taken) return failed(taken.error());
  if (!pending_.empty()) return passing_->give(shared_from_this(), response_, std::exchange(pending_, {}));
  paused_ = false;
  if (where_ == Where::settling) return settle();
  set_phase(timeouts_.idle_read);
  lease_.connection()->resume();
}

void Call::on_complete(std::optional<CloseReason> reason) {
  const std::shared_ptr<Call> self = shared_from_this();
  end_hold();
  where_ = Where::settling;
  if (next_) {
    lease_.give_back(reason);
    return follow();
  }
  if (inflater_)
    if (auto complete = inflater_->end(); !complete) {
      lease_.give_back(reason);
      return finish(pass(complete.error().in(origin_.name)), false);
    }
  lease_.give_back(reason);
  if (!paused_) settle();
}

void Call::settle() { finish(Answer{std::move(response_), std::move(trip_)}, true); }

void Call::on_broken(const Broken& broken) {
  const std::shared_ptr<Call> self = shared_from_this();
  if (next_ && discarded_ > most_discarded) {
    end_hold();
    lease_.give_back(CloseReason::cancelled);
    return follow();
  }
  const bool first_time = sent_some_ ? trip_.resends == 0 : trip_.resends < most_unsent_resends;
  const bool unharmed = !broken.got_some && !source_begun_ && first_time;
  if (trip_.reused && unharmed && (!sent_some_ || may_resend_)) {
    ++trip_.resends;
    pool_->tally().resends.add(1);
    where_ = Where::reopening;
    phase_until_ = Instant::max();  // the opening's own limit counts
    pool_->reopen(*this);
    return;
  }
  const bool peer_failed = broken.why.code() == Errc::unavailable;
  if (peer_failed && sent_some_ && !may_resend_) pool_->tally().ambiguous.add(1);
  end_hold();
  lease_.give_back(CloseReason::broken);
  finish(pass(peer_failed ? broken.why : broken.why.in(origin_.name)), false);
}

Error Call::lost(std::string_view why, bool got_some) const {
  return fail(Errc::unavailable,
              fmt::format("{} {}: {}{}", got_some ? "receive from" : "send to", origin_.name, why,
                          sent_some_ && !may_resend_ ? "; it may have been executed and is not sent again" : ""))
      .error();
}

void Call::failed(const Error& why) {
  if (where_ == Where::over) return;
  const std::shared_ptr<Call> self = shared_from_this();
  end_hold();
  switch (where_) {
    case Where::line:
      if (pool_ != nullptr) pool_->withdraw(*this);
      break;
    case Where::reopening: pool_->give_up_reopening(*this); break;
    case Where::exchange: lease_.connection()->stop(); break;
    case Where::settling:
    case Where::over: break;
  }
  lease_.give_back(CloseReason::cancelled);
  finish(pass(why), false);
}

void Call::finish(Result<Answer> result, bool now) {
  if (where_ == Where::over) return;
  where_ = Where::over;
  timer_.stop();
  stop_.reset();
  const std::shared_ptr<Call> self = shared_from_this();
  hub_.remove(*this);
  if (now) return done_(std::move(result));
  hub_.loop().later([self, outcome = std::move(result)]() mutable { self->done_(std::move(outcome)); });
}

}  // namespace serin::http
