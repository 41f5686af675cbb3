#pragma once
#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "serin/google/detail_json.hpp"
#include "serin/google/api.hpp"
#include "serin/google/place.hpp"

// Private to the module: what all clients do with an Api.
namespace serin::google {

/// The most pages that a list is read over: a server that never ends one is not followed for ever.
constexpr int most_pages = 10'000;

[[nodiscard]] inline ApiCall get(std::string path, Query query, const Within& within) {
  return {.path = std::move(path), .query = std::move(query), .deadline = within.deadline, .stop = within.stop};
}
[[nodiscard]] inline ApiCall post(std::string path, const boost::json::value& body, const Within& within) {
  return {.method = "POST",
          .path = std::move(path),
          .body = boost::json::serialize(body),
          .deadline = within.deadline,
          .stop = within.stop};
}
/// The answer as an object. Errors: as Api::call(); data_loss when it is none.
inline Result<boost::json::object> ask(Api& api, const ApiCall& call) {
  SERIN_TRY(const HttpResponse response, api.call(call));
  return parse_object(response.body,
                      fmt::format("{}: the answer to {} {}", api.options().service, call.method, call.path));
}

/// Reads a list over its pages. \param page  asks for the page behind a token (empty: the first) and returns the answer
/// \param take  is given each page's items; false: that is enough
template <class Page, class Take>
Status read_pages(std::string_view items, const Page& page, const Take& take) {
  std::string token;
  for (int i = 0; i < most_pages; ++i) {
    SERIN_TRY(const boost::json::object answer, page(token));
    for (const boost::json::value& item : array_of(answer, items))
      if (item.is_object() && !take(item.get_object())) return {};
    token = text_of(answer, "nextPageToken");
    if (token.empty()) return {};
  }
  return fail(Errc::exhausted, fmt::format("the list of {} has more than {} pages", items, most_pages));
}
/// The same for a list that a GET reads.
template <class Take>
Status read_list(Api& api, const std::string& path, const Query& query, std::string_view items, const Within& within,
                 const Take& take) {
  const auto page = [&](const std::string& token) {
    ApiCall call = get(path, query, within);
    if (!token.empty()) call.query.emplace_back("pageToken", token);
    return ask(api, call);
  };
  return read_pages(items, page, take);
}

/// What follows the last '/': "7" of "projects/p/secrets/s/versions/7".
[[nodiscard]] inline std::string last_segment(std::string_view name) {
  return std::string(name.substr(name.rfind('/') + 1));
}

}  // namespace serin::google
