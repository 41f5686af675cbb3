// Goal: compare-and-set never loses an update, whoever else writes. Method: two handles on one file, several threads.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "serin/sqlite/sqlite_documents.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/clock.hpp"

namespace serin {
namespace {

class DocumentsOnFile : public testing::Test {
 protected:
  DocumentsOnFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-documents-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    sql = SqliteSql::open({.path = folder + "/d.db"}, clock).value();
    documents = SqliteDocuments::open(*sql, clock).value();
  }
  ~DocumentsOnFile() override {
    documents.reset();
    sql.reset();
    std::filesystem::remove_all(folder);
  }
  Deadline soon() { return Deadline::after(clock.now(), 30s); }
  std::string folder;
  SystemClock clock;
  std::unique_ptr<SqliteSql> sql;
  std::unique_ptr<SqliteDocuments> documents;
};

TEST_F(DocumentsOnFile, only_the_expected_version_is_replaced) {
  EXPECT_FALSE(documents->get("c", "x", soon())->has_value());
  const auto first = documents->put("c", "x", "{}", 0, soon());
  ASSERT_TRUE(first);
  EXPECT_EQ(documents->put("c", "x", "{}", 0, soon()).error().code(), Errc::conflict) << "it exists already";
  const auto second = documents->put("c", "x", "{\"a\":1}", *first, soon());
  ASSERT_TRUE(second);
  EXPECT_GT(*second, *first);
  EXPECT_EQ(documents->put("c", "x", "{}", *first, soon()).error().code(), Errc::conflict);
  EXPECT_EQ((*documents->get("c", "x", soon()))->json, "{\"a\":1}");
  EXPECT_FALSE(documents->get("other", "x", soon())->has_value());
}

TEST_F(DocumentsOnFile, a_version_never_comes_back) {
  const auto first = documents->put("c", "x", "{}", 0, soon());
  EXPECT_EQ(documents->erase("c", "x", *first + 1, soon()).error().code(), Errc::conflict);
  ASSERT_TRUE(documents->erase("c", "x", *first, soon()));
  const auto again = documents->put("c", "x", "{}", 0, soon());
  ASSERT_TRUE(again);
  EXPECT_GT(*again, *first) << "a late writer with the old version must not win";
}

TEST_F(DocumentsOnFile, lists_by_id) {
  for (const char* id : {"b", "a", "c"}) ASSERT_TRUE(documents->put("c", id, "{}", 0, soon()));
  const auto list = documents->list("c", soon());
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ(list->at(0).id, "a");
}

TEST_F(DocumentsOnFile, no_increment_is_lost) {
  ASSERT_TRUE(documents->put("c", "n", "0", 0, soon()));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int done = 0; done < 25;) {
          const auto now = documents->get("c", "n", soon());
          ASSERT_TRUE(now && *now);
          if (documents->put("c", "n", std::to_string(std::stoi((*now)->json) + 1), (*now)->version, soon())) ++done;
        }
      });
  }
  EXPECT_EQ((*documents->get("c", "n", soon()))->json, "100");
}

}  // namespace
}  // namespace serin
