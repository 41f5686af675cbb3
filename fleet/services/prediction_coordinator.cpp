// prediction-coordinator: batches of predictions, from the feature store's event to the merge.
#include <fmt/format.h>

#include "serin/fleet_pipeline/coordinator.hpp"
#include "serin/fleet_runtime/answers.hpp"
#include "serin/fleet_runtime/runtime.hpp"

using namespace serin;
using namespace serin::fleet;

namespace {

constexpr Duration start_timeout = 25s;
constexpr Duration count_timeout = 10s;
constexpr Duration look_every = 15s;

/// A person's start: 202, 409 or 404, as it is.
HttpResponse start_by_hand(Runtime& runtime, Coordinator& coordinator, const std::string& data) {
  const Result<StartRequest> request = parse_start_request(data);
  if (!request) return answer(request.error());
  const Result<Started> started = coordinator.start(*request, "", runtime.within(start_timeout));
  return started ? HttpResponse::json(202, to_json(*started)) : answer(started.error());
}

/// phase4-complete: what can never succeed is acknowledged and said.
HttpResponse start_by_event(Runtime& runtime, Coordinator& coordinator, const std::string& data) {
  const Result<PhaseComplete> event = parse_phase_complete(data);
  if (!event) return answer(event.error());
  const Result<Started> started =
      coordinator.start({.game_date = event->game_date}, event->run_id, runtime.within(start_timeout));
  if (started) return HttpResponse::json(202, to_json(*started));
  const Errc code = started.error().code();
  if (code != Errc::conflict && code != Errc::not_found) return answer(started.error());
  runtime.logger().info("start_not_needed", {{"game_date", event->game_date}, {"reason", started.error().detail()}});
  return done();
}

HttpResponse complete(Runtime& runtime, Coordinator& coordinator, const HttpRequest& http) {
  const Result<Received> received = receive(http.body);
  if (!received) return answer(received.error());
  const Result<PredictionReady> event = parse_prediction_ready(received->data);
  if (!event) return answer(event.error());
  const Status counted = coordinator.complete(*event, runtime.within(count_timeout));
  return counted ? done() : answer(counted.error());
}

/// A request that used up its attempts: its batch must not wait for it.
HttpResponse dead_letter(Runtime& runtime, Coordinator& coordinator, const HttpRequest& http) {
  const Result<Received> received = receive(http.body);
  if (!received) return answer(received.error());
  // The attributes, not the data: damaged data may be the very reason why it is dead.
  runtime.logger().error("dead_letter", {{"batch_id", received->batch_id}, {"player_id", received->player_id}});
  if (received->batch_id.empty() || received->player_id.empty()) return done();
  const PredictionReady event{
      .batch_id = received->batch_id, .player_id = received->player_id, .outcome = Outcome::dead, .reason = {}};
  const Status counted = coordinator.complete(event, runtime.within(count_timeout));
  return counted ? done() : answer(counted.error());
}

HttpResponse status(Runtime& runtime, Coordinator& coordinator, const HttpRequest& http) {
  if (const auto batch_id = http.query("batch_id")) {
    const Result<Batch> batch = coordinator.status(*batch_id, runtime.within(count_timeout));
    return batch ? HttpResponse::json(200, to_status_json(*batch)) : answer(batch.error());
  }
  const Result<std::vector<Batch>> batches =
      coordinator.batches(http.query("game_date").value_or(""), 20, runtime.within(count_timeout));
  if (!batches) return answer(batches.error());
  std::string list;
  for (const Batch& batch : *batches) list += (list.empty() ? "" : ",") + to_status_json(batch);
  return HttpResponse::json(200, "{\"batches\":[" + list + "]}");
}

HttpResponse check_stalled(Runtime& runtime, Coordinator& coordinator, const HttpRequest& http) {
  const Result<StallRequest> request = parse_stall_request(http.body);
  if (!request) return answer(request.error());
  const Result<StallReport> report = coordinator.check_stalled(*request, runtime.within(start_timeout));
  if (!report) return answer(report.error());
  return HttpResponse::json(report->errors.empty() ? 200 : 500, to_json(*report));
}

}  // namespace

int main() {
  return run_service("prediction-coordinator", {}, [](Runtime& runtime) -> Status {
    auto& coordinator = runtime.make<Coordinator>(
        CoordinatorDeps{.sql = runtime.warehouse(),
                        .bus = runtime.bus(),
                        .documents = runtime.documents(),
                        .sleeper = runtime.sleeper(),
                        .random = runtime.random(),
                        .logger = runtime.logger(),
                        .holder = runtime.environment().value_or("SERIN_REPLICA", "prediction-coordinator")});
    runtime.add_documents_check();
    runtime.add_bus_check();
    Service& service = runtime.service();
    service.route("POST", "/start", [&runtime, &coordinator](const HttpRequest& request) {
      const Result<Received> received = receive(request.body);
      if (!received) return answer(received.error());
      return received->pushed ? start_by_event(runtime, coordinator, received->data)
                              : start_by_hand(runtime, coordinator, received->data);
    });
    service.route("POST", "/complete", [&runtime, &coordinator](const HttpRequest& request) {
      return complete(runtime, coordinator, request);
    });
    service.route("POST", "/dead-letter", [&runtime, &coordinator](const HttpRequest& request) {
      return dead_letter(runtime, coordinator, request);
    });
    service.route("GET", "/status", [&runtime, &coordinator](const HttpRequest& request) {
      return status(runtime, coordinator, request);
    });
    service.route("POST", "/check-stalled", [&runtime, &coordinator](const HttpRequest& request) {
      return check_stalled(runtime, coordinator, request);
    });
    runtime.every(look_every, [&runtime, &coordinator] {
      const Result<StallReport> report = coordinator.check_stalled({}, runtime.within(start_timeout));
      if (!report)
        runtime.logger().error("check_stalled", {{"error", report.error().text()}});
      else if (!report->errors.empty() || !report->closed.empty() || !report->resumed.empty() || report->recovered > 0)
        runtime.logger().warn("check_stalled", {{"report", to_json(*report)}});
    });
    return {};
  });
}
