#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace serin::google {

/// Query parameters in order; a name may come several times. Neither names nor values are escaped yet.
using Query = std::vector<std::pair<std::string, std::string>>;

/// Everything but letters, digits and "-._~" as %XX: one segment of a path, or a value in a form or a query. Pure.
[[nodiscard]] std::string escape(std::string_view text);
/// "a=1&b=x%20y"; empty for no parameters. Pure.
[[nodiscard]] std::string form_encode(const Query& query);
/// "/v1/projects/p?pageSize=3". Pure.
[[nodiscard]] std::string target_of(std::string_view path, const Query& query);

}  // namespace serin::google
