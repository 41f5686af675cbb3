#include "logging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "filter.hpp"
#include "serin/base/text.hpp"

namespace serin::google_emulator {

Reply Logging::write(Call& call) {
  const json::array* entries = array_at(call.body, "entries");
  if (entries == nullptr || entries->empty()) return bad("entries must not be empty");
  for (const json::value& value : *entries) {
    const json::object* given = value.if_object();
    if (given == nullptr) return bad("An entry is no object");
    json::object entry = *given;
    for (const std::string_view name : {"logName", "resource"})
      if (const json::value* common = call.body.if_contains(name); common != nullptr && !entry.contains(name))
        entry[name] = *common;
    if (const json::object* labels = object_at(call.body, "labels")) {
      json::object& own = make_object(entry, "labels");
      for (const auto& [key, label] : *labels)
        if (!own.contains(key)) own[key] = label;
    }
    const std::string log = text_at(entry, "logName");
    if (log.find("/logs/") == std::string::npos) return bad("logName must be [RESOURCE]/logs/[LOG_ID]: " + log);
    const json::object* resource = object_at(entry, "resource");
    if (resource == nullptr || text_at(*resource, "type").empty()) return bad("resource.type is needed");
    if (!entry.contains("textPayload") && !entry.contains("jsonPayload") && !entry.contains("protoPayload"))
      return bad("An entry has no payload");
    entry["receiveTimestamp"] = micros_text(call.now);
    if (text_at(entry, "timestamp").empty()) entry["timestamp"] = micros_text(call.now);
    const auto at = parse_rfc3339(text_at(entry, "timestamp"));
    if (!at) return bad("Invalid timestamp: " + text_at(entry, "timestamp"));
    if (text_at(entry, "insertId").empty()) entry["insertId"] = random_hex(random_, 16);
    if (bool_at(call.body, "dryRun")) continue;
    // The same log, time and insertId: the same entry, sent twice.
    const std::int64_t micros = std::chrono::floor<std::chrono::microseconds>(at->time_since_epoch()).count();
    const std::vector<Row> same =
        store_.query("SELECT 1 FROM entries WHERE log = ?1 AND at = ?2 AND json_extract(json, '$.insertId') = ?3",
                     {log, micros, text_at(entry, "insertId")});
    if (same.empty())
      store_.execute("INSERT INTO entries(log, at, json) VALUES(?1, ?2, ?3)", {log, micros, json::serialize(entry)});
  }
  return json::object();
}

Reply Logging::list(Call& call) {
  const json::array* resources = array_at(call.body, "resourceNames");
  if (resources == nullptr || resources->empty()) return bad("resourceNames must not be empty");
  const auto terms = parse_filter(text_at(call.body, "filter"));
  if (!terms) return std::unexpected(terms.error());
  const std::string order = text_at(call.body, "orderBy");
  const bool down = order == "timestamp desc";
  if (!order.empty() && order != "timestamp asc" && order != "timestamp" && !down)
    return bad("orderBy is \"timestamp asc\" or \"timestamp desc\"");
  std::vector<json::value> found;
  for (const Row& row : store_.query(down ? "SELECT log, json FROM entries ORDER BY at DESC, id DESC"
                                          : "SELECT log, json FROM entries ORDER BY at, id")) {
    const std::string log = text_of(row[0].value);
    const bool mine = std::ranges::any_of(
        *resources, [&](const json::value& name) { return log.starts_with(scalar_text(name) + "/logs/"); });
    json::value entry = parsed(text_of(row[1].value));
    if (mine && entry.is_object() && passes(entry.get_object(), *terms)) found.push_back(std::move(entry));
  }
  Page page{.most = static_cast<std::size_t>(std::clamp<std::int64_t>(int_at(call.body, "pageSize", 50), 1, 1000))};
  if (const auto token = base64_decode(text_at(call.body, "pageToken")))
    page.from = static_cast<std::size_t>(std::max<std::int64_t>(0, to_int(*token).value_or(0)));
  json::array list;
  for (std::size_t i = page.from; i < found.size() && i < page.from + page.most; ++i)
    list.push_back(std::move(found[i]));
  json::object out{{"entries", std::move(list)}};
  if (const std::string token = page.next(found.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

Reply Logging::list_logs(Call& call) {
  json::array names;
  for (const Row& row :
       store_.query("SELECT DISTINCT log FROM entries WHERE substr(log, 1, length(?1)) = ?1 ORDER BY log",
                    {fmt::format("projects/{}/logs/", call.parts[0])}))
    names.emplace_back(text_of(row[0].value));
  return json::object{{"logNames", std::move(names)}};
}

Reply Logging::delete_log(Call& call) {
  const std::string log = fmt::format("projects/{}/logs/{}", call.parts[0], call.parts[1]);
  if (store_.execute("DELETE FROM entries WHERE log = ?1", {log}) == 0)
    return not_found("Log " + log + " does not exist");
  return json::object();
}

std::vector<Route> Logging::routes() {
  const auto to = [this](Reply (Logging::*handler)(Call&)) -> Handler {
    return [this, handler](Call& call) { return store_.run([&] { return (this->*handler)(call); }); };
  };
  return {{"POST", "/v2/entries:write", to(&Logging::write)},
          {"POST", "/v2/entries:list", to(&Logging::list)},
          {"GET", "/v2/projects/{}/logs", to(&Logging::list_logs)},
          {"DELETE", "/v2/projects/{}/logs/{**}", to(&Logging::delete_log)}};
}

}  // namespace serin::google_emulator
