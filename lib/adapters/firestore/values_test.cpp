// Goal: a JSON object comes back as it was, and what others wrote is read without invention. Method: objects there and
// back; values as the service writes them.
#include "values.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace serin::firestore {
namespace {

namespace json = boost::json;

json::object object(const std::string& text) { return json::parse(text).as_object(); }

TEST(FirestoreValues, come_back_as_they_were) {
  for (const char* text : {R"({})", R"({"a":null,"b":true,"c":-9223372036854775808,"d":0.1,"e":"\u017c\u0000"})",
                           R"({"list":[1,"two",{"three":[3]},null],"map":{"x":{"y":[]}}})", R"({"a b.c":1})"}) {
    const auto fields = fields_of(object(text));
    ASSERT_TRUE(fields) << text;
    const auto back = content_of(*fields);
    ASSERT_TRUE(back) << text << back.error().text();
    EXPECT_EQ(*back, object(text));
  }
  EXPECT_EQ(json::serialize(*fields_of(object(R"({"n":9007199254740993,"s":["x"]})"))),
            R"({"n":{"integerValue":"9007199254740993"},"s":{"arrayValue":{"values":[{"stringValue":"x"}]}}})");
}

TEST(FirestoreValues, that_firestore_has_no_fields_for_are_told) {
  EXPECT_FALSE(fields_of(object(R"({"a":[[1]]})")));
  EXPECT_FALSE(fields_of(object(R"({"a":18446744073709551615})")));
  EXPECT_FALSE(fields_of(object(R"({"":1})")));
  EXPECT_FALSE(fields_of(object(R"({"x":{"__name__":1}})")));
  std::string deep = "1";
  for (int i = 0; i < 21; ++i) deep = R"({"a":)" + deep + "}";
  EXPECT_FALSE(fields_of(object(deep)));
}

TEST(FirestoreValues, of_others_are_read) {
  const auto content = content_of(object(R"({"t":{"timestampValue":"2026-01-21T08:00:00.123456Z"},
      "b":{"bytesValue":"AP8="},"r":{"referenceValue":"projects/p"},"n":{"doubleValue":"NaN"},"d":{"doubleValue":2},
      "g":{"geoPointValue":{"latitude":1.5,"longitude":2}},"e":{"arrayValue":{}},"m":{"mapValue":{}}})"));
  ASSERT_TRUE(content) << content.error().text();
  EXPECT_EQ(*content, object(R"({"t":"2026-01-21T08:00:00.123456Z","b":"AP8=","r":"projects/p","n":"NaN","d":2.0,
      "g":{"latitude":1.5,"longitude":2},"e":[],"m":{}})"));
  for (const char* damaged : {R"({"a":{"integerValue":"x"}})", R"({"a":{"newValue":1}})", R"({"a":{}})", R"({"a":7})",
                              R"({"a":{"stringValue":1}})"})
    EXPECT_EQ(content_of(object(damaged)).error().code(), Errc::data_loss) << damaged;
}

TEST(FirestoreValues, ids_are_one_segment) {
  for (const char* id : {"a", "merge of 2026/01/21", "50%", ".", "..", "__x__", "____", "a.b", "%2F"}) {
    const std::string segment = segment_of(id);
    EXPECT_EQ(segment.find('/'), std::string::npos) << id;
    EXPECT_TRUE(segment != "." && segment != ".." && !segment.starts_with("__")) << id;
    EXPECT_EQ(id_of(segment), id);
  }
}

TEST(FirestoreValues, versions_are_times_to_the_microsecond) {
  EXPECT_EQ(micros_of("1970-01-01T00:00:01.000002Z"), 1'000'002);
  EXPECT_EQ(micros_of("2026-01-21T08:00:00Z"), 1'768'982'400'000'000);
  EXPECT_EQ(time_of_micros(1'768'982'400'000'007), "2026-01-21T08:00:00.000007Z");
  EXPECT_EQ(micros_of(time_of_micros(1'768'982'400'999'999)), 1'768'982'400'999'999);
  EXPECT_EQ(micros_of("2026-01-21T08:00:00.123456789Z").error().code(), Errc::data_loss);
  EXPECT_EQ(micros_of("").error().code(), Errc::data_loss);
}

}  // namespace
}  // namespace serin::firestore
