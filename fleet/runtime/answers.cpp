#include "serin/fleet_runtime/answers.hpp"

#include "serin/delivery/push.hpp"
#include "serin/fleet_pipeline/requests.hpp"
#include "serin/service/service.hpp"

namespace serin::fleet {

Result<Received> receive(std::string_view body) {
  // The envelope is recognised by its field; a body that is no JSON at all is refused by whoever reads the data.
  if (body.find("\"message\"") == std::string_view::npos)
    return Received{.data = std::string(body), .batch_id = {}, .player_id = {}};
  SERIN_TRY(Delivery delivery, delivery::parse_push(body));
  const auto attribute = [&](const char* name) {
    const auto found = delivery.message.attributes.find(name);
    return found == delivery.message.attributes.end() ? std::string() : found->second;
  };
  return Received{.pushed = true,
                  .data = std::move(delivery.message.data),
                  .batch_id = attribute("batch_id"),
                  .player_id = attribute("player_id")};
}

HttpResponse answer(const Error& error) { return HttpResponse::json(http_status_of(error.code()), error_json(error)); }

HttpResponse done() { return {.status = 204, .headers = {}, .body = {}}; }

HttpResponse answer(const ProcessReport& report) {
  return HttpResponse::json(report.status() == RunStatus::failed ? 500 : 200, to_json(report));
}

health::CheckAnswer check_answer(const Result<Judgement>& judgement) {
  if (!judgement) return health::CheckAnswer::of(judgement.error());
  switch (judgement->verdict) {
    case Verdict::pass: return health::CheckAnswer::pass({{"finding", judgement->reason}});
    case Verdict::warn: return health::CheckAnswer::warn("data_quality", judgement->reason);
    case Verdict::fail: return health::CheckAnswer::fail("data_quality", judgement->reason);
    case Verdict::not_evaluated: return health::CheckAnswer::skip(judgement->reason);
  }
  return health::CheckAnswer::fail("internal", "an unknown verdict");
}

}  // namespace serin::fleet
