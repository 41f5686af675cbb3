#include "serin/ports/http.hpp"

#include "serin/base/text.hpp"

namespace serin {

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : fields_)
    if (equal_ignoring_case(key, name)) return value;
  return std::nullopt;
}

void HttpHeaders::set(std::string_view name, std::string_view value) {
  std::erase_if(fields_, [&](const auto& field) { return equal_ignoring_case(field.first, name); });
  add(name, value);
}

std::string_view HttpRequest::path() const noexcept {
  const std::string_view all = target;
  return all.substr(0, all.find('?'));
}

std::optional<std::string> HttpRequest::query(std::string_view name) const {
  const std::size_t mark = target.find('?');
  if (mark == std::string::npos) return std::nullopt;
  for (const std::string_view pair : split(std::string_view(target).substr(mark + 1), '&')) {
    const std::size_t equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    return equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1), true);
  }
  return std::nullopt;
}

HttpResponse HttpResponse::json(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

HttpResponse HttpResponse::text(int status, std::string body) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

std::string_view http_reason(int status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "";
  }
}

bool HttpHandler::handle_later(const HttpRequest&, const std::function<void(HttpResponse)>&) { return false; }

std::shared_ptr<const std::string> HttpHandler::prepared(const HttpHead&) const noexcept { return nullptr; }

HttpResponse HttpHandler::overloaded(const HttpRequest&) {
  HttpResponse response = HttpResponse::json(503, R"({"error":"overloaded"})");
  response.headers.set("Retry-After", "1");
  return response;
}

}  // namespace serin
