// What the tests of the APIs share: an emulator on a folder of its own, without sockets, in simulated time.
#pragma once
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "emulator.hpp"
#include "serin/sim/world.hpp"

namespace serin::google_emulator {

namespace json = boost::json;

struct Answer {
  int status = 0;
  json::value body;
  HttpResponse raw;
  /// "error/errors/0/reason"; numbers are places in arrays. Null when it is not there.
  [[nodiscard]] json::value at(std::string_view path) const {
    json::value found = body;
    while (!path.empty()) {
      const std::size_t slash = std::min(path.find('/'), path.size());
      const std::string part(path.substr(0, slash));
      path.remove_prefix(std::min(path.size(), slash + 1));
      json::value next;
      if (const json::object* object = found.if_object()) {
        if (const json::value* inner = object->if_contains(part)) next = *inner;
      } else if (const json::array* array = found.if_array()) {
        const auto index = static_cast<std::size_t>(std::atoi(part.c_str()));
        if (index < array->size()) next = (*array)[index];
      }
      found = next;
    }
    return found;
  }
  [[nodiscard]] std::string text(std::string_view path) const {
    const json::value value = at(path);
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
  }
};

struct Emulator : testing::Test {
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-google-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    begin();
  }
  void TearDown() override {
    emulator.reset();
    std::filesystem::remove_all(folder);
  }
  void begin(const std::string& credentials = "") {
    emulator.reset();
    auto made = GoogleEmulator::make({.folder = folder, .project = "p", .credentials = credentials}, world.sleeper(),
                                     world.random());
    ASSERT_TRUE(made) << made.error().text();
    emulator = *std::move(made);
  }

  Answer send(std::string method, std::string target, const std::string& body = "", HttpHeaders headers = {}) {
    const HttpRequest request{
        .method = std::move(method), .target = std::move(target), .headers = std::move(headers), .body = body};
    HttpResponse raw = emulator->handle(request);
    boost::system::error_code error;
    json::value parsed = json::parse(raw.body, error);
    return {raw.status, error ? json::value() : parsed, std::move(raw)};
  }
  Answer get(std::string target, HttpHeaders headers = {}) {
    return send("GET", std::move(target), "", std::move(headers));
  }
  Answer post(std::string target, const std::string& body) { return send("POST", std::move(target), body); }

  /// jobs.query with further members, e.g. R"("dryRun":true)".
  Answer query(const std::string& sql, const std::string& more = "") {
    return post("/bigquery/v2/projects/p/queries",
                "{\"query\":" + json::serialize(json::string(sql)) +
                    ",\"useLegacySql\":false,\"formatOptions\":{\"useInt64Timestamp\":true}," +
                    "\"defaultDataset\":{\"datasetId\":\"d\"}" + (more.empty() ? "" : "," + more) + "}");
  }
  /// The rows as "1,a|2,b", null as "NULL"; an error as its message.
  std::string rows(const std::string& sql, const std::string& more = "") {
    const Answer answer = query(sql, more);
    if (answer.status != 200) return answer.text("error/message");
    std::string out;
    const json::value found = answer.at("rows");
    if (!found.is_array()) return "";
    for (const json::value& row : found.get_array()) {
      if (!out.empty()) out += '|';
      bool first = true;
      for (const json::value& cell : row.at("f").as_array()) {
        if (!first) out += ',';
        first = false;
        const json::value& value = cell.at("v");
        out += value.is_null() ? "NULL" : value.is_string() ? std::string(value.get_string()) : json::serialize(value);
      }
    }
    return out;
  }
  /// Runs a statement that must succeed; how many rows it changed.
  std::string change(const std::string& sql, const std::string& more = "") {
    const Answer answer = query(sql, more);
    EXPECT_EQ(answer.status, 200) << sql << "\n" << answer.raw.body;
    return answer.text("numDmlAffectedRows");
  }

  sim::World world;
  std::string folder;
  std::unique_ptr<GoogleEmulator> emulator;
};

}  // namespace serin::google_emulator
