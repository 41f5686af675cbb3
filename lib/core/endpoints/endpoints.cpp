#include "serin/endpoints/endpoints.hpp"

#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <iterator>
#include <optional>
#include <variant>

#include "dialects.hpp"
#include "prepared.hpp"
#include "serin/base/text.hpp"
#include "serin/endpoints/probers.hpp"
#include "validate.hpp"
#include "wishes.hpp"

namespace serin::endpoints {

using health::HealthReport;
using health::HealthStatus;
using health::Kind;

namespace {

/// A request that was understood: what is asked, of which route, by whom, and how the answer is written.
struct Question {
  const Route* route = nullptr;
  health::Selection selection;
  Dialect dialect = Dialect::native;
  Disclosure level = Disclosure::status;
  bool verbose = false;
};

void add_probe_headers(HttpHeaders& headers) {
  headers.set("Cache-Control", "no-store, no-cache");
  headers.set("Pragma", "no-cache");
  headers.set("Expires", "Thu, 01 Jan 1970 00:00:00 GMT");
  headers.set("X-Content-Type-Options", "nosniff");
}

HttpResponse refusal(int status, std::string_view text) {
  HttpResponse response = HttpResponse::json(status, fmt::format(R"({{"error":"{}"}})", text));
  add_probe_headers(response.headers);
  return response;
}

HttpResponse not_found() { return refusal(404, "there is no such path"); }

std::string wire(const HttpResponse& response) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, http_reason(response.status));
  for (const auto& [name, value] : response.headers) fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
  fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n\r\n{}", response.body.size(), response.body);
  return out;
}

}  // namespace

struct Endpoints::Parts {
  Parts(EndpointsOptions given, health::Identity who, health::HealthSource& source, const Clock& time)
      : options(std::move(given)), identity(std::move(who)), health(source), clock(time) {
    for (std::size_t i = 0; i < options.routes.size(); ++i) answers.push_back(std::make_unique<PreparedAnswer>());
  }

  /// The route of a path, and what stands below it.
  struct Found {
    std::size_t index = 0;
    std::string_view segment;
  };
  [[nodiscard]] std::optional<Found> find(std::string_view path) const noexcept;
  [[nodiscard]] std::variant<Question, HttpResponse> understand(const HttpRequest& request) const;
  [[nodiscard]] Disclosure level(Dialect dialect, bool known) const noexcept;
  [[nodiscard]] HttpResponse refuse_anonymous() const;
  /// \param code  0: the one that the route has for it
  [[nodiscard]] HttpResponse write(const Question& question, HealthReport report, int code = 0) const;
  [[nodiscard]] HttpResponse write_fault(const Question& question, std::string_view text) const;
  [[nodiscard]] HttpResponse write_known(const Question& question, std::optional<HealthReport> report) const;
  [[nodiscard]] HttpResponse answer_from_memory(const Question& question) const;
  [[nodiscard]] bool prepares(const Route& route) const noexcept;

  const EndpointsOptions options;
  const health::Identity identity;
  health::HealthSource& health;
  const Clock& clock;
  std::vector<std::unique_ptr<PreparedAnswer>> answers;  // one a route
};

std::optional<Endpoints::Parts::Found> Endpoints::Parts::find(std::string_view path) const noexcept {
  std::optional<Found> below;
  for (std::size_t i = 0; i < options.routes.size(); ++i) {
    const Route& route = options.routes[i];
    if (path == route.path && route.below != Below::group) return Found{.index = i, .segment = {}};
    if (route.below == Below::nothing) continue;
    if (const std::string_view segment = segment_below(route.path, path); !segment.empty())
      below = Found{.index = i, .segment = segment};
  }
  return below;
}

Disclosure Endpoints::Parts::level(Dialect dialect, bool known) const noexcept {
  if (known) return options.principals;
  if (options.anonymous) return *options.anonymous;
  return dialect == Dialect::native || dialect == Dialect::microprofile ? Disclosure::components : Disclosure::status;
}

HttpResponse Endpoints::Parts::refuse_anonymous() const {
  if (!options.authenticator.who) return refusal(403, "only callers who are known may ask this");
  HttpResponse response = refusal(401, "only callers who are known may ask this");
  response.headers.set("WWW-Authenticate", "Bearer realm=\"health\"");
  return response;
}

std::variant<Question, HttpResponse> Endpoints::Parts::understand(const HttpRequest& request) const {
  const auto found = find(request.path());
  if (!found) return not_found();
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = refusal(405, "GET or HEAD");
    response.headers.set("Allow", "GET, HEAD");
    return response;
  }
  const Route& route = options.routes[found->index];
  auto query = parse_query(request.target);
  if (!query) return refusal(400, query.error().detail());
  bool known = false;
  try {
    known = options.authenticator.who && options.authenticator.who(request).has_value();
  } catch (const std::exception&) {
    return refusal(500, "who asks could not be found out");
  }
  Question question{.route = &route, .verbose = query->verbose};
  const auto accept = request.headers.find("Accept");
  question.dialect = route.by_accept && accept ? negotiate(*accept, route.dialect) : route.dialect;
  question.level = level(question.dialect, known);
  // To leave checks out is to decide what counts; to ask for one by its name is to learn whether it is there.
  const bool names_a_check = route.below == Below::check && !found->segment.empty();
  if (!known && (!query->exclude.empty() || (names_a_check && question.level < Disclosure::components)))
    return refuse_anonymous();
  question.selection = {.kind = route.kind, .group = route.group, .exclude = std::move(query->exclude)};
  const std::string name = percent_decode(found->segment, false);
  if (route.below == Below::check) question.selection.check = name;
  if (route.below == Below::group) question.selection.group = name;
  return question;
}

HttpResponse Endpoints::Parts::write(const Question& question, HealthReport report, int code) const {
  const Route& route = *question.route;
  report.kind = route.kind;
  View view{.identity = identity,
            .report = std::move(report),
            .level = question.level,
            .verbose = question.verbose,
            .excluding = question.selection.exclude,
            .about = options.about};
  const bool asks_for_all = question.selection.group.empty() && question.selection.check.empty();
  if (question.dialect == Dialect::actuator && route.kind == Kind::deep && asks_for_all) view.groups = health.groups();
  conclude(view);
  if (code == 0) code = code_of(route.codes, view.report);
  // A liveness check that nobody could ask is no reason to restart anything. The gauges still say what is known.
  if (route.kind == Kind::liveness && view.report.status == HealthStatus::unknown && code < 400 &&
      question.dialect != Dialect::prometheus)
    view.report.status = HealthStatus::up;
  HttpResponse response{.status = code_in(question.dialect, code)};
  if (question.level != Disclosure::none) response.headers.set("Content-Type", content_type(question.dialect));
  add_probe_headers(response.headers);
  if (options.envoy_headers && code != 500)
    for (const auto& [name, value] : envoy_headers(view.report, identity)) response.headers.set(name, value);
  response.body = endpoints::write(question.dialect, std::move(view));
  return response;
}

HttpResponse Endpoints::Parts::write_fault(const Question& question, std::string_view text) const {
  HealthReport report{.status = HealthStatus::down, .kind = question.route->kind};
  report.checks.push_back({.name = "health",
                           .kinds = question.route->kind,
                           .answer = health::CheckAnswer::fail("internal", std::string(text))});
  try {
    return write(question, std::move(report), 500);
  } catch (const std::exception&) {
    return refusal(500, "the health of this process is not to be had");
  }
}

HttpResponse Endpoints::Parts::write_known(const Question& question, std::optional<HealthReport> report) const {
  if (!report) return not_found();
  try {
    return write(question, std::move(*report));
  } catch (const std::exception& error) {
    return write_fault(question, error.what());
  }
}

HttpResponse Endpoints::Parts::answer_from_memory(const Question& question) const {
  std::optional<HealthReport> report;
  try {
    report = health.report(question.selection);
  } catch (const std::exception& error) {
    return write_fault(question, error.what());
  }
  return write_known(question, std::move(report));
}

bool Endpoints::Parts::prepares(const Route& route) const noexcept {
  if (route.on_demand || route.below == Below::group || options.prepared_for == Duration::zero()) return false;
  // Somebody who is known by something else than Authorization may be told more than what was prepared for anybody.
  return !options.authenticator.who || options.authenticator.reads_only_authorization;
}

Result<Endpoints> Endpoints::make(EndpointsOptions options, health::Identity identity, health::HealthSource& health,
                                  const Clock& clock) {
  SERIN_CHECK(validate(options, identity));
  return Endpoints(std::make_shared<Parts>(std::move(options), std::move(identity), health, clock));
}

bool Endpoints::owns(std::string_view path) const noexcept { return parts_->find(path).has_value(); }

HttpResponse Endpoints::handle(const HttpRequest& request) const {
  auto understood = parts_->understand(request);
  if (auto* refused = std::get_if<HttpResponse>(&understood)) return std::move(*refused);
  return parts_->answer_from_memory(std::get<Question>(understood));
}

namespace {

/// Gives an answer once, whoever comes first; when the last owner lets go and nobody gave one, that is an answer too.
class Reply {
 public:
  Reply(std::function<void(HttpResponse)> respond, std::function<HttpResponse()> unanswered)
      : respond_(std::move(respond)), unanswered_(std::move(unanswered)) {}
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() {
    if (!given_.exchange(true)) respond_(unanswered_());
  }
  void give(const std::function<HttpResponse()>& answer) {
    if (!given_.exchange(true)) respond_(answer());
  }

 private:
  std::function<void(HttpResponse)> respond_;
  std::function<HttpResponse()> unanswered_;
  std::atomic<bool> given_ = false;
};

}  // namespace

bool Endpoints::handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) const {
  const auto found = parts_->find(request.path());
  if (!found || !parts_->options.routes[found->index].on_demand) return false;
  auto understood = parts_->understand(request);
  if (auto* refused = std::get_if<HttpResponse>(&understood)) {
    respond(std::move(*refused));
    return true;
  }
  const auto question = std::make_shared<const Question>(std::move(std::get<Question>(understood)));
  auto reply = std::make_shared<Reply>(respond, [parts = parts_, question] {
    return parts->write_fault(*question, "the checks were asked and nobody answered");
  });
  const Deadline deadline = Deadline::after(parts_->clock.now(), parts_->options.deadline);
  try {
    // Its own pointers: the answer may come when these Endpoints are gone.
    parts_->health.ask(question->selection, deadline,
                       [parts = parts_, question, reply](std::optional<HealthReport> report) {
                         reply->give([&] { return parts->write_known(*question, std::move(report)); });
                       });
  } catch (const std::exception& error) {
    reply->give([&] { return parts_->write_fault(*question, error.what()); });
  }
  return true;
}

std::shared_ptr<const std::string> Endpoints::prepared(const HttpHead& head) const noexcept {
  if (!head.is_plain || (head.method != "GET" && head.method != "HEAD")) return nullptr;
  for (std::size_t i = 0; i < parts_->options.routes.size(); ++i) {
    const Route& route = parts_->options.routes[i];
    if (route.path != head.target) continue;
    if (!parts_->prepares(route)) return nullptr;
    PreparedAnswer& answer = *parts_->answers[i];
    const Instant now = parts_->clock.now();
    // Read before the report is: what changes in between makes the answer old, not wrong.
    const std::uint64_t version = parts_->health.version();
    if (auto bytes = answer.read(version, now - parts_->options.prepared_for)) return bytes;
    // Somebody else writes already: the usual way answers as well, and nobody waits.
    const std::unique_lock lock(answer.writing(), std::try_to_lock);
    if (!lock) return nullptr;
    try {
      const Dialect dialect = route.dialect;
      const HttpResponse response = parts_->answer_from_memory({.route = &route,
                                                                .selection = {.kind = route.kind, .group = route.group},
                                                                .dialect = dialect,
                                                                .level = parts_->level(dialect, false)});
      PreparedAnswer::Bytes bytes = std::make_shared<const std::string>(wire(response));
      answer.write(bytes, version, now);
      return bytes;
    } catch (const std::exception&) {
      return nullptr;
    }
  }
  return nullptr;
}

}  // namespace serin::endpoints
