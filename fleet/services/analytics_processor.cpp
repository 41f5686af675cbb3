// analytics-processor: phase 3, from raw rows to summaries and contexts.
#include "serin/fleet_pipeline/analytics.hpp"
#include "serin/fleet_runtime/answers.hpp"
#include "serin/fleet_runtime/runtime.hpp"

using namespace serin;
using namespace serin::fleet;

namespace {

constexpr Duration process_timeout = 60s;

HttpResponse process(Runtime& runtime, Analytics& analytics, const Result<DateRangeRequest>& request) {
  if (!request) return answer(request.error());
  const Result<ProcessReport> report = analytics.process(*request, runtime.within(process_timeout));
  return report ? answer(*report) : answer(report.error());
}

/// One date, pushed or asked for.
Result<DateRangeRequest> range_of_date(const HttpRequest& http) {
  SERIN_TRY(const Received received, receive(http.body));
  SERIN_TRY(const DateRequest date, parse_date_request(received.data));
  return DateRangeRequest{.start_date = date.game_date, .end_date = date.game_date, .processors = {}};
}

}  // namespace

int main() {
  return run_service("analytics-processor", {}, [](Runtime& runtime) -> Status {
    auto& analytics = runtime.make<Analytics>(AnalyticsDeps{.sql = runtime.warehouse(),
                                                            .bus = runtime.bus(),
                                                            .clock = runtime.sleeper(),
                                                            .random = runtime.random(),
                                                            .logger = runtime.logger(),
                                                            .revision = runtime.revision()});
    runtime.add_freshness_check(FreshTable::games, Sport::nba);
    runtime.service().route("POST", "/process", [&runtime, &analytics](const HttpRequest& request) {
      return process(runtime, analytics, range_of_date(request));
    });
    runtime.service().route("POST", "/process-date-range", [&runtime, &analytics](const HttpRequest& request) {
      return process(runtime, analytics, parse_date_range_request(request.body));
    });
    return {};
  });
}
