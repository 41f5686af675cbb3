#include <fmt/format.h>

#include "detail_call.hpp"

// What happens to a request besides sending and receiving: time that runs out, redirects, holds that are too long.
namespace serin::http {

void Call::on_time() {
  const Instant now = hub_.loop().now();
  if (now < due()) return timer_.at(due());
  if (where_ == Where::line && now < total_until_) {
    // A connection is on its way for it: that has a limit of its own.
    if (const auto until = pool_->opening_until(*this); until && *until > now) {
      phase_until_ = *until + 1ms;
      return timer_.at(due());
    }
    pool_->tally().refused.add(1);
  }
  if (where_ == Where::exchange && sent_some_ && !may_resend_) pool_->tally().ambiguous.add(1);
  failed(timed_out());
}

Error Call::timed_out() const {
  const auto say = [this](std::string_view what) {
    return fail(Errc::deadline_exceeded, fmt::format("{}: {}", origin_.name, what)).error();
  };
  if (pool_ == nullptr) return say("no time was left; nothing was sent");
  switch (where_) {
    case Where::line:
      return say(fmt::format("waited {} for a connection ({} in use, {} being opened, {} wait); nothing was sent",
                             format_duration(hub_.loop().now() - began_), pool_->tally().in_use.get(),
                             pool_->tally().opening.get(), pool_->tally().waiting.get()));
    case Where::reopening: return say("no new connection before the deadline");
    case Where::exchange:
    case Where::settling:
    case Where::over: break;
  }
  const bool receiving = response_.headers.begin() != response_.headers.end();
  return say(receiving ? "the answer did not end in time" : "no answer in time");
}

Result<std::optional<Url>> Call::next_url(const HttpResponse& head) const {
  const int most = request_.redirects.value_or(hub_.shared().options.redirects);
  if (most == 0 || head.status < 301 || head.status > 308) return std::nullopt;
  const auto location = head.headers.find("Location");
  const Redirection redirection = redirection_of(head.status, request_.message.method);
  if (!location || !redirection.follow) return std::nullopt;
  // A source cannot be asked again.
  if (redirection.keep_body && request_.source) return std::nullopt;
  auto url = resolve(origin_, request_.message.target, *location);
  // What leads nowhere, or out of TLS, is the caller's to judge: it gets the answer as it is.
  if (!url || (origin_.tls && !url->origin.tls)) return std::nullopt;
  if (trip_.redirects >= most)
    return fail(Errc::exhausted, fmt::format("{}: more than {} redirects", origin_.name, most));
  return std::move(*url);
}

void Call::follow() {
  const Redirection redirection = redirection_of(response_.status, request_.message.method);
  Url url = std::move(*next_);
  HttpRequest& message = request_.message;
  message.headers = headers_for(message.headers, url.origin.name == origin_.name, redirection.keep_body);
  message.method = redirection.method;
  message.target = std::move(url.target);
  if (!redirection.keep_body) {
    message.body.clear();
    request_.source = {};
    request_.source_size.reset();
  }
  ++trip_.redirects;
  trip_.url = url.origin.name + message.target;
  // A call of its own: the other origin may belong to another loop.
  Hub& home = hub_.home(url.origin);
  where_ = Where::over;
  timer_.stop();
  stop_.reset();
  hub_.remove(*this);
  const Instant until = total_until_;
  auto next = std::make_shared<Call>(home, Start{.request = std::move(request_),
                                                 .origin = std::move(url.origin),
                                                 .done = std::move(done_),
                                                 .passing = std::move(passing_),
                                                 .trip = std::move(trip_),
                                                 .total_until = until});
  if (&home == &hub_) return begin(next);
  home.loop().post([next] { begin(next); });
}

void Call::watch_hold() {
  const SessionOptions& options = hub_.shared().options;
  hold_.emplace(hub_.loop().timers(), [this] {
    hold_told_ = true;
    hub_.shared().options.on_hold(
        {.origin = origin_.name, .tag = request_.tag, .held = hub_.loop().now() - granted_, .returned = false});
  });
  hold_->at(Deadline::after(granted_, options.hold_after).at());
}

void Call::end_hold() {
  if (!hold_) return;
  hold_.reset();
  if (hold_told_)
    hub_.shared().options.on_hold(
        {.origin = origin_.name, .tag = request_.tag, .held = hub_.loop().now() - granted_, .returned = true});
}

}  // namespace serin::http
