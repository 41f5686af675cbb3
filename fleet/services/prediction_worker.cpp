// prediction-worker: one NBA player of a batch on request (a push of the bus), or a preview that writes nothing.
#include <fmt/format.h>

#include "serin/fleet_pipeline/predictor.hpp"
#include "serin/fleet_pipeline/worker.hpp"
#include "serin/fleet_runtime/answers.hpp"
#include "serin/fleet_runtime/runtime.hpp"

using namespace serin;
using namespace serin::fleet;

namespace {

constexpr Duration predict_timeout = 5s;

HttpResponse preview(Runtime& runtime, Predictor& predictor, const PredictionRequest& request) {
  const auto outcome = predictor.predict({.player_id = request.player_id,
                                          .game_date = request.game_date,
                                          .game_id = request.game_id,
                                          .line = request.line},
                                         runtime.within(predict_timeout));
  if (!outcome) return answer(outcome.error());
  if (!outcome->skip) return HttpResponse::json(200, to_json(outcome->made, predictor.models().version()));
  return HttpResponse::json(is_permanent(outcome->skip->reason) ? 200 : 500, to_json(*outcome->skip));
}

HttpResponse predict(Runtime& runtime, Predictor& predictor, Worker& worker, const HttpRequest& http) {
  const Result<Received> received = receive(http.body);
  if (!received) return answer(received.error());
  const Result<PredictionRequest> request = parse_prediction_request(received->data);
  if (!request) return answer(request.error());
  if (request->preview) return preview(runtime, predictor, *request);
  const Result<WorkDone> worked = worker.handle(*request, runtime.within(predict_timeout));
  if (worked) return done();
  runtime.logger().warn("predict_failed", {{"player_id", request->player_id}, {"error", worked.error().text()}});
  // Whatever it is, the bus is to deliver it again; what never succeeds ends in the dead letters.
  HttpResponse response = answer(worked.error());
  if (response.status < 500) response.status = 500;
  return response;
}

}  // namespace

int main() {
  return run_service("prediction-worker", {"MODEL_PATH"}, [](Runtime& runtime) -> Status {
    SERIN_TRY(Predictor* const loaded, runtime.load_predictor(Sport::nba));
    Predictor& predictor = *loaded;
    auto& worker = runtime.make<Worker>(WorkerDeps{.predictor = predictor,
                                                   .sql = runtime.warehouse(),
                                                   .bus = runtime.bus(),
                                                   .clock = runtime.sleeper(),
                                                   .logger = runtime.logger()});
    runtime.add_check(contract_check("model"), [&predictor](Deadline) {
      const Status tested = predictor.self_test();
      if (!tested) return health::CheckAnswer::of(tested.error());
      const auto open = predictor.open_breakers();
      if (open.empty()) return health::CheckAnswer::pass({{"version", predictor.models().version()}});
      return health::CheckAnswer::warn("breaker_open", fmt::format("left alone for now: {}", fmt::join(open, ", ")));
    });
    runtime.add_freshness_check(FreshTable::features, Sport::nba);
    runtime.service().route("POST", "/predict", [&runtime, &predictor, &worker](const HttpRequest& request) {
      return predict(runtime, predictor, worker, request);
    });
    return {};
  });
}
