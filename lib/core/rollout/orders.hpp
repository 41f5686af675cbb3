#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"

namespace serin::rollout {

/// What a person may tell a rollout that another process drives.
enum class OrderKind : std::uint8_t {
  pause,         ///< stay in this stage, and its clock stands; it is watched, and taken back when it has to be
  resume,        ///< end the pause; the clock goes on where it stood
  promote,       ///< leave this stage now, proved or not
  promote_full,  ///< the same, and no further stage: everything to the candidate
  abort,         ///< put the old split back now
  approve,       ///< yes, where the plan asks a person
  reject,        ///< no: put the old split back now
};
[[nodiscard]] std::string_view order_name(OrderKind kind) noexcept;
/// Errors: data_loss, for a word that is none.
[[nodiscard]] Result<OrderKind> parse_order(std::string_view name);

struct Order {
  std::int64_t id = 0;  ///< 1, 2, ... over all rollouts, by whoever keeps them
  std::int64_t rollout = 0;
  OrderKind kind = OrderKind::pause;
  double percent = 0;  ///< approve, reject: before which stage; 0: the one that it waits for
  std::string by;      ///< who gave it: "anna@host"
  std::string reason;  ///< why, a person's words; may be empty
  WallTime given;
  friend bool operator==(const Order&, const Order&) = default;
};

/// What became of one. A refused order changed nothing; the sentence says why.
struct OrderAnswer {
  bool accepted = false;
  std::string text = {};
  friend bool operator==(const OrderAnswer&, const OrderAnswer&) = default;
};

/// "anna@host (order 7): the shop is closed". Pure.
[[nodiscard]] std::string order_text(const Order& order);

/// Where orders wait for the process that drives their rollout. What a call returned success for survives kill -9.
/// Errors of every call: the store's; then it is not known what was ordered, which is not "nothing was". Threads: the
/// engine's.
class Orders {
 public:
  virtual ~Orders() = default;
  /// Those of a rollout without an answer, in the order in which they were given.
  virtual Result<std::vector<Order>> waiting(std::int64_t rollout) = 0;
  /// The first answer stays; a later one changes nothing. Errors: not_found.
  virtual Status answer(std::int64_t id, const OrderAnswer& answer) = 0;
};

}  // namespace serin::rollout
