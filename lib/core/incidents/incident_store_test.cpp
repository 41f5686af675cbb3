// Goal: an incident is there once for each trouble, survives its process, and its timeline says who did what when.
// Method: SQLite on a file, closed and opened again.
#include "serin/incidents/incident_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::incidents {
namespace {

class IncidentsOnFile : public testing::Test {
 protected:
  IncidentsOnFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-incidents-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    reopen();
  }
  ~IncidentsOnFile() override {
    store.reset();
    sql.reset();
    std::filesystem::remove_all(folder);
  }
  void reopen() {
    store.reset();
    sql = SqliteSql::open({.path = folder + "/watch.db"}, world.sleeper()).value();
    store = IncidentStore::open(*sql, Deadline::never()).value();
  }
  static Incident trouble(std::string_view check, int minute, std::string_view service = "worker") {
    return {.check = std::string(check),
            .service = std::string(service),
            .severity = notify::Severity::ticket,
            .finding = "failing",
            .reason = "503 from /ready",
            .began = at(minute) - 90s,
            .opened = at(minute)};
  }
  static WallTime at(int minute) { return wall_of_unix_ms(1'775'757'780'250) + std::chrono::minutes(minute); }
  Result<Incident> begin(const Incident& incident) {
    Incident out;
    const Status done = sql->transaction(
        [&](SqlSession& session) -> Status {
          SERIN_TRY(out, open_in(session, incident));
          return {};
        },
        Deadline::never());
    if (!done) return pass(done.error());
    return out;
  }
  Status end(std::int64_t id, int minute) {
    return sql->transaction(
        [&](SqlSession& session) { return resolve_in(session, id, at(minute), "2 in a row were ok"); },
        Deadline::never());
  }
  sim::World world;
  std::string folder;
  std::unique_ptr<Sql> sql;
  std::unique_ptr<IncidentStore> store;
};

TEST_F(IncidentsOnFile, are_there_for_the_next_process) {
  const Incident first = begin(trouble("ready", 0)).value();
  EXPECT_EQ(first.id, 1);
  reopen();
  EXPECT_EQ(store->find(1, Deadline::never()).value(), first);
  EXPECT_EQ(store->unresolved_of("ready", Deadline::never()).value(), first);
  EXPECT_EQ(store->unresolved_of("other", Deadline::never()).value(), std::nullopt);
  ASSERT_TRUE(end(1, 5));
  reopen();
  EXPECT_EQ(store->find(1, Deadline::never())->resolved, at(5));
  EXPECT_EQ(store->find(1, Deadline::never())->state(), IncidentState::resolved);
  EXPECT_EQ(store->unresolved_of("ready", Deadline::never()).value(), std::nullopt);
}

TEST_F(IncidentsOnFile, are_one_for_one_trouble) {
  ASSERT_TRUE(begin(trouble("ready", 0)));
  const auto second = begin(trouble("ready", 1));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::conflict);
  ASSERT_TRUE(begin(trouble("smoke", 1)));
  ASSERT_TRUE(end(1, 2));
  EXPECT_EQ(begin(trouble("ready", 3))->id, 3) << "after it was resolved there may be another";
  EXPECT_FALSE(end(1, 4)) << "over is over";
}

TEST_F(IncidentsOnFile, tell_who_did_what_when) {
  Incident incident = begin(trouble("ready", 0)).value();
  ASSERT_TRUE(store->acknowledge(1, "mia", at(2), "looking", Deadline::never()));
  const auto again = store->acknowledge(1, "ben", at(3), "", Deadline::never());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Errc::conflict);
  EXPECT_NE(again.error().detail().find("mia"), std::string::npos) << again.error().detail();
  incident.finding = "unknown";
  incident.reason = "refused";
  ASSERT_TRUE(sql->transaction([&](SqlSession& session) { return change_in(session, incident, at(3), "now unknown"); },
                               Deadline::never()));
  ASSERT_TRUE(store->note(1, {.at = at(4), .kind = "note", .text = "restarted it", .by = "mia"}, Deadline::never()));
  ASSERT_TRUE(end(1, 5));
  EXPECT_FALSE(store->acknowledge(1, "mia", at(6), "", Deadline::never())) << "it is over";
  reopen();
  const auto events = store->timeline(1, Deadline::never()).value();
  std::string told;
  for (const IncidentEvent& event : events)
    told += std::to_string(event.seq) + " " + event.kind + " " + event.by + ": " + event.text + "\n";
  EXPECT_EQ(told,
            "1 opened : failing: 503 from /ready\n"
            "2 acknowledged mia: looking\n"
            "3 changed : now unknown\n"
            "4 note mia: restarted it\n"
            "5 resolved : 2 in a row were ok\n");
  EXPECT_EQ(events[1].at, at(2));
  const Incident after = store->find(1, Deadline::never()).value();
  EXPECT_EQ(after.finding, "unknown");
  EXPECT_EQ(after.acknowledged, at(2));
  EXPECT_EQ(after.acknowledged_by, "mia");
}

TEST_F(IncidentsOnFile, are_listed_as_wanted_the_newest_first) {
  ASSERT_TRUE(begin(trouble("a", 0)));
  ASSERT_TRUE(end(1, 10));
  ASSERT_TRUE(begin(trouble("a", 20)));
  ASSERT_TRUE(begin(trouble("b", 30, "admin")));
  const auto ids = [&](const IncidentFilter& filter) {
    std::string out;
    const std::vector<Incident> found = store->list(filter, Deadline::never()).value();
    for (const Incident& incident : found) out += std::to_string(incident.id);
    return out;
  };
  EXPECT_EQ(ids({}), "321");
  EXPECT_EQ(ids({.only_unresolved = true}), "32");
  EXPECT_EQ(ids({.service = "worker"}), "21");
  EXPECT_EQ(ids({.from = at(15)}), "32") << "over before it";
  EXPECT_EQ(ids({.from = at(5), .to = at(20)}), "1");
  EXPECT_EQ(ids({.most = 2}), "32");
  EXPECT_EQ(store->find(9, Deadline::never()).error().code(), Errc::not_found);
  EXPECT_EQ(store->note(9, {.kind = "note"}, Deadline::never()).error().code(), Errc::not_found);
  EXPECT_EQ(store->acknowledge(9, "mia", at(0), "", Deadline::never()).error().code(), Errc::not_found);
}

TEST_F(IncidentsOnFile, change_with_what_else_the_transaction_does_or_not_at_all) {
  const Status failed = sql->transaction(
      [&](SqlSession& session) -> Status {
        SERIN_CHECK(open_in(session, trouble("ready", 0)));
        return fail(Errc::internal, "the check's state could not be written");
      },
      Deadline::never());
  ASSERT_FALSE(failed);
  EXPECT_TRUE(store->list({}, Deadline::never())->empty());
  EXPECT_TRUE(store->timeline(1, Deadline::never())->empty());
}

}  // namespace
}  // namespace serin::incidents
