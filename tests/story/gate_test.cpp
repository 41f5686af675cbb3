// Goal: wrong data stops a release before any user meets it, and data that cannot be checked is not good data. Method:
// `serin deploy` of a small fleet with `plan.checks`, on a SQLite file whose rows the test makes wrong.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/json.hpp>
#include <memory>

#include "shell.hpp"

namespace serin::story {
namespace {

namespace json = boost::json;

struct Gate : testing::Test {
  Gate() {
    folder.write("checks.yaml", "checks:\n  - {name: there are orders, table: orders, row_count: {}, fail: \"< 1\"}\n");
    execute("CREATE TABLE orders(id INTEGER PRIMARY KEY); INSERT INTO orders VALUES(1)");
    const Outcome up = serin({"up"});
    EXPECT_EQ(up.code, 0) << up.text();
  }
  ~Gate() override { serin({"down"}); }
  void execute(const std::string& statements) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder.path() + "/shop.db").c_str(), &database), SQLITE_OK);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> closed(database, sqlite3_close);
    ASSERT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
  }
  Outcome serin(std::vector<std::string> words) const {
    words.insert(words.begin(), {bin() + "/serin", "--fleet", fleet, "--state", folder.path() + "/state"});
    return run(words, 120s);
  }
  /// Nobody sends a request here, so a stage ends when its time is over.
  Outcome deploy(const std::string& release) const {
    return serin({"deploy", "page", "--release", release, "--blind"});
  }
  /// The only release with traffic.
  std::string serving() const {
    const json::value status = json::parse(serin({"status", "--json"}).out);
    std::string out;
    for (const json::value& release : status.at("services").at(0).at("releases").as_array())
      if (release.at("weight").to_number<double>() > 0) out += std::string(release.at("name").as_string()) + " ";
    return out;
  }
  Folder folder;
  std::string fleet = folder.write("fleet.yaml",
                                   "fleet: gated\n"
                                   "warehouse: sqlite:" +
                                       folder.path() +
                                       "/shop.db\n"
                                       "plan:\n"
                                       "  stages: [50]\n"
                                       "  monitoring_duration: 2s\n"
                                       "  min_stage: 1s\n"
                                       "  on_undecided: advance\n"
                                       "  on_undecided_early: advance\n"
                                       "  checks: {file: checks.yaml, before: true, between: true, after: true}\n"
                                       "services:\n"
                                       "  page:\n"
                                       "    command: [\"${bin}/hello\"]\n"
                                       "    release: v1\n"
                                       "    releases:\n"
                                       "      v2: {environment: {GREETING: two}}\n"
                                       "      v3: {environment: {GREETING: three}}\n");
};

TEST_F(Gate, lets_a_release_through_when_the_data_is_good_and_takes_it_back_when_it_is_not) {
  const Outcome good = deploy("v2");
  EXPECT_EQ(good.code, 0) << good.text();
  EXPECT_EQ(serving(), "v2 ");
  execute("DELETE FROM orders");
  const Outcome bad = deploy("v3");
  EXPECT_EQ(bad.code, 1) << bad.text();
  EXPECT_NE(bad.out.find("there are orders"), std::string::npos) << "the check is named\n" << bad.text();
  EXPECT_EQ(serving(), "v2 ");
}

TEST_F(Gate, that_cannot_be_asked_is_undecided_and_held_where_the_plan_says_so) {
  execute("DROP TABLE orders");
  const Outcome held =
      serin({"deploy", "page", "--release", "v2", "--blind", "--on-undecided", "hold", "--on-undecided-early", "hold"});
  EXPECT_EQ(held.code, 3) << held.text();
  EXPECT_NE(held.text().find("could not be evaluated"), std::string::npos) << held.text();
  EXPECT_EQ(serving(), "v1 ");
}

}  // namespace
}  // namespace serin::story
