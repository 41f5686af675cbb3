// Goal: what the journal and the control database called done is there after a power cut, at whatever moment it comes
// and whatever the disk kept of what nobody waited for. Method: SQLite over a disk that forgets; a cut at every write
// and every sync of a rollout's records, three kinds each; what is left is opened as the next process would open it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "lossy_disk.hpp"
#include "serin/control/control_store.hpp"
#include "serin/rollout/split.hpp"
#include "serin/rollout/sql_journal.hpp"
#include "serin/sim/world.hpp"
#include "serin/sqlite/sqlite_sql.hpp"

namespace serin::crash {
namespace {

namespace fs = std::filesystem;
using rollout::Record;

const ReleaseName v1 = ReleaseName::make("v1").value();
const ReleaseName v2 = ReleaseName::make("v2").value();
const ServiceName worker = ServiceName::make("worker").value();

/// What was called done, in words that can be compared.
struct Promised {
  std::vector<std::string> events;
  std::int64_t seconds = 0;
  std::string state;
  std::string split;
};

class PowerCut : public testing::Test {
 protected:
  PowerCut() {
    std::string pattern = (fs::temp_directory_path() / "serin-cut-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    fs::create_directory(folder + "/disk");
    disk = std::make_unique<LossyDisk>(folder + "/disk");
  }
  ~PowerCut() override {
    disk.reset();
    fs::remove_all(folder);
  }
  [[nodiscard]] std::string path() const { return folder + "/disk/state.db"; }
  /// The state that a cut leaves, in a folder of its own.
  std::string cut(int kept) {
    const std::string left = fmt::format("{}/left-{}", folder, ++cuts);
    fs::create_directory(left);
    disk->cut(left, kept, static_cast<std::uint64_t>(cuts));
    return left;
  }
  /// Cuts three ways and compares with what was promised before; `current` is under way and may be there or not.
  void expect_kept(const Promised& promised, const Promised& current) {
    for (const int kept : {0, 128, 256}) {
      const std::string left = cut(kept);
      const std::string where = fmt::format("cut {}, {} of 256 unsynced sectors kept", cuts, kept);
      sim::World world;
      const auto sql = SqliteSql::open({.path = left + "/state.db"}, world.sleeper());
      ASSERT_TRUE(sql) << where << ": " << sql.error().text();
      const SqlTable sound = (*sql)->query("PRAGMA integrity_check", {}, Deadline::never()).value();
      EXPECT_EQ(std::get<std::string>(sound.rows.at(0).at(0)), "ok") << where;
      const Promised found = read(**sql, world);
      EXPECT_GE(found.seconds, promised.seconds) << where;
      EXPECT_LE(found.seconds, current.seconds) << where;
      EXPECT_TRUE(found.state == promised.state || found.state == current.state) << where << ": " << found.state;
      EXPECT_TRUE(found.split == promised.split || found.split == current.split) << where << ": " << found.split;
      EXPECT_TRUE(found.events == promised.events || found.events == current.events)
          << where << ": " << fmt::format("{}", fmt::join(found.events, "; "));
      fs::remove_all(left);
    }
  }
  static Promised read(Sql& sql, sim::World& world) {
    const auto journal = rollout::SqlJournal::open(sql, world.sleeper()).value();
    const auto store = control::ControlStore::open(sql, world.sleeper()).value();
    Promised out;
    const Result<Record> record = journal->load(1);
    if (record) {
      out.state = rollout::state_name(record->progress.state);
      for (const rollout::Event& event : record->events)
        out.events.push_back(fmt::format("{} {}", rollout::event_name(event.kind), event.done ? "done" : "intended"));
      out.seconds = static_cast<std::int64_t>(record->buckets.size());
    }
    const Result<Split> split = store->split(worker);
    if (split) out.split = rollout::split_text(*split);
    return out;
  }

  std::string folder;
  std::unique_ptr<LossyDisk> disk;
  int cuts = 0;
};

TEST_F(PowerCut, at_any_moment_of_a_rollout_loses_nothing_that_was_called_done) {
  sim::World world;
  const auto sql = SqliteSql::open({.path = path()}, world.sleeper()).value();
  const auto journal = rollout::SqlJournal::open(*sql, world.sleeper()).value();
  const auto store = control::ControlStore::open(*sql, world.sleeper()).value();
  Promised promised{.split = rollout::split_text({})};
  Promised current = promised;
  int steps = 0;
  disk->at_every_step = [&] {
    ++steps;
    expect_kept(promised, current);
  };
  // One call: before it returns both are possible, afterwards only its effect is.
  const auto call = [&](const std::function<void(Promised&)>& effect, const std::function<bool()>& act) {
    effect(current);
    ASSERT_TRUE(act());
    promised = current;
    expect_kept(promised, current);
  };
  Record record{.service = worker,
                .candidate = {.name = v2, .command = {"/bin/x"}},
                .plan = {},
                .before = {{v1, 100}},
                .baseline = v1,
                .progress = {},
                .events = {},
                .buckets = {}};
  call([](Promised& p) { p.state = "starting"; }, [&] { return journal->create(record).value_or(0) == 1; });
  rollout::Progress progress{.state = rollout::State::stage, .held_in = {}, .stage = 0, .reason = "because"};
  for (int stage = 1; stage <= 2; ++stage) {
    const Split split{{v1, 100.0 - 5 * stage}, {v2, 5.0 * stage}};
    rollout::Event event{.seq = stage,
                         .kind = rollout::EventKind::set_split,
                         .split = split,
                         .seen = {},
                         .text = "a stage",
                         .wall = {},
                         .at = Instant(91s),
                         .done = {}};
    call(
        [](Promised& p) {
          p.events.push_back("set_split intended");
          p.state = "stage";
        },
        [&] { return journal->write(1, event, progress).has_value(); });
    call([&](Promised& p) { p.split = rollout::split_text(split); },
         [&] { return store->save_split(worker, split).has_value(); });
    event.done = Instant(92s);
    call([](Promised& p) { p.events.back() = "set_split done"; },
         [&] { return journal->write(1, event, progress).has_value(); });
    const std::vector<rollout::Bucket> bucket{{.second = 90 + stage, .stage = stage - 1, .canary_requests = 5}};
    call([](Promised& p) { ++p.seconds; }, [&] { return journal->add(1, bucket).has_value(); });
  }
  progress.state = rollout::State::promoted;
  call(
      [](Promised& p) {
        p.events.push_back("finish done");
        p.state = "promoted";
      },
      [&] {
        return journal
            ->write(1,
                    {.seq = 3,
                     .kind = rollout::EventKind::finish,
                     .split = {},
                     .seen = {},
                     .text = {},
                     .wall = {},
                     .at = {},
                     .done = Instant(99s)},
                    progress)
            .has_value();
      });
  disk->at_every_step = {};
  EXPECT_GT(steps, 50) << "the disk saw the writes";
  EXPECT_GE(disk->syncs(), 10) << "each of the calls waited for the disk";
}

// That the disk above forgets at all: the same database, told not to wait for it.
TEST_F(PowerCut, does_lose_what_nobody_waited_for) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
  for (const char* statement : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t(x)",
                                "INSERT INTO t VALUES(1)", "PRAGMA synchronous=NORMAL", "INSERT INTO t VALUES(2)"})
    ASSERT_EQ(sqlite3_exec(database, statement, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  sim::World world;
  const auto rows = [&](int kept) {
    const auto left = SqliteSql::open({.path = cut(kept) + "/state.db"}, world.sleeper()).value();
    return left->query("SELECT x FROM t", {}, Deadline::never())->rows.size();
  };
  EXPECT_EQ(rows(0), 1u);
  EXPECT_EQ(rows(256), 2u);
  sqlite3_close(database);
}

}  // namespace
}  // namespace serin::crash
