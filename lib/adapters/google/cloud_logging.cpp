#include "serin/google/cloud_logging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "detail_call.hpp"
#include "serin/base/text.hpp"

namespace serin::google {
namespace json = boost::json;
namespace {

constexpr std::size_t most_in_request = 1'000;
constexpr std::size_t most_request_bytes = 9'000'000;  // the service takes 10 MB, counted its own way
constexpr std::size_t most_entry_bytes = 256u << 10;

constexpr std::array<std::string_view, 9> severities{"DEFAULT", "DEBUG",    "INFO",  "NOTICE",   "WARNING",
                                                     "ERROR",   "CRITICAL", "ALERT", "EMERGENCY"};

Severity severity_of(const json::object& entry) {
  const std::string name = text_of(entry, "severity");
  // As a number they are hundreds, where asked for.
  const std::int64_t number = int_of(entry, "severity").value_or(0);
  for (std::size_t i = 1; i < severities.size(); ++i)
    if (name == severities.at(i) || number == static_cast<std::int64_t>(i) * 100) return static_cast<Severity>(i);
  return Severity::unset;
}

json::object object_of_labels(const std::map<std::string, std::string>& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

json::value value_of(const LogField::Value& value) {
  return std::visit([](const auto& is) { return json::value(is); }, value);
}

json::object json_of(const LogEntry& entry, std::string insert_id) {
  json::object out{{"insertId", std::move(insert_id)}, {"severity", severity_name(entry.severity)}};
  if (entry.time) out["timestamp"] = format_rfc3339(*entry.time);
  if (entry.fields.empty()) {
    out["textPayload"] = entry.text;
  } else {
    json::object payload;
    if (!entry.text.empty()) payload["message"] = entry.text;
    for (const LogField& field : entry.fields) payload[field.key] = value_of(field.value);
    out["jsonPayload"] = std::move(payload);
  }
  if (!entry.labels.empty()) out["labels"] = object_of_labels(entry.labels);
  if (!entry.trace.empty()) out["trace"] = entry.trace;
  return out;
}

LogEntry entry_of(const json::object& object) {
  LogEntry out{.time = time_of(object, "timestamp"),
               .severity = severity_of(object),
               .text = text_of(object, "textPayload"),
               .trace = text_of(object, "trace"),
               .insert_id = text_of(object, "insertId"),
               .log = percent_decode(last_segment(text_of(object, "logName")), false)};
  if (const json::object* const payload = object_of(object, "jsonPayload")) {
    out.json = json::serialize(*payload);
    out.text = text_of(*payload, "message");
  }
  if (const json::object* const labels = object_of(object, "labels"))
    for (const auto& [name, value] : *labels)
      if (value.is_string()) out.labels.emplace(name, value.get_string());
  return out;
}

/// Entries as texts, ready to be put together into requests.
Result<std::vector<std::string>> texts_of(std::span<const LogEntry> entries, Random& random) {
  // Ids of one call begin alike and go on counting: unique, and in the order of the entries.
  const std::string begin = fmt::format("{:016x}", random.next());
  std::vector<std::string> out;
  out.reserve(entries.size());
  for (const LogEntry& entry : entries) {
    std::string id = entry.insert_id.empty() ? fmt::format("{}-{:06}", begin, out.size()) : entry.insert_id;
    std::string text = json::serialize(json_of(entry, std::move(id)));
    if (text.size() > most_entry_bytes)
      return fail(Errc::invalid_argument,
                  fmt::format("log entry {} has {} bytes, more than {}", out.size(), text.size(), most_entry_bytes));
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace

std::string_view severity_name(Severity severity) noexcept {
  return severities.at(std::min(static_cast<std::size_t>(severity), severities.size() - 1));
}

ApiOptions CloudLogging::defaults() {
  return {.service = std::string(service), .endpoint = "https://logging.googleapis.com"};
}

Status CloudLogging::write(const LogOrigin& origin, std::span<const LogEntry> entries, const Within& within) {
  if (origin.log.empty()) return fail(Errc::invalid_argument, "the log has no id");
  SERIN_TRY(const std::vector<std::string> texts, texts_of(entries, api_->random()));
  std::string head = json::serialize(
      json::object{{"logName", fmt::format("projects/{}/logs/{}", place_.project, escape(origin.log))},
                   {"resource", {{"type", origin.resource}, {"labels", object_of_labels(origin.resource_labels)}}},
                   {"labels", object_of_labels(origin.labels)},
                   {"partialSuccess", true}});
  head.pop_back();  // its '}'
  std::size_t written = 0;
  std::optional<Error> first;
  for (std::size_t at = 0; at < texts.size();) {
    std::string body = head + R"(,"entries":[)";
    const std::size_t begin = at;
    while (at < texts.size() && at - begin < most_in_request &&
           (at == begin || body.size() + texts[at].size() < most_request_bytes)) {
      if (at != begin) body += ',';
      body += texts[at++];
    }
    body += "]}";
    const auto sent = api_->call({.method = "POST",
                                  .path = "/v2/entries:write",
                                  .body = std::move(body),
                                  .deadline = within.deadline,
                                  .stop = within.stop,
                                  .idempotency = Idempotency::idempotent});  // by the insert ids
    if (sent) written += at - begin;
    if (!sent && !first) first = sent.error();
    if (within.stop.stop_requested() || within.deadline.passed(api_->sleeper().now())) break;
  }
  if (first) return pass(first->in(fmt::format("{} of {} log entries were written", written, texts.size())));
  if (written < texts.size())
    return fail(Errc::deadline_exceeded, fmt::format("{} of {} log entries were written", written, texts.size()));
  return {};
}

Result<std::vector<LogEntry>> CloudLogging::list(const LogQuery& query, const Within& within) {
  json::object body{{"resourceNames", json::array{"projects/" + place_.project}},
                    {"orderBy", query.newest_first ? "timestamp desc" : "timestamp asc"}};
  if (!query.filter.empty()) body["filter"] = query.filter;
  if (query.page_size > 0) body["pageSize"] = query.page_size;
  std::vector<LogEntry> out;
  const auto page = [&](const std::string& token) {
    if (!token.empty()) body["pageToken"] = token;
    ApiCall call = post("/v2/entries:list", body, within);
    call.idempotency = Idempotency::idempotent;  // it only reads
    return ask(*api_, call);
  };
  if (query.most == 0) return out;
  SERIN_CHECK(read_pages("entries", page, [&](const json::object& item) {
    out.push_back(entry_of(item));
    return out.size() < query.most;
  }));
  return out;
}

}  // namespace serin::google
