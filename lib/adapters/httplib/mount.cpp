#include "serin/httplib/mount.hpp"

#include <httplib.h>

#include <memory>
#include <string_view>

#include "serin/base/text.hpp"
#include "serin/wire/wire.hpp"

namespace serin {
namespace {

/// What cpp-httplib adds to the fields of a request on its own account.
bool is_invented(std::string_view name) {
  return name == "REMOTE_ADDR" || name == "REMOTE_PORT" || name == "LOCAL_ADDR" || name == "LOCAL_PORT";
}

/// Fields that cpp-httplib writes itself.
bool is_framing(std::string_view name) {
  return equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "connection");
}

void copy_prepared(std::string_view bytes, httplib::Response& to) {
  wire::AnswerReader reader(bytes);
  to.status = reader.status();
  to.body.assign(reader.body());
  while (const auto field = reader.next())
    if (!is_framing(field->first)) to.headers.emplace(field->first, field->second);
}

HttpRequest to_request(const httplib::Request& from) {
  HttpRequest request{.method = from.method, .target = from.target, .body = from.body, .peer = from.remote_addr};
  for (const auto& [name, value] : from.headers)
    if (!is_invented(name)) request.headers.add(name, value);
  return request;
}

void serve(HttpHandler& handler, const httplib::Request& from, httplib::Response& to) {
  HttpHead head{
      .method = from.method, .target = from.target, .is_plain = wire::can_be_plain(from.method) && from.body.empty()};
  for (const auto& [name, value] : from.headers) head.is_plain = head.is_plain && wire::leaves_plain(name, value);
  if (head.is_plain)
    if (const std::shared_ptr<const std::string> bytes = handler.prepared(head)) return copy_prepared(*bytes, to);
  HttpResponse response = wire::ask(handler, to_request(from));
  to.status = response.status;
  to.body = std::move(response.body);
  for (const auto& [name, value] : response.headers)
    if (!is_framing(name)) to.set_header(name, value);  // drops values with a line break
}

}  // namespace

void mount(httplib::Server& server, HttpHandler& handler, const std::string& pattern) {
  const httplib::Server::Handler answer = [&handler](const httplib::Request& from, httplib::Response& to) {
    serve(handler, from, to);
  };
  server
      .Get(pattern, answer)  // HEAD too
      .Post(pattern, answer)
      .Put(pattern, answer)
      .Patch(pattern, answer)
      .Delete(pattern, answer)
      .Options(pattern, answer);
}

}  // namespace serin
