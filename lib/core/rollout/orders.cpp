#include "serin/rollout/orders.hpp"

#include <fmt/format.h>

namespace serin::rollout {

std::string_view order_name(OrderKind kind) noexcept {
  switch (kind) {
    case OrderKind::pause: return "pause";
    case OrderKind::resume: return "resume";
    case OrderKind::promote: return "promote";
    case OrderKind::promote_full: return "promote_full";
    case OrderKind::abort: return "abort";
    case OrderKind::approve: return "approve";
    case OrderKind::reject: return "reject";
  }
  return "pause";
}

Result<OrderKind> parse_order(std::string_view name) {
  for (const auto kind : {OrderKind::pause, OrderKind::resume, OrderKind::promote, OrderKind::promote_full,
                          OrderKind::abort, OrderKind::approve, OrderKind::reject})
    if (name == order_name(kind)) return kind;
  return fail(Errc::data_loss, fmt::format("there is no order '{}'", name));
}

std::string order_text(const Order& order) {
  return fmt::format("{} (order {}){}{}", order.by, order.id, order.reason.empty() ? "" : ": ", order.reason);
}

}  // namespace serin::rollout
