// precompute-processor: phase 4, from contexts and what was played to the feature store.
#include "serin/fleet_pipeline/precompute.hpp"
#include "serin/fleet_runtime/answers.hpp"
#include "serin/fleet_runtime/runtime.hpp"

using namespace serin;
using namespace serin::fleet;

namespace {

constexpr Duration process_timeout = 60s;

Result<DateRequest> date_of(const HttpRequest& http) {
  SERIN_TRY(const Received received, receive(http.body));
  return parse_date_request(received.data);
}

}  // namespace

int main() {
  return run_service("precompute-processor", {}, [](Runtime& runtime) -> Status {
    auto& precompute = runtime.make<Precompute>(PrecomputeDeps{.sql = runtime.warehouse(),
                                                               .bus = runtime.bus(),
                                                               .clock = runtime.sleeper(),
                                                               .random = runtime.random(),
                                                               .logger = runtime.logger(),
                                                               .revision = runtime.revision()});
    runtime.add_check({.name = "upstream_complete", .critical = false, .every = 30s, .failing = 5s},
                      [&runtime](Deadline deadline) {
                        return check_answer(judge_upstream(runtime.warehouse(), runtime.today(), deadline));
                      });
    const auto process = [&runtime, &precompute](const HttpRequest& request) {
      const Result<DateRequest> date = date_of(request);
      if (!date) return answer(date.error());
      const Result<ProcessReport> report = precompute.process(*date, runtime.within(process_timeout));
      return report ? answer(*report) : answer(report.error());
    };
    runtime.service().route("POST", "/process", process);
    runtime.service().route("POST", "/process-date", process);
    return {};
  });
}
