// Goal: an address opens what it says, at the place it says, and a wrong one is told with what can be written. Method:
// addresses; a scripted HTTP client that shows where calls go.
#include "serin/google_data/data_services.hpp"

#include <gtest/gtest.h>

#include "../google/scripted_http.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {
namespace {

TEST(DataAddresses, are_read_into_their_parts) {
  const auto address = parse_data_address("bigquery://my-project/days?location=EU&credentials=%2Fetc%2Fa%20b.json");
  ASSERT_TRUE(address) << address.error().text();
  EXPECT_EQ(address->scheme, "bigquery");
  EXPECT_EQ(address->project, "my-project");
  EXPECT_EQ(address->name, "days");
  EXPECT_EQ(address->options.at("location"), "EU");
  EXPECT_EQ(address->options.at("credentials"), "/etc/a b.json");
  EXPECT_EQ(parse_data_address("firestore://p")->name, "");
  EXPECT_EQ(parse_data_address("firestore://p/d")->name, "d");
  EXPECT_TRUE(is_data_address("pubsub://"));
  EXPECT_FALSE(is_data_address("sqlite:x.db"));
  EXPECT_FALSE(is_data_address("bigquery:p/d"));
}

TEST(DataAddresses, that_are_wrong_are_told_with_what_can_be_written) {
  for (const auto& [url, words] :
       {std::pair{"bigquery://p", "bigquery://PROJECT/DATASET"}, std::pair{"bigquery:///d", "PROJECT"},
        std::pair{"bigquery://p/d/t", "PROJECT/DATASET"}, std::pair{"pubsub://p/t", "pubsub://PROJECT"},
        std::pair{"spanner://p", "bigquery://, pubsub://"}, std::pair{"bigquery:p/d", "bigquery://"},
        std::pair{"pubsub://p?location=EU", "credentials, endpoint, ordering"}}) {
    const auto address = parse_data_address(url);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().code(), Errc::invalid_argument);
    EXPECT_NE(address.error().detail().find(words), std::string::npos) << address.error().text();
  }
}

class Services : public testing::Test {
 protected:
  sim::World world;
  ScriptedHttp http{world.sleeper()};
  DataServices services{{.http = http, .sleeper = world.sleeper(), .random = world.random()},
                        Environment(std::map<std::string, std::string>{{"FIRESTORE_EMULATOR_HOST", "127.0.0.1:4000"}})};
};

TEST_F(Services, are_called_where_the_address_or_the_environment_says) {
  http.then(404, R"({"error":{"code":404,"status":"NOT_FOUND","message":"no"}})");
  const Deadline soon = Deadline::after(world.now(), 5s);
  const auto documents = services.open_documents("firestore://p/db");
  ASSERT_TRUE(documents) << documents.error().text();
  EXPECT_FALSE((*documents)->get("c", "x", soon)->has_value());
  EXPECT_EQ(http.asked().back().origin, "http://127.0.0.1:4000");
  EXPECT_EQ(http.last().target, "/v1/projects/p/databases/db/documents/c/x");
  const auto bus = services.open_bus("pubsub://p?endpoint=http://127.0.0.1:5000");
  ASSERT_TRUE(bus) << bus.error().text();
  EXPECT_FALSE((*bus)->pull("sub", 1, soon));
  EXPECT_EQ(http.asked().back().origin, "http://127.0.0.1:5000");
  const auto sql = services.open_sql("bigquery://p/d?endpoint=http://127.0.0.1:6000", DataAccess::read_only);
  ASSERT_TRUE(sql) << sql.error().text();
  EXPECT_EQ((*sql)->execute("DELETE FROM t WHERE TRUE", {}, soon).error().code(), Errc::permission_denied);
  EXPECT_FALSE((*sql)->query("SELECT 'it\\'s'", {}, soon));
  EXPECT_EQ(http.asked().back().origin, "http://127.0.0.1:6000");
  EXPECT_NE(http.last().body.find(R"(SELECT 'it\\'s')"), std::string::npos)
      << "BigQuery's own words: " << http.last().body;
}

TEST_F(Services, count_what_waits_in_an_emulator_there_and_look_for_no_credentials) {
  http.then(200, "{}");
  DataServices named({.http = http, .sleeper = world.sleeper(), .random = world.random()},
                     Environment(std::map<std::string, std::string>{{"PUBSUB_EMULATOR_HOST", "127.0.0.1:4001"}}));
  const auto bus = named.open_bus("pubsub://p");
  ASSERT_TRUE(bus) << bus.error().text();
  EXPECT_TRUE(http.asked().empty());
  EXPECT_TRUE((*bus)->backlog("sub", Deadline::after(world.now(), 5s)));
  ASSERT_EQ(http.asked().size(), 2u);
  for (const auto& asked : http.asked()) EXPECT_EQ(asked.origin, "http://127.0.0.1:4001") << asked.request.target;
}

TEST_F(Services, of_another_kind_are_refused) {
  EXPECT_EQ(services.open_sql("pubsub://p").error().code(), Errc::invalid_argument);
  EXPECT_EQ(services.open_bus("firestore://p").error().code(), Errc::invalid_argument);
  EXPECT_EQ(services.open_documents("bigquery://p/d").error().code(), Errc::invalid_argument);
  EXPECT_EQ(services.open_sql("bigquery://p/d?max_bytes_read=much&endpoint=http://x").error().code(),
            Errc::invalid_argument);
}

}  // namespace
}  // namespace serin::google
