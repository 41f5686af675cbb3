// Goal: preconditions, transactions, transforms and queries of Firestore hold. Method: calls over the handler.
#include "emulator_under_test.hpp"

namespace serin::google_emulator {
namespace {

struct FirestoreApi : Emulator {
  const std::string root = "/v1/projects/p/databases/(default)/documents";
  const std::string name = "projects/p/databases/(default)/documents/";
  Answer create(const std::string& collection, const std::string& id, const std::string& fields) {
    return post(root + "/" + collection + "?documentId=" + id, R"({"fields":)" + fields + "}");
  }
  Answer commit(const std::string& writes, const std::string& more = "") {
    return post(root + ":commit", R"({"writes":[)" + writes + "]" + more + "}");
  }
};

TEST_F(FirestoreApi, documents_are_created_once_read_listed_and_deleted) {
  const Answer made = create("locks", "a", R"({"n":{"integerValue":"1"}})");
  EXPECT_EQ(made.text("name"), name + "locks/a");
  EXPECT_EQ(made.text("createTime"), made.text("updateTime"));
  EXPECT_EQ(create("locks", "a", "{}").text("error/status"), "ALREADY_EXISTS");
  EXPECT_EQ(get(root + "/locks/a").text("fields/n/integerValue"), "1");
  EXPECT_EQ(get(root + "/locks").text("documents/0/name"), name + "locks/a");
  EXPECT_EQ(get("/v1/projects/p/databases/%28default%29/documents/locks/none").status, 404);
  EXPECT_EQ(send("DELETE", root + "/locks/a?currentDocument.updateTime=2020-01-01T00:00:00Z").text("error/status"),
            "FAILED_PRECONDITION");
  EXPECT_EQ(send("DELETE", root + "/locks/a?currentDocument.updateTime=" + made.text("updateTime")).status, 200);
  EXPECT_EQ(get(root + "/locks/a").status, 404);
  EXPECT_EQ(send("DELETE", root + "/locks/a").status, 200) << "without a condition it is gone all the same";
}

TEST_F(FirestoreApi, a_patch_changes_what_its_mask_names) {
  create("c", "d",
         R"({"a":{"integerValue":"1"},"m":{"mapValue":{"fields":{"x":{"stringValue":"1"},"y":{"stringValue":"2"}}}}})");
  const Answer changed =
      send("PATCH", root + "/c/d?updateMask.fieldPaths=m.x&updateMask.fieldPaths=gone&currentDocument.exists=true",
           R"({"fields":{"m":{"mapValue":{"fields":{"x":{"stringValue":"9"}}}}}})");
  EXPECT_EQ(changed.text("fields/m/mapValue/fields/x/stringValue"), "9") << changed.raw.body;
  EXPECT_EQ(changed.text("fields/m/mapValue/fields/y/stringValue"), "2");
  EXPECT_EQ(changed.text("fields/a/integerValue"), "1");
  EXPECT_EQ(send("PATCH", root + "/c/none?currentDocument.exists=true", "{}").status, 404);
  EXPECT_EQ(send("PATCH", root + "/c/d", R"({"fields":{"only":{"nullValue":null}}})").text("fields"),
            R"({"only":{"nullValue":null}})");
}

TEST_F(FirestoreApi, times_of_updates_are_never_the_same) {
  const std::string first = create("c", "a", "{}").text("updateTime");
  const std::string second = send("PATCH", root + "/c/a", "{}").text("updateTime");
  EXPECT_LT(first, second) << "though no time has passed";
}

TEST_F(FirestoreApi, a_commit_is_all_or_nothing_and_transforms) {
  create("c", "a", R"({"n":{"integerValue":"5"}})");
  const std::string good = R"({"update":{"name":")" + name + R"(c/a","fields":{"s":{"stringValue":"x"}}},
    "updateMask":{"fieldPaths":["s"]},
    "updateTransforms":[{"fieldPath":"n","increment":{"integerValue":"3"}},{"fieldPath":"at","setToServerValue":"REQUEST_TIME"}]})";
  const std::string wrong = R"({"update":{"name":")" + name + R"(c/b"},"currentDocument":{"exists":true}})";
  EXPECT_EQ(commit(good + "," + wrong).status, 404);
  EXPECT_EQ(get(root + "/c/a").text("fields/n/integerValue"), "5");
  const Answer done = commit(good);
  EXPECT_EQ(done.text("writeResults/0/transformResults/0/integerValue"), "8");
  EXPECT_EQ(get(root + "/c/a").text("fields/n/integerValue"), "8");
  EXPECT_EQ(get(root + "/c/a").text("fields/at/timestampValue"), done.text("commitTime"));
}

TEST_F(FirestoreApi, of_two_transactions_that_read_the_same_one_is_aborted) {
  create("c", "a", R"({"n":{"integerValue":"1"}})");
  const auto begin_and_read = [&] {
    const Answer read = post(root + ":batchGet", R"({"documents":[")" + name + R"(c/a",")" + name +
                                                     R"(c/none"],"newTransaction":{"readWrite":{}}})");
    EXPECT_EQ(read.text("1/found/fields/n/integerValue"), "1");
    EXPECT_EQ(read.text("2/missing"), name + "c/none");
    return read.text("0/transaction");
  };
  const std::string first = begin_and_read();
  const std::string second = begin_and_read();
  const std::string write = R"({"update":{"name":")" + name + R"(c/a","fields":{"n":{"integerValue":"2"}}}})";
  EXPECT_EQ(commit(write, R"(,"transaction":")" + first + "\"").status, 200);
  const Answer late = commit(write, R"(,"transaction":")" + second + "\"");
  EXPECT_EQ(late.status, 409);
  EXPECT_EQ(late.text("error/status"), "ABORTED");
  EXPECT_EQ(commit(write, R"(,"transaction":")" + first + "\"").status, 400) << "it has ended";
}

TEST_F(FirestoreApi, queries_filter_order_and_limit) {
  for (const auto& [id, n] : {std::pair{"a", "3"}, std::pair{"b", "1"}, std::pair{"c", "2"}})
    create("q", id,
           std::string(R"({"n":{"integerValue":")") + n + R"("},"t":{"arrayValue":{"values":[{"stringValue":")" + id +
               "\"}]}}}");
  create("q", "d", R"({"other":{"nullValue":null}})");
  const auto ids = [&](const std::string& query) {
    const Answer answer =
        post(root + ":runQuery", R"({"structuredQuery":{"from":[{"collectionId":"q"}])" + query + "}}");
    std::string out;
    if (!answer.body.is_array()) return answer.raw.body;
    for (std::size_t i = 0; i < answer.body.get_array().size(); ++i) {
      const std::string found = answer.text(std::to_string(i) + "/document/name");
      if (found != "null") out += found.back();
    }
    return out;
  };
  EXPECT_EQ(ids(""), "abcd");
  EXPECT_EQ(ids(R"(,"orderBy":[{"field":{"fieldPath":"n"},"direction":"DESCENDING"}],"limit":2)"), "ac");
  EXPECT_EQ(
      ids(R"(,"where":{"fieldFilter":{"field":{"fieldPath":"n"},"op":"GREATER_THAN","value":{"integerValue":"1"}}})"),
      "ac");
  EXPECT_EQ(
      ids(R"(,"where":{"fieldFilter":{"field":{"fieldPath":"t"},"op":"ARRAY_CONTAINS","value":{"stringValue":"b"}}})"),
      "b");
  EXPECT_EQ(ids(R"(,"where":{"compositeFilter":{"op":"AND","filters":[
    {"fieldFilter":{"field":{"fieldPath":"n"},"op":"IN","value":{"arrayValue":{"values":[{"integerValue":"1"},{"doubleValue":2}]}}}},
    {"unaryFilter":{"field":{"fieldPath":"n"},"op":"IS_NOT_NULL"}}]}})"),
            "bc");
  EXPECT_EQ(ids(R"(,"orderBy":[{"field":{"fieldPath":"n"}}],"offset":1)"), "ca");
  EXPECT_EQ(post(root + ":runQuery", R"({"structuredQuery":{"from":[{"collectionId":"q"}],"startAt":{}}})").status,
            501);
}

}  // namespace
}  // namespace serin::google_emulator
