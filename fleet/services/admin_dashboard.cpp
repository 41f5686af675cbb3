// admin-dashboard: what the fleet did, for people with the key.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "address_limit.hpp"
#include "admin_page.hpp"
#include "data_checks.hpp"
#include "serin/base/text.hpp"
#include "serin/fleet_pipeline/coordinator.hpp"
#include "serin/fleet_pipeline/grading.hpp"
#include "serin/fleet_runtime/answers.hpp"
#include "serin/fleet_runtime/runtime.hpp"

using namespace serin;
using namespace serin::fleet;
namespace json = boost::json;

namespace {

constexpr Duration read_timeout = 5s;
constexpr Duration action_timeout = 30s;
constexpr std::string_view coordinator_url = "SERIN_URL_PREDICTION_COORDINATOR";

/// Behind HAProxy every peer is the proxy; it says whose request it is.
std::string address_of(const HttpRequest& request) {
  const auto forwarded = request.headers.find("X-Forwarded-For");
  return forwarded ? std::string(trim(split(*forwarded, ',').back())) : request.peer;
}

/// A date in the query, or today. Errors: invalid_argument.
Result<std::string> date_of(const Runtime& runtime, const HttpRequest& request) {
  std::string date = request.query("date").value_or(runtime.today());
  SERIN_CHECK(parse_date(date));
  return date;
}

Result<std::string> games_json(Runtime& runtime, const std::string& date) {
  SERIN_CHECK(parse_date(date));
  SERIN_TRY(const SqlTable table, runtime.warehouse().query(R"sql(
SELECT g.game_id, g.sport, g.home_team, g.away_team, g.status,
  (SELECT COUNT(*) FROM predictions p WHERE p.game_id = g.game_id)
FROM games g WHERE g.game_date = $1 ORDER BY g.sport DESC, g.game_id)sql",
                                                            {date}, runtime.within(read_timeout)));
  json::array games;
  for (const SqlRow& row : table.rows) {
    json::object game;
    constexpr std::array<const char*, 5> names{"game_id", "sport", "home_team", "away_team", "status"};
    for (std::size_t i = 0; i < names.size(); ++i) game[names[i]] = std::get<std::string>(row.at(i));
    game["predictions"] = std::get<std::int64_t>(row.at(5));
    games.push_back(std::move(game));
  }
  return json::serialize(json::object{{"game_date", date}, {"games", std::move(games)}});
}

Result<std::string> coverage_json(Runtime& runtime, const std::string& date) {
  json::array sports;
  for (const Sport sport : {Sport::nba, Sport::mlb}) {
    SERIN_TRY(const CoverageFacts facts,
              coverage_facts(runtime.warehouse(), sport, date, runtime.within(read_timeout)));
    const Judgement judged = judge_coverage(facts);
    const auto share = coverage_share(facts);
    sports.push_back({{"sport", sport_name(sport)},
                      {"verdict", verdict_name(judged.verdict)},
                      {"reason", judged.reason},
                      {"games", facts.games},
                      {"eligible", facts.eligible},
                      {"predicted", facts.predicted},
                      {"coverage_percent", share ? json::value(100 * *share) : json::value(nullptr)}});
  }
  return json::serialize(json::object{{"game_date", date}, {"sports", std::move(sports)}});
}

Result<std::string> status_json(Runtime& runtime, Coordinator& batches) {
  SERIN_TRY(const std::vector<Batch> list, batches.batches("", 20, runtime.within(read_timeout)));
  std::string out;
  for (const Batch& batch : list) out += (out.empty() ? "" : ",") + to_status_json(batch);
  return "{\"today\":\"" + runtime.today() + "\",\"batches\":[" + out + "]}";
}

/// The coordinator's own answer to a forced start.
HttpResponse force_predictions(Runtime& runtime, const HttpRequest& request) {
  const Result<DateRequest> date = parse_date_request(request.body);
  if (!date) return answer(date.error());
  const Result<std::string> url = runtime.environment().required(coordinator_url);
  if (!url) return answer(url.error());
  HttpRequest start{.method = "POST",
                    .target = "/start",
                    .headers = {{"Content-Type", "application/json"}},
                    .body = json::serialize(json::object{{"game_date", date->game_date}, {"force", true}}),
                    .peer = {}};
  const Result<HttpResponse> answered = runtime.http().send(*url, std::move(start), runtime.within(action_timeout));
  if (!answered) return answer(answered.error().in("prediction-coordinator"));
  runtime.logger().info("force_predictions", {{"game_date", date->game_date}, {"status", answered->status}});
  return HttpResponse::json(answered->status, answered->body);
}

HttpResponse text_or_error(const Result<std::string>& text) {
  return text ? HttpResponse::json(200, *text) : answer(text.error());
}

}  // namespace

int main() {
  return run_service("admin-dashboard", {"ADMIN_KEY"}, [](Runtime& runtime) -> Status {
    auto& limit = runtime.make<AddressLimit>();
    auto& batches = runtime.make<Coordinator>(CoordinatorDeps{.sql = runtime.warehouse(),
                                                              .bus = runtime.bus(),
                                                              .documents = runtime.documents(),
                                                              .sleeper = runtime.sleeper(),
                                                              .random = runtime.random(),
                                                              .logger = runtime.logger(),
                                                              .holder = "admin-dashboard"});
    runtime.add_documents_check();
    runtime.add_calls_check();
    SERIN_TRY(const Validator* const validator, start_data_checks(runtime));
    // Every route passes the limit first and the key second, so that keys cannot be tried quickly.
    const auto guarded = [&runtime, &limit](Service::Handler handler, bool needs_key) -> Service::Handler {
      return [&runtime, &limit, handler = std::move(handler), needs_key](const HttpRequest& request) {
        if (const auto wait = limit.take(address_of(request), runtime.sleeper().now())) {
          HttpResponse response = error_response(429, "too many requests from this address");
          response.headers.set("Retry-After", std::to_string(static_cast<int>(std::ceil(seconds_of(*wait)))));
          return response;
        }
        if (needs_key && !runtime.service().has_key(request)) {
          HttpResponse response = error_response(401, "the key is missing or wrong");
          response.headers.set("WWW-Authenticate", "Bearer");
          return response;
        }
        return handler(request);
      };
    };
    const auto route = [&runtime, &guarded](const char* method, const char* path, Service::Handler handler) {
      runtime.service().route(method, path, guarded(std::move(handler), true));
    };
    runtime.service().route("GET", "/",
                            guarded(
                                [](const HttpRequest&) {
                                  HttpResponse page = HttpResponse::text(200, std::string(admin_page()));
                                  page.headers.set("Content-Type", "text/html; charset=utf-8");
                                  page.headers.set(
                                      "Content-Security-Policy",
                                      "default-src 'self' 'unsafe-inline'; img-src data:; frame-ancestors 'none'");
                                  return page;
                                },
                                false));
    route("GET", "/api/status",
          [&runtime, &batches](const HttpRequest&) { return text_or_error(status_json(runtime, batches)); });
    route("GET", "/api/games/*", [&runtime](const HttpRequest& request) {
      return text_or_error(games_json(runtime, std::string(split(request.path(), '/').back())));
    });
    route("GET", "/api/coverage", [&runtime](const HttpRequest& request) {
      const Result<std::string> date = date_of(runtime, request);
      return date ? text_or_error(coverage_json(runtime, *date)) : answer(date.error());
    });
    route("GET", "/api/checks", [validator](const HttpRequest&) {
      const std::string report = validator != nullptr ? validator->last_report() : "";
      return report.empty() ? error_response(503, "the data checks have not run yet") : HttpResponse::json(200, report);
    });
    route("GET", "/api/grading", [&runtime](const HttpRequest& request) {
      const Result<std::string> date = date_of(runtime, request);
      if (!date) return answer(date.error());
      const Result<GradeReport> grades = read_grades(runtime.warehouse(), *date, runtime.within(read_timeout));
      return grades ? HttpResponse::json(200, to_json(*grades)) : answer(grades.error());
    });
    route("POST", "/api/actions/force-predictions",
          [&runtime](const HttpRequest& request) { return force_predictions(runtime, request); });
    return {};
  });
}
