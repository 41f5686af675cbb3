// What a running rollout does about the orders that people give it from elsewhere.
#include <fmt/format.h>

#include <algorithm>

#include "run.hpp"
#include "serin/rollout/report.hpp"

namespace serin::rollout {

void Run::obey(const Order& order, Instant at) {
  const auto end_pause = [&] {
    if (pause_) stood_ += at - pause_->since;
    if (pause_ && await_) await_->since += at - std::max(pause_->since, await_->since);
    pause_.reset();
  };
  switch (order.kind) {
    case OrderKind::pause: pause_ = Pause{.since = at, .words = "paused by " + order_text(order)}; break;
    case OrderKind::resume: end_pause(); break;
    case OrderKind::promote:
    case OrderKind::promote_full:
      end_pause();
      go_on_ = {.now = true,
                .to_the_end = go_on_.to_the_end || order.kind == OrderKind::promote_full,
                .words = "promoted by " + order_text(order)};
      break;
    case OrderKind::approve: approved_ = "approved by " + order_text(order); break;
    case OrderKind::abort:
    case OrderKind::reject: break;
  }
}

OrderAnswer Run::weigh(const Order& order, const Sight& sight) const {
  switch (order.kind) {
    case OrderKind::pause:
      if (pause_) return {.text = "it is paused already, " + pause_->words};
      return {.accepted = true, .text = fmt::format("paused at {:.4g} %", percent())};
    case OrderKind::resume:
      if (!pause_) return {.text = fmt::format("it is not paused, it is at {:.4g} %", percent())};
      return {.accepted = true, .text = fmt::format("goes on at {:.4g} %", percent())};
    case OrderKind::promote: return {.accepted = true, .text = fmt::format("leaves {:.4g} % now", percent())};
    case OrderKind::promote_full: return {.accepted = true, .text = fmt::format("from {:.4g} % to 100 %", percent())};
    case OrderKind::approve:
    case OrderKind::reject:
      if (!await_) return {.text = fmt::format("it waits for no approval, it is at {:.4g} %", percent())};
      if (order.percent > 0 && order.percent != next_percent())
        return {.text = fmt::format("it waits for an approval before {:.4g} %, not before {:.4g} %", next_percent(),
                                    order.percent)};
      if (!approved_.empty()) return {.text = "it is approved already, " + approved_};
      if (order.kind == OrderKind::approve)
        return {.accepted = true, .text = fmt::format("{:.4g} % is approved", next_percent())};
      break;
    case OrderKind::abort: break;
  }
  if (!sight.baseline_dead.empty())
    return {.text = "the old version is not alive, so nothing is rolled back onto it: " + sight.baseline_dead};
  return {.accepted = true, .text = "the old split is put back"};
}

Status Run::take_orders(Sight& sight) {
  if (ports_.orders == nullptr) return {};
  const Result<std::vector<Order>> waiting = ports_.orders->waiting(record_.id);
  blind(sight, "it was not known what was ordered", waiting ? "" : waiting.error().text());
  sight.orders_known = waiting.has_value();
  if (waiting)
    for (const Order& order : *waiting) {
      if (record_.progress.state == State::restoring) break;  // refused when that is over
      std::optional<OrderAnswer> answer = answer_of(order.id);
      if (!answer) {
        answer = weigh(order, sight);
        SERIN_CHECK(take_order(order, *answer));
      }
      // Without success it is there at the next look again.
      static_cast<void>(ports_.orders->answer(order.id, *answer));
    }
  sight.paused = pause_ ? pause_->words : std::string();
  sight.may_leave = await_ ? await_->words : std::string();
  sight.ordered = go_on_.now ? go_on_.words : std::string();
  sight.entered = entered_at_ + stood_;
  sight.ends = ends_;
  return {};
}

std::optional<OrderAnswer> Run::answer_of(std::int64_t order) const {
  for (const Event& event : record_.events)
    if (event.order && event.order->id == order) return OrderAnswer{.accepted = event.obeyed, .text = event.text};
  return std::nullopt;
}

Status Run::take_order(const Order& order, const OrderAnswer& answer) {
  const bool aborts = answer.accepted && (order.kind == OrderKind::abort || order.kind == OrderKind::reject);
  if (aborts) {
    // Written down together with the order, so that it is taken back wherever this process dies.
    record_.progress.state = State::restoring;
    record_.progress.reason = (order.kind == OrderKind::reject ? "rejected by " : "aborted by ") + order_text(order);
  }
  Event event = event_now(EventKind::order, answer.text);
  event.done = event.at;
  event.order = order;
  event.obeyed = answer.accepted;
  const Instant at = event.at;
  SERIN_CHECK(write(std::move(event)));
  ports_.observer.on_note(fmt::format("{}: {} by {}{}", order_name(order.kind),
                                      answer.accepted ? "ordered" : "refused, though ordered", order_text(order),
                                      answer.accepted ? "" : ": " + answer.text));
  if (aborts) ports_.observer.on_verdict(record_, record_.progress.reason);
  if (!answer.accepted) return {};
  const Duration stood = stood_;
  obey(order, at);
  ends_ += stood_ - stood;
  gate_from_ = go_on_.now ? at : gate_from_ + (stood_ - stood);
  return {};
}

Result<std::optional<Decision>> Run::ask_person(Decision& decision) {
  const double next = next_percent();
  const bool asked = (record_.progress.stage < 0 && plan_.approval.first) ||
                     std::ranges::find(plan_.approval.before, next) != plan_.approval.before.end();
  if (!asked) return std::nullopt;
  if (await_ && !approved_.empty()) {
    decision.reason += "; " + approved_;
    return std::nullopt;
  }
  if (!await_) {
    await_ = Pause{.since = now(), .words = decision.reason};
    ports_.observer.on_note(
        fmt::format("waits for an approval before {0:.4g} % ({1}): `serin approve {2}` or `serin reject "
                    "{2}`",
                    next, decision.reason, record_.service));
    SERIN_CHECK(say(EventKind::await, decision.reason));
    return Decision{};
  }
  if (now() - await_->since < plan_.approval.timeout) return Decision{};
  return Decision{Move::hold,
                  fmt::format("nobody approved {:.4g} % within {}", next, format_duration(plan_.approval.timeout))};
}

void Run::forget_orders() {
  pause_.reset();
  await_.reset();
  approved_.clear();
  stood_ = {};
  go_on_ = {};
}

void Run::refuse_orders() {
  if (ports_.orders == nullptr || fenced_) return;
  const Result<std::vector<Order>> waiting = ports_.orders->waiting(record_.id);
  if (!waiting) return;  // whoever waits for an answer sees in the journal that it is over
  for (const Order& order : *waiting)
    static_cast<void>(
        ports_.orders->answer(order.id, answer_of(order.id).value_or(OrderAnswer{.text = too_late(record_)})));
}

}  // namespace serin::rollout
