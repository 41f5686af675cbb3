// mlb-worker: strikeouts of starting pitchers, one on request or all of a date.
#include "serin/fleet_pipeline/mlb_worker.hpp"

#include <fmt/format.h>

#include "serin/fleet_runtime/answers.hpp"
#include "serin/fleet_runtime/runtime.hpp"

using namespace serin;
using namespace serin::fleet;

namespace {

constexpr Duration predict_timeout = 5s;
constexpr Duration batch_timeout = 30s;

HttpResponse predict(Runtime& runtime, MlbWorker& worker, const Predictor& predictor, const HttpRequest& http) {
  const Result<PitcherRequest> request = parse_pitcher_request(http.body);
  if (!request) return answer(request.error());
  const Result<PredictOutcome> outcome = worker.predict(*request, runtime.within(predict_timeout));
  if (!outcome) return answer(outcome.error());
  if (!outcome->skip) return HttpResponse::json(200, to_json(outcome->made, predictor.models().version()));
  return HttpResponse::json(is_permanent(outcome->skip->reason) ? 200 : 500, to_json(*outcome->skip));
}

HttpResponse predict_batch(Runtime& runtime, MlbWorker& worker, const HttpRequest& http) {
  const Result<DateRequest> request = parse_date_request(http.body);
  if (!request) return answer(request.error());
  const Result<MlbBatch> batch = worker.predict_batch(*request, runtime.within(batch_timeout));
  return batch ? HttpResponse::json(200, to_json(*batch)) : answer(batch.error());
}

}  // namespace

int main() {
  return run_service("mlb-worker", {"MODEL_PATH"}, [](Runtime& runtime) -> Status {
    SERIN_TRY(Predictor* const loaded, runtime.load_predictor(Sport::mlb));
    Predictor& predictor = *loaded;
    auto& worker = runtime.make<MlbWorker>(MlbWorkerDeps{.predictor = predictor,
                                                         .sql = runtime.warehouse(),
                                                         .clock = runtime.sleeper(),
                                                         .random = runtime.random(),
                                                         .logger = runtime.logger()});
    runtime.add_check(contract_check("model"), [&predictor](Deadline) {
      const Status tested = predictor.self_test();
      return tested ? health::CheckAnswer::pass({{"version", predictor.models().version()}})
                    : health::CheckAnswer::of(tested.error());
    });
    runtime.add_freshness_check(FreshTable::features, Sport::mlb);
    runtime.service().route("POST", "/predict", [&runtime, &worker, &predictor](const HttpRequest& request) {
      return predict(runtime, worker, predictor, request);
    });
    runtime.service().route("POST", "/predict-batch", [&runtime, &worker](const HttpRequest& request) {
      return predict_batch(runtime, worker, request);
    });
    return {};
  });
}
