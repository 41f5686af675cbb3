#pragma once
#include <map>
#include <string>

#include "serin/ports/http.hpp"
#include "serin/smoke/run.hpp"

// Private to the module.
namespace serin::smoke {

/// The first thing about an answer that is not as expected, "status is 500, expected 200"; empty when all is. Pure.
[[nodiscard]] std::string wrong_with(const Expectation& expected, const HttpResponse& answer, Duration took);
/// What stands at a pointer, or in "header:NAME"; nothing when it is not there. Pure.
[[nodiscard]] std::optional<std::string> found_at(const std::string& place, const HttpResponse& answer);
/// `text` with every ${NAME} replaced. Errors: not_found, with the name that nobody gave. Pure.
[[nodiscard]] Result<std::string> filled_in(const std::string& text,
                                            const std::map<std::string, std::string>& variables,
                                            const std::map<std::string, std::string>& secrets);
/// `text` without the secrets. Pure.
[[nodiscard]] std::string redacted(std::string text, const std::map<std::string, std::string>& secrets);

}  // namespace serin::smoke
