#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serin/incidents/incident.hpp"
#include "serin/ports/sql.hpp"

namespace serin::incidents {

/// Which incidents are wanted; the newest first.
struct IncidentFilter {
  bool only_unresolved = false;
  std::string service = {};           ///< empty: of all
  std::optional<WallTime> from = {};  ///< those that were not over before it
  std::optional<WallTime> to = {};    ///< those that were opened before it
  int most = 1000;                    ///< >= 1
};

// Steps of a transaction that also changes other things: a check's state and its incident change together or not at
// all. Errors: conflict (open_in: that check has one that is not resolved), not_found, and those of the database.
/// Writes a new incident with its first event; its id is chosen here. Returns it.
Result<Incident> open_in(SqlSession& session, Incident incident);
/// It is over; the event's text says how that was found out.
Status resolve_in(SqlSession& session, std::int64_t id, WallTime at, const std::string& text);
/// It goes on with another finding or reason.
Status change_in(SqlSession& session, const Incident& incident, WallTime at, const std::string& text);
Status note_in(SqlSession& session, std::int64_t id, IncidentEvent event);

/// Incidents and their timelines in two tables named incident*. What a call returned success for survives kill -9.
/// Threads and processes: any.
class IncidentStore {
 public:
  /// Makes the tables when they are not there. \param sql  outlives it. Errors: of the database.
  static Result<std::unique_ptr<IncidentStore>> open(Sql& sql, Deadline deadline);
  Result<std::vector<Incident>> list(const IncidentFilter& filter, Deadline deadline);
  /// Errors: not_found.
  Result<Incident> find(std::int64_t id, Deadline deadline);
  /// Of a check, the one that is not resolved; nothing when all are.
  Result<std::optional<Incident>> unresolved_of(const std::string& check, Deadline deadline);
  Result<std::vector<IncidentEvent>> timeline(std::int64_t id, Deadline deadline);
  /// Somebody takes it. Once is enough: the first keeps it. Errors: not_found; conflict: taken already, or over.
  Status acknowledge(std::int64_t id, const std::string& by, WallTime at, const std::string& text, Deadline deadline);
  /// Adds to the timeline. Errors: not_found.
  Status note(std::int64_t id, IncidentEvent event, Deadline deadline);

 private:
  explicit IncidentStore(Sql& sql) : sql_(sql) {}
  Sql& sql_;
};

}  // namespace serin::incidents
