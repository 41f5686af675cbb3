// Goal: no value changes on its way to BigQuery or back. Method: cells and parameters as the service writes them, at
// the ends of their ranges; answers that are damaged.
#include "values.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>

namespace serin::bigquery {
namespace {

namespace json = boost::json;

Result<SqlRow> row(const std::string& schema, const std::string& cells) {
  SERIN_TRY(const std::vector<Field> fields, fields_of(json::parse(schema)));
  return row_of(json::parse(cells), fields);
}
/// One cell of one type.
Result<SqlValue> cell(const std::string& type, const std::string& json_value) {
  SERIN_TRY(const SqlRow values,
            row(R"({"fields":[{"name":"x","type":")" + type + R"("}]})", R"({"f":[{"v":)" + json_value + "}]}"));
  return values.at(0);
}

TEST(BigQueryValues, cells_keep_every_digit) {
  EXPECT_EQ(cell("INTEGER", R"("-9223372036854775808")"), SqlValue(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(cell("INT64", R"("9007199254740993")"), SqlValue(std::int64_t{9'007'199'254'740'993}));
  EXPECT_EQ(cell("FLOAT", R"("0.1")"), SqlValue(0.1));
  EXPECT_EQ(cell("FLOAT64", R"("1.7976931348623157E308")"), SqlValue(std::numeric_limits<double>::max()));
  EXPECT_EQ(cell("FLOAT", R"("-Infinity")"), SqlValue(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(cell("FLOAT", R"("inf")"), SqlValue(std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(std::isnan(std::get<double>(*cell("FLOAT", R"("NaN")"))));
  EXPECT_EQ(cell("BOOLEAN", R"("true")"), SqlValue(std::int64_t{1}));
  EXPECT_EQ(cell("BOOL", R"("false")"), SqlValue(std::int64_t{0}));
  EXPECT_EQ(cell("TIMESTAMP", R"("-1")"), SqlValue(std::int64_t{-1})) << "a microsecond before 1970";
  EXPECT_EQ(cell("NUMERIC", R"("99999999999999999999999999999.999999999")"),
            SqlValue(std::string("99999999999999999999999999999.999999999")));
  EXPECT_EQ(cell("DATE", R"("2026-01-21")"), SqlValue(std::string("2026-01-21")));
  EXPECT_EQ(cell("BYTES", R"("AP8=")"), SqlValue(std::string("\0\xff", 2)));
  EXPECT_EQ(cell("STRING", R"("\u017c\u0000")"), SqlValue(std::string("\xc5\xbc\0", 3)));
  EXPECT_EQ(cell("INTEGER", "null"), SqlValue(std::monostate()));
}

TEST(BigQueryValues, records_and_lists_are_json) {
  const auto values = row(
      R"({"fields":[{"name":"a","type":"STRING","mode":"REPEATED"},
          {"name":"r","type":"RECORD","fields":[{"name":"x","type":"INTEGER"},
                                                {"name":"y","type":"STRING","mode":"REPEATED"}]}]})",
      R"({"f":[{"v":[{"v":"one"},{"v":null}]},{"v":{"f":[{"v":"7"},{"v":[]}]}}]})");
  ASSERT_TRUE(values) << values.error().text();
  EXPECT_EQ(values->at(0), SqlValue(std::string(R"(["one",null])")));
  EXPECT_EQ(values->at(1), SqlValue(std::string(R"({"x":"7","y":[]})")));
}

TEST(BigQueryValues, damage_is_never_a_value) {
  EXPECT_EQ(cell("INTEGER", R"("9223372036854775808")").error().code(), Errc::data_loss);
  EXPECT_EQ(cell("INTEGER", "7").error().code(), Errc::data_loss) << "all scalars are texts";
  EXPECT_EQ(cell("TIMESTAMP", R"("1.7E9")").error().code(), Errc::data_loss) << "useInt64Timestamp was not kept";
  EXPECT_EQ(cell("FLOAT", R"("")").error().code(), Errc::data_loss);
  EXPECT_EQ(cell("BOOL", R"("1")").error().code(), Errc::data_loss);
  EXPECT_EQ(cell("BYTES", R"("?")").error().code(), Errc::data_loss);
  EXPECT_EQ(row(R"({"fields":[{"name":"x","type":"STRING"}]})", R"({"f":[]})").error().code(), Errc::data_loss);
  EXPECT_EQ(row(R"({"fields":[{"name":"x","type":"STRING"}]})", R"({"f":[{}]})").error().code(), Errc::data_loss);
  EXPECT_EQ(row(R"({"fields":[{"name":"x"}]})", R"({"f":[]})").error().code(), Errc::data_loss);
  EXPECT_EQ(row(R"({"fields":7})", R"({"f":[]})").error().code(), Errc::data_loss);
}

TEST(BigQueryValues, parameters_have_the_type_of_their_value) {
  const auto text = [](const SqlValue& value) { return json::serialize(parameter_of(3, value)); };
  EXPECT_EQ(text(std::int64_t{-9'007'199'254'740'993}),
            R"({"name":"p3","parameterType":{"type":"INT64"},"parameterValue":{"value":"-9007199254740993"}})");
  EXPECT_EQ(text(0.1), R"({"name":"p3","parameterType":{"type":"FLOAT64"},"parameterValue":{"value":"0.1"}})");
  EXPECT_NE(text(-std::numeric_limits<double>::infinity()).find(R"("-Infinity")"), std::string::npos);
  EXPECT_NE(text(std::numeric_limits<double>::quiet_NaN()).find(R"("NaN")"), std::string::npos);
  EXPECT_NE(text(std::string("ż'")).find("STRING"), std::string::npos);
  for (const std::string& bytes : {std::string("a\0b", 3), std::string("\xff"), std::string("\xc0\x80"),
                                   std::string("\xed\xa0\x80"), std::string("\xc5")})
    EXPECT_NE(text(bytes).find("BYTES"), std::string::npos) << "no text: " << text(bytes);
}

}  // namespace
}  // namespace serin::bigquery
