// Goal: what the journal returned success for is there for the next process, whole, and one rollout of a service is
// open at a time. Method: SQLite on a file, read through a second connection.
#include "serin/rollout/sql_journal.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::rollout {
namespace {

class JournalOnFile : public testing::Test {
 protected:
  JournalOnFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-journal-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    sql = SqliteSql::open({.path = folder + "/state.db"}, world.sleeper()).value();
    journal = SqlJournal::open(*sql, world.sleeper()).value();
  }
  ~JournalOnFile() override {
    journal.reset();
    sql.reset();
    std::filesystem::remove_all(folder);
  }
  static Record record(std::string_view service = "worker") {
    return {.service = ServiceName::make(service).value(),
            .candidate = {.name = v2, .command = {"/bin/x"}, .digest = "sha256:2"},
            .plan = {.stages = {5, 50}},
            .before = {{v1, 100}},
            .baseline = v1,
            .created = wall_of_unix_ms(1'775'757'780'250),
            .created_at = Instant(90s),
            .progress = {},
            .events = {},
            .buckets = {}};
  }
  static inline const ReleaseName v1 = ReleaseName::make("v1").value();
  static inline const ReleaseName v2 = ReleaseName::make("v2").value();
  sim::World world;
  std::string folder;
  std::unique_ptr<SqliteSql> sql;
  std::unique_ptr<SqlJournal> journal;
};

TEST_F(JournalOnFile, keeps_a_rollout_whole) {
  const std::int64_t id = journal->create(record()).value();
  Event event{.seq = 1,
              .kind = EventKind::set_split,
              .stage = 0,
              .split = {{v1, 95}, {v2, 5}},
              .seen = {},
              .text = "5 %",
              .at = Instant(91s),
              .done = {}};
  const Progress progress{.state = State::stage, .held_in = State::starting, .stage = 0, .reason = "because"};
  ASSERT_TRUE(journal->write(id, event, progress));
  EXPECT_FALSE(journal->load(id)->events.at(0).done.has_value()) << "intended, not done";
  event.done = Instant(92s);
  event.seen = event.split;
  ASSERT_TRUE(journal->write(id, event, progress));
  const Bucket bucket{.second = 92,
                      .stage = 0,
                      .canary_requests = 5,
                      .canary_errors = 1,
                      .canary_hidden = 1,
                      .baseline_requests = 95,
                      .baseline_errors = 2,
                      .baseline_hidden = 0,
                      .unattributed = 3,
                      .lost = 4,
                      .canary_latency = LatencyHistogram::parse("1:3=4"),
                      .baseline_latency = LatencyHistogram::parse("1:3=90,40=5"),
                      .worse = 0.5,
                      .healthy = -1};
  Bucket untimed = bucket;
  untimed.second = 93;
  untimed.canary_latency = LatencyHistogram();
  untimed.baseline_latency.reset();
  const std::vector<Bucket> buckets{bucket, untimed};
  ASSERT_TRUE(journal->add(id, buckets));
  ASSERT_TRUE(journal->add(id, buckets)) << "the same second again is fine";

  const auto other_sql = SqliteSql::open({.path = folder + "/state.db"}, world.sleeper()).value();
  const auto other = SqlJournal::open(*other_sql, world.sleeper()).value();
  const Record read = other->load(id).value();
  EXPECT_EQ(read.service, record().service);
  EXPECT_EQ(release_json(read.candidate), release_json(record().candidate));
  EXPECT_EQ(plan_json(read.plan), plan_json(record().plan));
  EXPECT_EQ(read.before, record().before);
  EXPECT_EQ(read.created, record().created);
  EXPECT_EQ(read.created_at, record().created_at);
  EXPECT_EQ(read.progress, progress);
  ASSERT_EQ(read.events.size(), 1u);
  EXPECT_EQ(read.events[0].seen, event.split);
  EXPECT_EQ(read.events[0].done, event.done);
  EXPECT_EQ(read.events[0].at, event.at);
  EXPECT_EQ(read.buckets, buckets);
}

TEST_F(JournalOnFile, keeps_who_ordered_what_and_why_with_the_answer) {
  const std::int64_t id = journal->create(record()).value();
  const Order order{.id = 7,
                    .rollout = id,
                    .kind = OrderKind::promote_full,
                    .percent = 12.5,
                    .by = "anna@host",
                    .reason = "the fix is urgent",
                    .given = wall_of_unix_ms(1'775'757'790'125)};
  Event event{.seq = 1,
              .kind = EventKind::order,
              .split = {},
              .seen = {},
              .text = "from 5 % to 100 %",
              .done = Instant(91s),
              .order = order,
              .obeyed = true};
  ASSERT_TRUE(journal->write(id, event, {.state = State::stage, .reason = {}}));
  const Record read = journal->load(id).value();
  ASSERT_EQ(read.events.size(), 1u);
  EXPECT_EQ(read.events[0].order, order);
  EXPECT_TRUE(read.events[0].obeyed);
  EXPECT_EQ(read.events[0].text, event.text);
  EXPECT_EQ(journal->history(record().service, 1)->front().events.at(0).order, order);
}

TEST_F(JournalOnFile, has_one_open_rollout_of_a_service) {
  const std::int64_t id = journal->create(record()).value();
  const Result<std::int64_t> second = journal->create(record());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::conflict);
  EXPECT_TRUE(journal->create(record("other")).has_value());
  ASSERT_TRUE(journal->write(id, {.seq = 1, .kind = EventKind::finish, .split = {}, .seen = {}, .text = {}, .done = {}},
                             {.state = State::promoted, .reason = {}}));
  EXPECT_TRUE(journal->create(record()).has_value());
  EXPECT_EQ(journal->history(std::nullopt, 10)->size(), 3u);
  EXPECT_EQ(journal->history(record().service, 1)->front().progress.state, State::starting) << "the newest first";
  EXPECT_EQ(journal->load(99).error().code(), Errc::not_found);
}

TEST_F(JournalOnFile, of_an_earlier_version_learns_what_is_new_and_does_not_know_it_of_what_is_old) {
  const auto never = Deadline::never();
  ASSERT_TRUE(sql->execute("DROP TABLE rollout_evidence", {}, never));
  ASSERT_TRUE(
      sql->execute("CREATE TABLE rollout_evidence(rollout INTEGER, second INTEGER, stage INTEGER, "
                   "canary_requests INTEGER, canary_errors INTEGER, canary_hidden INTEGER, baseline_requests "
                   "INTEGER, baseline_errors INTEGER, baseline_hidden INTEGER, unattributed INTEGER, lost "
                   "INTEGER, worse REAL, healthy REAL, PRIMARY KEY(rollout, second)) WITHOUT ROWID",
                   {}, never));
  const std::int64_t id = journal->create(record()).value();
  ASSERT_TRUE(
      sql->execute("INSERT INTO rollout_evidence VALUES($1, 92, 0, 5, 1, 0, 95, 2, 0, 0, 0, 0.5, 0.25)", {id}, never));
  const auto again = SqlJournal::open(*sql, world.sleeper());
  ASSERT_TRUE(again) << again.error().text();
  const Record read = (*again)->load(id).value();
  ASSERT_EQ(read.buckets.size(), 1u);
  EXPECT_EQ(read.buckets[0].canary_requests, 5);
  EXPECT_EQ(read.buckets[0].canary_latency, std::nullopt);
  const std::vector<Bucket> next{{.second = 93, .canary_latency = LatencyHistogram::parse("1:3=4")}};
  ASSERT_TRUE((*again)->add(id, next));
  EXPECT_EQ((*again)->load(id)->buckets.at(1), next[0]);
}

}  // namespace
}  // namespace serin::rollout
