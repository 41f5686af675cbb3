#include "temporary_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "program.hpp"

namespace serin::tool {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  if (value->is_number()) return fmt::format("{:.6g}", value->to_number<double>());
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

void TemporaryFleet::say(std::string_view text) const {
  context_.err(fmt::format("[{:6.1f} s] {}\n", seconds_of(age()), text));
}

std::vector<std::string> TemporaryFleet::serin(std::initializer_list<std::string> words) const {
  std::vector<std::string> argv{bin_ + "/serin", "--fleet", file_, "--state", state_};
  argv.insert(argv.end(), words);
  return argv;
}

std::vector<std::string> TemporaryFleet::fleet_program(std::initializer_list<std::string> words) const {
  std::vector<std::string> argv{bin_ + "/serin-fleet"};
  argv.insert(argv.end(), words);
  argv.insert(argv.end(), {"--warehouse", "sqlite:" + state_ + "/warehouse.db", "--json"});
  return argv;
}

Result<json::object> TemporaryFleet::program(std::vector<std::string> argv, std::initializer_list<int> good) const {
  // Ctrl-C ends the program that runs and is noticed here, before the next one starts.
  SERIN_CHECK(context_.sleeper().sleep_for(0s));
  SERIN_TRY(const ProgramResult result, run_program(argv));
  SERIN_CHECK(context_.sleeper().sleep_for(0s));
  if (std::ranges::find(good, result.exit_code) == good.end())
    return fail(Errc::unavailable,
                fmt::format("{} ended with {}; what it said stands above", fmt::join(argv, " "), result.exit_code));
  boost::system::error_code error;
  json::value value = json::parse(result.output, error);
  if (error || !value.is_object())
    return fail(Errc::data_loss,
                fmt::format("{} printed no JSON object: {}", fmt::join(argv, " "), result.output.substr(0, 200)));
  value.as_object()["exit_code"] = result.exit_code;
  return value.as_object();
}

Status TemporaryFleet::prepare() {
  std::error_code error;
  bin_ = std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
  if (error) return fail(Errc::internal, "cannot find the folder of this program: " + error.message());
  SERIN_TRY(const config::FleetSpec spec, context_.fleet());
  file_ = spec.file;
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  if (error) return fail(Errc::unavailable, "there is no temporary folder: " + error.message());
  state_ = (base / fmt::format("serin-{}-{:08x}", purpose_, context_.random().next() & 0xffffffff)).string();
  if (!std::filesystem::create_directory(state_, error))
    return fail(Errc::exhausted, fmt::format("cannot make {}: {}", state_, error.message()));
  return {};
}

Status TemporaryFleet::up() {
  say("starting six services behind HAProxy");
  up_ = true;  // from here on there may be something to take down
  SERIN_TRY(const json::object started, program(serin({"up", "--json"})));
  SERIN_TRY(const json::object status, program(serin({"status", "--json"})));
  for (const json::value& service : status.at("services").as_array()) {
    urls_[text_of(service.as_object(), "name")] = text_of(service.as_object(), "url");
    for (const json::value& release : service.at("releases").as_array())
      replicas_ += static_cast<int>(release.at("replicas").as_array().size());
  }
  say(fmt::format("{} services with {} replicas are ready", urls_.size(), replicas_));
  return {};
}

Result<json::object> TemporaryFleet::run_pipeline() {
  say("running a game date: analytics -> precompute -> coordinator -> workers -> predictions -> grading");
  std::vector<std::string> argv = fleet_program({"pipeline"});
  for (const auto& [service, url] : urls_) argv.insert(argv.end(), {"--url", service + "=" + url});
  SERIN_TRY(json::object pipeline, program(std::move(argv)));
  say(fmt::format("{}: {} predictions for {} eligible players, coverage {} %", text_of(pipeline, "game_date"),
                  text_of(pipeline, "predictions"), text_of(pipeline, "eligible"),
                  text_of(pipeline, "coverage_percent")));
  if (pipeline.at("players").as_array().empty())
    return fail(Errc::data_loss, "the pipeline made no prediction: there is nothing to ask for");
  return pipeline;
}

std::vector<std::string> TemporaryFleet::previews(const json::object& pipeline) {
  std::vector<std::string> bodies;
  for (const json::value& player : pipeline.at("players").as_array())
    bodies.push_back(json::serialize(
        json::object{{"player_id", player}, {"game_date", pipeline.at("game_date")}, {"preview", true}}));
  return bodies;
}

void TemporaryFleet::take_down() {
  if (up_) {
    say("taking the fleet down");
    up_ = false;
    const auto down = run_program(serin({"down", "--json"}));
    if (!down || down->exit_code != 0)
      left_behind_ = fmt::format("serin down did not succeed; look with: serin --state {} status", state_);
  }
  if (state_.empty()) return;
  if (keep_ || !left_behind_.empty()) {
    say(fmt::format("kept: {}", state_));
  } else {
    std::error_code ignored;
    std::filesystem::remove_all(state_, ignored);
  }
  state_.clear();
}

}  // namespace serin::tool
