#pragma once
#include <memory>

#include "serin/ports/clock.hpp"
#include "serin/ports/sql.hpp"
#include "serin/rollout/journal.hpp"

namespace serin::rollout {

/// The journal in tables of the control database: rollouts, rollout_events, rollout_orders, rollout_evidence.
class SqlJournal final : public Journal {
 public:
  /// Makes the tables when they are not there. \param sql, clock  outlive it
  static Result<std::unique_ptr<SqlJournal>> open(Sql& sql, const Clock& clock);
  Result<std::int64_t> create(const Record& record) override;
  Status write(std::int64_t id, const Event& event, const Progress& progress) override;
  Status add(std::int64_t id, std::span<const Bucket> buckets) override;
  Result<Record> load(std::int64_t id) override;
  Result<std::vector<Record>> history(const std::optional<ServiceName>& service, int limit) override;

 private:
  SqlJournal(Sql& sql, const Clock& clock) : sql_(sql), clock_(clock) {}
  [[nodiscard]] Deadline soon() const;
  Result<Record> read(const SqlRow& row);
  Status read_orders(Record& record);

  Sql& sql_;
  const Clock& clock_;
};

}  // namespace serin::rollout
