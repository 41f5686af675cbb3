#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"
#include "serin/rollout/orders.hpp"

namespace serin::control {

/// An order, and its answer once it has one.
struct KeptOrder {
  rollout::Order order;
  std::optional<rollout::OrderAnswer> answer;
};

/// Orders for running rollouts in a table of the control database: the command line writes them, the process that
/// drives the rollout answers. Errors of every call: as ControlStore's. Threads: any. Processes: any.
class OrderStore final : public rollout::Orders {
 public:
  /// Makes the table when it is not there. \param sql, clock  outlive it
  static Result<std::unique_ptr<OrderStore>> open(Sql& sql, const Clock& clock);
  /// Writes an order down, now, and returns its id; the id and the time in it are not looked at.
  Result<std::int64_t> give(const rollout::Order& order);
  /// Errors: not_found.
  Result<KeptOrder> find(std::int64_t id);
  Result<std::vector<rollout::Order>> waiting(std::int64_t rollout) override;
  Status answer(std::int64_t id, const rollout::OrderAnswer& answer) override;

 private:
  OrderStore(Sql& sql, const Clock& clock) : sql_(sql), clock_(clock) {}
  [[nodiscard]] Deadline soon() const { return Deadline::after(clock_.now(), 2s); }
  Sql& sql_;
  const Clock& clock_;
};

}  // namespace serin::control
