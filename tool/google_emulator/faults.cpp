#include "faults.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t requests_kept = 10'000;

/// '*' is any text; linear for one star, bounded by the length of both.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string_view status_name(int code) {
  switch (code) {
    case 400: return "INVALID_ARGUMENT";
    case 401: return "UNAUTHENTICATED";
    case 403: return "PERMISSION_DENIED";
    case 404: return "NOT_FOUND";
    case 409: return "ABORTED";
    case 412: return "FAILED_PRECONDITION";
    case 429: return "RESOURCE_EXHAUSTED";
    case 499: return "CANCELLED";
    case 501: return "UNIMPLEMENTED";
    case 503: return "UNAVAILABLE";
    case 504: return "DEADLINE_EXCEEDED";
    default: return "INTERNAL";
  }
}

std::string_view usual_reason(int code) {
  switch (code) {
    case 400: return "invalid";
    case 401: return "authError";
    case 403: return "accessDenied";
    case 404: return "notFound";
    case 409: return "duplicate";
    case 412: return "conditionNotMet";
    case 429: return "rateLimitExceeded";
    case 501: return "notImplemented";
    case 502: return "badGateway";
    case 503: return "backendError";
    default: return "internalError";
  }
}

json::object shown(const Faults::Fault& fault) {
  json::object out{{"method", fault.method}, {"path", fault.path},     {"skip", fault.skip}, {"count", fault.count},
                   {"status", fault.status}, {"reason", fault.reason}, {"hits", fault.hits}};
  if (fault.delay > Duration::zero()) out["delay"] = format_duration(fault.delay);
  if (!fault.close.empty()) out["close"] = fault.close;
  return out;
}

}  // namespace

HttpResponse answer_of(const Faults::Fault& fault) {
  const Failure failure{fault.status, std::string(status_name(fault.status)),
                        fault.reason.empty() ? std::string(usual_reason(fault.status)) : fault.reason, fault.message,
                        fault.retry_after};
  HttpResponse out = fault.body ? HttpResponse::text(fault.status, *fault.body) : answer_of(failure);
  if (fault.retry_after > 0)
    out.headers.set("Retry-After", std::to_string(static_cast<std::int64_t>(fault.retry_after + 0.999)));
  return out;
}

std::optional<Faults::Fault> Faults::hit(std::string_view method, std::string_view path) {
  const std::lock_guard lock(mutex_);
  for (Fault& fault : faults_) {
    if (fault.count == 0 || (fault.method != "*" && fault.method != method) || !fits(fault.path, path)) continue;
    if (fault.skip > 0) {
      --fault.skip;
      continue;
    }
    if (fault.count > 0) --fault.count;
    ++fault.hits;
    return fault;
  }
  return std::nullopt;
}

void Faults::log(const HttpRequest& request, std::string_view body) {
  json::object query;
  const std::string_view target = request.target;
  if (const std::size_t mark = target.find('?'); mark != std::string_view::npos)
    for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
      const std::size_t equals = std::min(pair.find('='), pair.size());
      query[percent_decode(pair.substr(0, equals), true)] =
          equals < pair.size() ? percent_decode(pair.substr(equals + 1), true) : "";
    }
  json::value content = parsed(body);
  if (content.is_null() && !body.empty()) content = json::value(body);
  json::object entry{
      {"method", request.method}, {"path", request.path()}, {"query", std::move(query)}, {"body", std::move(content)}};
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(entry));
  if (requests_.size() > requests_kept) requests_.pop_front();
}

HttpResponse Faults::add(const HttpRequest& request) {
  const json::value body = parsed(request.body);
  const json::object* given = body.if_object();
  if (given == nullptr) return answer_of(Failure{400, "INVALID_ARGUMENT", "invalid", "A fault is a JSON object"});
  Fault fault;
  for (const auto& [key, value] : *given) {
    const std::string text = scalar_text(value);
    const std::int64_t number = to_int(text).value_or(0);
    bool good = true;
    if (key == "method") {
      fault.method = text;
    } else if (key == "path") {
      fault.path = text;
    } else if (key == "skip") {
      fault.skip = number;
    } else if (key == "count") {
      fault.count = number;
    } else if (key == "status") {
      fault.status = static_cast<int>(number);
      good = number >= 200 && number <= 599;
    } else if (key == "reason") {
      fault.reason = text;
    } else if (key == "message") {
      fault.message = text;
    } else if (key == "body") {
      fault.body = text;
    } else if (key == "retry_after") {
      fault.retry_after = to_double(text).value_or(0);
    } else if (key == "delay") {
      const auto delay = parse_duration(text);
      good = delay && *delay <= 60s;
      if (good) fault.delay = *delay;
    } else if (key == "close") {
      fault.close = text;
      good = text == "before" || text == "after";
    } else if (key == "truncate") {
      fault.truncate = static_cast<std::size_t>(std::max<std::int64_t>(0, number));
    } else if (key == "pending") {
      fault.pending = static_cast<int>(number);
    } else {
      good = false;
    }
    if (!good)
      return answer_of(Failure{400, "INVALID_ARGUMENT", "invalid",
                               fmt::format("{} of a fault cannot be {}", std::string_view(key), text)});
  }
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
  return HttpResponse::json(200, json::serialize(shown(faults_.back())));
}

HttpResponse Faults::faults() {
  json::array list;
  const std::lock_guard lock(mutex_);
  for (const Fault& fault : faults_) list.push_back(shown(fault));
  return HttpResponse::json(200, json::serialize(json::object{{"faults", std::move(list)}}));
}

HttpResponse Faults::requests() {
  json::array list;
  const std::lock_guard lock(mutex_);
  for (const json::object& entry : requests_) list.push_back(entry);
  return HttpResponse::json(200, json::serialize(json::object{{"requests", std::move(list)}}));
}

std::optional<HttpResponse> Faults::admin(const HttpRequest& request) {
  const std::string_view path = request.path();
  if (!path.starts_with("/emulator/")) return std::nullopt;
  if (path == "/emulator/health" && request.method == "GET") return HttpResponse::json(200, R"({"status":"ok"})");
  const bool faults_of = path == "/emulator/faults";
  if (faults_of && request.method == "POST") return add(request);
  if ((faults_of || path == "/emulator/requests") && request.method == "GET") return faults_of ? faults() : requests();
  if ((faults_of || path == "/emulator/requests") && request.method == "DELETE") {
    const std::lock_guard lock(mutex_);
    if (faults_of) {
      faults_.clear();
    } else {
      requests_.clear();
    }
    return HttpResponse::json(200, "{}");
  }
  return answer_of(Failure{404, "NOT_FOUND", "notFound", "Of /emulator/ there are health, faults and requests"});
}

}  // namespace serin::google_emulator
