// Goal: compare-and-set holds whatever happens to answers on the way. Method: a scripted HTTP client; what Firestore
// says to a late, a lost and a refused write.
#include "serin/firestore/firestore.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "../google/scripted_http.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;

constexpr std::int64_t version = 1'768'982'400'000'007;
const std::string time_of_version = "2026-01-21T08:00:00.000007Z";
const std::string later = "2026-01-21T08:00:00.000008Z";

std::string document(const std::string& fields, const std::string& time) {
  return R"({"name":"projects/p/databases/(default)/documents/c/x","fields":)" + fields + R"(,"updateTime":")" + time +
         "\"}";
}
std::string committed(const std::string& time) { return R"({"writeResults":[{"updateTime":")" + time + R"("}]})"; }
std::string refusal(int code, const std::string& status) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":"no","status":")" + status + R"("}})";
}

class FirestoreCalls : public testing::Test {
 protected:
  Deadline soon() { return Deadline::after(world.now(), 60s); }
  json::object body(std::size_t n) { return json::parse(http.asked().at(n).request.body).as_object(); }
  json::object write(std::size_t n) { return body(n).at("writes").as_array().at(0).as_object(); }
  std::string target(std::size_t n) {
    return http.asked().at(n).request.method + " " + http.asked().at(n).request.target;
  }
  sim::World world;
  ScriptedHttp http{world.sleeper()};
  FixedToken tokens{"owner"};
  std::unique_ptr<Firestore> documents =
      Firestore::open({.project = "p"},
                      Api::make(http, tokens, world.sleeper(), world.random(), Firestore::defaults()).value())
          .value();
};

TEST_F(FirestoreCalls, a_write_says_what_it_expects_and_differs_from_the_last) {
  http.then(200, committed(time_of_version)).then(200, committed(later));
  EXPECT_EQ(documents->put("c", "a/b", R"({"n":1})", 0, soon()), version);
  EXPECT_EQ(documents->put("c", "a/b", R"({"n":1})", version, soon()), version + 1);
  EXPECT_EQ(target(0), "POST /v1/projects/p/databases/%28default%29/documents:commit");
  EXPECT_EQ(write(0).at("currentDocument"), json::parse(R"({"exists":false})"));
  EXPECT_EQ(write(1).at("currentDocument"), json::parse(R"({"updateTime":")" + time_of_version + "\"}"));
  const json::object update = write(0).at("update").as_object();
  EXPECT_EQ(update.at("name"), "projects/p/databases/(default)/documents/c/a%2Fb");
  EXPECT_EQ(update.at("fields").as_object().at("n"), json::parse(R"({"integerValue":"1"})"));
  EXPECT_NE(update, write(1).at("update").as_object()) << "an equal document would keep its time";
}

TEST_F(FirestoreCalls, a_document_has_the_time_of_its_last_write_as_its_version) {
  http.then(200, document(R"({"n":{"integerValue":"1"},"serin_write":{"stringValue":"w"}})", time_of_version));
  const auto found = documents->get("c", "x", soon());
  ASSERT_TRUE(found && *found) << found.error().text();
  EXPECT_EQ((*found)->id, "x");
  EXPECT_EQ((*found)->json, R"({"n":1})");
  EXPECT_EQ((*found)->version, version);
  http.clear();
  http.then(404,
            R"({"error":{"code":404,"message":"Document \"projects/p/databases/(default)/documents/c/x\" not found.",
      "status":"NOT_FOUND"}})");
  EXPECT_FALSE(documents->get("c", "x", soon())->has_value());
  EXPECT_TRUE(documents->ping(soon())) << "that it is not there is an answer";
  http.clear();
  http.then(404, R"({"error":{"code":404,"message":"The database (default) does not exist","status":"NOT_FOUND"}})");
  EXPECT_EQ(documents->ping(soon()).error().code(), Errc::not_found);
}

TEST_F(FirestoreCalls, a_write_whose_answer_was_lost_is_recognised) {
  std::string ours;
  http.then([&](const HttpRequest& request) -> Result<HttpResponse> {
        ours = json::serialize(json::parse(request.body).at("writes").at(0).at("update").at("fields"));
        return fail(Errc::unavailable, "reset");
      })
      .then(409, refusal(409, "ALREADY_EXISTS"))
      .then([&](const HttpRequest&) -> Result<HttpResponse> { return HttpResponse{.body = document(ours, later)}; });
  EXPECT_EQ(documents->put("c", "x", "{}", 0, soon()), version + 1);
  EXPECT_EQ(body(0), body(1));
  EXPECT_EQ(target(2), "GET /v1/projects/p/databases/%28default%29/documents/c/x");
}

TEST_F(FirestoreCalls, who_was_late_is_told_what_is_there) {
  for (const auto& [code, status] :
       {std::pair{400, "FAILED_PRECONDITION"}, std::pair{409, "ALREADY_EXISTS"}, std::pair{404, "NOT_FOUND"}}) {
    http.clear();
    http.then(code, refusal(code, status)).then(200, document(R"({"serin_write":{"stringValue":"other"}})", later));
    const auto late = documents->put("c", "x", "{}", version, soon());
    EXPECT_EQ(late.error().code(), Errc::conflict) << status << late.error().text();
    EXPECT_NE(late.error().detail().find(std::to_string(version + 1)), std::string::npos) << late.error().text();
  }
}

TEST_F(FirestoreCalls, a_crowd_is_no_conflict) {
  http.then([&](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.method == "POST") return HttpResponse{.status = 409, .body = refusal(409, "ABORTED")};
    return HttpResponse{.body = document("{}", time_of_version)};
  });
  EXPECT_EQ(documents->put("c", "x", "{}", version, soon()).error().code(), Errc::unavailable)
      << "who renews a lease has not lost it";
  EXPECT_EQ(documents->erase("c", "x", version, soon()).error().code(), Errc::unavailable);
}

TEST_F(FirestoreCalls, an_erasure_is_sent_once) {
  http.then(Errc::unavailable, "reset");
  EXPECT_EQ(documents->erase("c", "x", version, soon()).error().code(), Errc::unavailable);
  EXPECT_EQ(http.count(), 1u);
  EXPECT_EQ(write(0).at("delete"), "projects/p/databases/(default)/documents/c/x");
  http.clear();
  http.then(404, refusal(404, "NOT_FOUND"));
  EXPECT_EQ(documents->erase("c", "x", version, soon()).error().code(), Errc::conflict);
  EXPECT_TRUE(documents->erase("c", "x", 0, soon())) << "it is not there, as expected";
}

TEST_F(FirestoreCalls, what_firestore_has_no_fields_for_is_kept_as_text) {
  http.then(200, committed(later));
  const std::string nested = R"({ "a": [[1]] })";
  ASSERT_TRUE(documents->put("c", "x", nested, 0, soon()));
  const json::object fields = write(0).at("update").as_object().at("fields").as_object();
  EXPECT_EQ(fields.at("serin_json"), (json::object{{"stringValue", nested}}));
  http.clear();
  http.then(200, document(json::serialize(fields), later));
  EXPECT_EQ((*documents->get("c", "x", soon()))->json, nested);
  EXPECT_EQ(documents->put("c", "x", "7", 0, soon()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(documents->put("c", "x", "no json", 0, soon()).error().code(), Errc::invalid_argument);
}

TEST_F(FirestoreCalls, a_list_has_all_pages_by_id) {
  const auto named = [](const std::string& id) {
    return R"({"name":"projects/p/databases/(default)/documents/c/)" + id + R"(","updateTime":")" + later + "\"}";
  };
  http.then(200, R"({"documents":[)" + named("b") + "," + named("a%2Fz") + R"(],"nextPageToken":"t"})")
      .then(200, R"({"documents":[)" + named("a") + "]}");
  const auto list = documents->list("c", soon());
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ(list->at(0).id, "a");
  EXPECT_EQ(list->at(1).id, "a/z");
  EXPECT_EQ(list->at(2).json, "{}");
  EXPECT_NE(target(1).find("pageToken=t"), std::string::npos);
}

}  // namespace
}  // namespace serin::google
