// Goal: a person who checks data gets the right exit code, the reports that were asked for, a place and a way out for
// each mistake, and never a written database. Method: `serin check` as it is installed, on small SQLite files.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/json.hpp>
#include <csignal>
#include <memory>

#include "shell.hpp"

namespace serin::story {
namespace {

void execute(const std::string& path, const std::string& statements) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> closed(database, sqlite3_close);
  ASSERT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
}

constexpr const char* good =
    "tables: {orders: {key: id, grows_by: id}}\n"
    "checks:\n"
    "  - {table: orders, row_count: {}, name: there are orders, owner: shop, tags: [daily]}\n"
    "  - {table: orders, missing: customer, warn: '> 10%', fail: '> 50%', name: customers are known}\n"
    "  - {table: orders, unique: id}\n";
const std::string bad = std::string(good) +
                        "  - {table: orders, range: {column: amount, min: 0}, name: no negative amount}\n"
                        "  - {table: orders, range: {column: amoumt, min: 0}, name: a typing error}\n"
                        "  - {sql: SELEKT 1, name: no SQL}\n"
                        "  - {table: orders, change: {metric: row_count}, fail: '> 10', name: growth}\n";

class Check : public testing::Test {
 protected:
  Check() {
    execute(database,
            "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, amount REAL);"
            "INSERT INTO orders VALUES(1, 'ann', 10), (2, NULL, 5), (3, 'bob <i>&', -3), (4, 'cyd', 4)");
  }
  [[nodiscard]] Outcome check(std::vector<std::string> words) const {
    words.insert(words.begin(), {bin() + "/serin", "check"});
    return serin::story::run(words);
  }
  [[nodiscard]] Outcome run(const std::string& file, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"run", file, "--db", "sqlite:" + database});
    return check(more);
  }
  Folder folder;
  std::string database = folder.path() + "/shop.db";
  std::string good_file = folder.write("good.yaml", good);
  std::string bad_file = folder.write("bad.yaml", bad);
};

TEST_F(Check, nothing_failed_is_0_and_a_warning_is_what_one_says_it_is) {
  const Outcome outcome = run(good_file);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_NE(outcome.out.find("2 passed, 1 warned, 0 failed"), std::string::npos) << outcome.text();
  EXPECT_NE(outcome.out.find("1 of 4 rows (25 %)"), std::string::npos) << outcome.text();
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << "no colour in a file";
  EXPECT_TRUE(outcome.err.empty()) << outcome.text();
  EXPECT_EQ(run(good_file, {"--fail-on", "warn"}).code, 1);
}

TEST_F(Check, a_failed_check_is_1_and_is_repeated_with_its_place_its_statement_and_its_rows) {
  const Outcome outcome = run(bad_file);
  EXPECT_EQ(outcome.code, 1) << outcome.text();
  for (const char* part : {"bad.yaml:6", "no negative amount", "id=3", "amoumt; did you mean amount?", "SELEKT"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.text();
}

TEST_F(Check, that_could_not_be_evaluated_is_3_and_stops_no_other) {
  const std::string file =
      folder.write("error.yaml", std::string(good) + "  - {sql: SELECT nothing FROM nowhere, name: broken}\n");
  const Outcome outcome = run(file);
  EXPECT_EQ(outcome.code, 3) << outcome.text();
  EXPECT_NE(outcome.out.find("2 passed, 1 warned"), std::string::npos) << outcome.text();
}

TEST_F(Check, writes_all_reports_at_once) {
  const Outcome outcome =
      run(bad_file,
          {"--format", "json=" + folder.path() + "/r.json", "--format", "junit=" + folder.path() + "/r.xml", "--format",
           "html=" + folder.path() + "/r.html", "--format", "github", "--format", "text=" + folder.path() + "/r.txt"});
  EXPECT_EQ(outcome.code, 1) << outcome.text();
  EXPECT_EQ(outcome.out.rfind("::error ", 0), 0u) << outcome.text();
  EXPECT_NE(outcome.out.find("line=6"), std::string::npos) << outcome.text();
  EXPECT_EQ(outcome.out.find("passed, "), std::string::npos) << "the text went to its file\n" << outcome.text();
  const boost::json::value json = boost::json::parse(read_all(folder.path() + "/r.json"));
  EXPECT_EQ(json.at("schema_version").as_int64(), 1);
  EXPECT_EQ(json.at("results").as_array().size(), 7u);
  EXPECT_EQ(json.at("results").at(3).at("outcome").as_string(), "fail");
  const std::string junit = read_all(folder.path() + "/r.xml");
  EXPECT_NE(junit.find("tests=\"7\" failures=\"1\" errors=\"2\" skipped=\"1\""), std::string::npos) << junit;
  const std::string html = read_all(folder.path() + "/r.html");
  EXPECT_NE(html.find("no negative amount"), std::string::npos);
  EXPECT_EQ(html.find("<script src"), std::string::npos);
  EXPECT_NE(read_all(folder.path() + "/r.txt").find("2 passed"), std::string::npos);
}

TEST_F(Check, mistakes_in_a_file_have_a_place_and_a_suggestion_and_are_2) {
  struct Mistake {
    const char* line;
    const char* said;
  };
  const Mistake mistakes[] = {
      {"  - {table: orders, misssing: x}\n", "m.yaml:2:5: a check needs one of"},
      {"  - {table: orders, missing: x, fai: '> 1'}\n",
       "m.yaml:2:33: unknown key 'checks[0].fai'; did you mean 'fail'?"},
      {"  - {table: orders, missing: x, table: y}\n", "m.yaml:2:33:"},
      {"  - {table: orders, missing: x, fail: many}\n", "m.yaml:2:39: 'many' is no comparison"},
      {"  - {table: orders, range: {column: x, min: low}}\n", "must be a number, not 'low'"},
  };
  for (const Mistake& mistake : mistakes) {
    const std::string file = folder.write("m.yaml", std::string("checks:\n") + mistake.line);
    const Outcome outcome = run(file);
    EXPECT_EQ(outcome.code, 2) << outcome.text();
    EXPECT_NE(outcome.err.find(mistake.said), std::string::npos) << mistake.said << "\n" << outcome.text();
    EXPECT_TRUE(outcome.out.empty()) << outcome.text();
  }
}

TEST_F(Check, wrong_use_is_2_and_says_what_would_be_right) {
  EXPECT_EQ(check({}).code, 2);
  EXPECT_EQ(check({"run", good_file}).code, 2) << "no database";
  EXPECT_EQ(check({"run", folder.path() + "/none.yaml", "--db", "sqlite:" + database}).code, 2);
  const Outcome no_check = run(good_file, {"--table", "nothing"});
  EXPECT_EQ(no_check.code, 2) << "that no check ran is not that no check failed\n" << no_check.text();
  EXPECT_EQ(run(good_file, {"--format", "yaml"}).code, 2);
  EXPECT_EQ(run(good_file, {"--fail-on", "pass"}).code, 2);
  EXPECT_EQ(run(good_file, {"--threads", "99"}).code, 2);
  EXPECT_EQ(run(good_file, {"--set", "day"}).code, 2);
  EXPECT_EQ(run(good_file, {"--deadline", "soon"}).code, 2);
  EXPECT_EQ(run(good_file, {"--incremental"}).code, 2) << "there is no store";
  const Outcome none = check({"run", good_file, "--db", "sqlite:" + folder.path() + "/none.db"});
  EXPECT_EQ(none.code, 2) << none.text();
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/none.db")) << "a typing error makes no database";
  const Outcome bigquery = check({"run", good_file, "--db", "bigquery://project"});
  EXPECT_EQ(bigquery.code, 2) << bigquery.text();
  EXPECT_NE(bigquery.err.find("bigquery://PROJECT/DATASET"), std::string::npos) << bigquery.text();
  const Outcome typing = check({"run", good_file, "--db", "postgre://me:secret@host/db"});
  EXPECT_EQ(typing.code, 2) << typing.text();
  EXPECT_EQ(typing.err.find("secret"), std::string::npos) << typing.text();
  const Outcome gone = check({"run", good_file, "--db", "postgres://127.0.0.1:1/nobody"});
  EXPECT_EQ(gone.code, 3) << gone.text();
}

TEST_F(Check, only_reads_the_database) {
  const std::string before = read_all(database);
  const std::string file = folder.write(
      "w.yaml",
      "checks:\n  - {sql: 'DELETE FROM orders RETURNING 1', name: writes}\n  - {table: orders, row_count: {}}\n");
  const Outcome outcome = run(file);
  EXPECT_EQ(outcome.code, 3) << outcome.text();
  EXPECT_NE(outcome.out.find("1 passed"), std::string::npos) << outcome.text();
  EXPECT_EQ(read_all(database), before) << "not a byte, not its journal mode";
}

TEST_F(Check, list_and_explain_and_schema_say_what_a_run_would_do) {
  const Outcome list = check({"list", bad_file, "--tag", "daily"});
  EXPECT_EQ(list.code, 0) << list.text();
  EXPECT_NE(list.out.find("there are orders  @shop  #daily"), std::string::npos) << list.text();
  EXPECT_EQ(list.out.find("growth"), std::string::npos) << list.text();
  const Outcome explain = check({"explain", good_file, "--db", "sqlite:" + database});
  EXPECT_EQ(explain.code, 0) << explain.text();
  EXPECT_NE(explain.out.find("orders: 2 checks in one pass"), std::string::npos) << explain.text();
  EXPECT_NE(explain.out.find("3 checks, 1 passes over tables, 2 statements"), std::string::npos) << explain.text();
  const Outcome schema = check({"schema"});
  EXPECT_EQ(schema.code, 0);
  EXPECT_TRUE(boost::json::parse(schema.out).as_object().contains("$schema")) << schema.out.substr(0, 200);
}

TEST_F(Check, a_second_run_compares_with_the_first_and_the_past_can_be_looked_at_and_forgotten) {
  const std::string store = "sqlite:" + folder.path() + "/results.db";
  const std::string file =
      folder.write("g.yaml", "checks:\n  - {table: orders, change: {metric: row_count}, fail: '> 10', name: growth}\n");
  EXPECT_EQ(check({"history", file, "--store", store}).code, 2) << "there is no store yet";
  EXPECT_EQ(run(file, {"--store", store}).code, 0) << "the first run has nothing to compare with";
  execute(database, "INSERT INTO orders VALUES(5, 'dan', 1)");
  const Outcome second = run(file, {"--store", store});
  EXPECT_EQ(second.code, 1) << second.text();
  EXPECT_NE(second.out.find("5 after 4: +25 %"), std::string::npos) << second.text();
  const Outcome history = check({"history", file, "--store", store});
  EXPECT_EQ(history.code, 0) << history.text();
  EXPECT_EQ(std::count(history.out.begin(), history.out.end(), '\n'), 2) << history.text();
  EXPECT_NE(history.out.find("not_evaluated"), std::string::npos) << history.text();
  const Outcome baseline = check({"baseline", file, "--store", store});
  EXPECT_EQ(baseline.code, 0) << baseline.text();
  EXPECT_NE(baseline.out.find("1 checks start anew; 1 of them had a past"), std::string::npos) << baseline.text();
  EXPECT_EQ(run(file, {"--store", store}).code, 0) << "what comes now is normal";
}

TEST_F(Check, a_deadline_that_passes_is_3_and_still_reported) {
  const std::string file = folder.write(
      "slow.yaml",
      "checks:\n  - {name: endless, sql: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
      "COUNT(*) FROM n'}\n");
  const std::string store = "sqlite:" + folder.path() + "/results.db";
  const Outcome outcome = run(file, {"--deadline", "300ms", "--store", store});
  EXPECT_EQ(outcome.code, 3) << outcome.text();
  EXPECT_NE(outcome.out.find("endless"), std::string::npos) << outcome.text();
  EXPECT_NE(check({"history", file, "--store", store}).out.find("error"), std::string::npos) << "it was a run";
}

TEST_F(Check, ctrl_c_stops_the_statement_that_runs) {
  const std::string file = folder.write(
      "slow.yaml",
      "checks:\n  - {name: endless, sql: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
      "COUNT(*) FROM n'}\n");
  const std::string store = folder.path() + "/results.db";
  Process process({bin() + "/serin", "check", "run", file, "--db", "sqlite:" + database, "--store", "sqlite:" + store});
  ASSERT_TRUE(eventually(20s, [&] { return std::filesystem::exists(store); })) << "it never began";
  process.signal_group(SIGINT);
  const Outcome outcome = process.wait(20s);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(outcome.code, 3) << outcome.text();
  EXPECT_NE(outcome.err.find("interrupted"), std::string::npos) << outcome.text();
}

}  // namespace
}  // namespace serin::story
