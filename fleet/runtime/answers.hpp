#pragma once
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/fleet_pipeline/definitions.hpp"
#include "serin/fleet_pipeline/processing.hpp"
#include "serin/ports/check.hpp"
#include "serin/ports/http.hpp"

namespace serin::fleet {

/// What a push, or a direct call with the same content, came with.
struct Received {
  bool pushed = false;   ///< by the bus: then 2xx means "do not deliver again"
  std::string data;      ///< the JSON of the event or request
  std::string batch_id;  ///< attributes of a push, as far as it has them
  std::string player_id;
};
/// A body with "message" in it is a push, anything else is the data itself. Errors: invalid_argument.
Result<Received> receive(std::string_view body);

/// `{"error":code,"detail":sentence}` with the status that fits the code.
[[nodiscard]] HttpResponse answer(const Error& error);
/// 204, the acknowledgement without anything to say.
[[nodiscard]] HttpResponse done();
/// 200, or 500 when all failed: nothing answers "completed" for work that failed.
[[nodiscard]] HttpResponse answer(const ProcessReport& report);
/// A judgement about data as a check's answer: data quality warns and fails, "not evaluated" is skipped.
[[nodiscard]] health::CheckAnswer check_answer(const Result<Judgement>& judgement);

}  // namespace serin::fleet
