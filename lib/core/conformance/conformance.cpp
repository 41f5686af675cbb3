#include "serin/conformance/conformance.hpp"

#include <fmt/format.h>

#include <functional>
#include <optional>

#include "answers.hpp"

namespace serin::conformance {
namespace {

/// Asks one service and keeps what was found.
class Interview {
 public:
  Interview(HttpClient& http, const Clock& clock, std::string_view origin, const ConformanceOptions& options,
            Deadline deadline)
      : http_(http), clock_(clock), origin_(origin), options_(options), deadline_(deadline) {}

  std::vector<Finding> run() {
    if (!liveness()) return std::move(findings_);
    probe("/ready");
    probe("/health/deep");
    startup();
    metrics();
    methods();
    paths();
    disclosure();
    return std::move(findings_);
  }

 private:
  struct Asked {
    Result<HttpResponse> answer;
    Duration took{};
  };

  Asked ask(std::string_view method, std::string_view target, HttpHeaders headers = {}) {
    const Instant began = clock_.now();
    // Twice the time that an answer may take: an answer that is a little late is told from none.
    const Deadline until = deadline_.sooner(Deadline::after(began, 2 * options_.answer_within));
    HttpRequest request{.method = std::string(method), .target = std::string(target), .headers = std::move(headers)};
    Asked asked{.answer = http_.send(origin_, std::move(request), until)};
    asked.took = clock_.now() - began;
    return asked;
  }

  bool find(std::string rule, std::optional<std::string> wrong) {
    findings_.push_back({.rule = std::move(rule), .kept = !wrong, .seen = std::move(wrong).value_or("")});
    return findings_.back().kept;
  }

  /// Whether there was an answer, in time. One rule for both, because a service that hangs breaks both.
  bool in_time(std::string_view what, const Asked& asked) {
    std::optional<std::string> wrong;
    if (!asked.answer) wrong = asked.answer.error().text();
    if (asked.answer && asked.took > options_.answer_within) wrong = "it took " + format_duration(asked.took);
    return find(fmt::format("{} is answered within {}", what, format_duration(options_.answer_within)),
                std::move(wrong)) ||
           asked.answer.has_value();
  }

  void expect_code(std::string_view what, const HttpResponse& answer, int code) {
    std::optional<std::string> wrong;
    if (answer.status != code) wrong = fmt::format("answered {}", answer.status);
    find(fmt::format("{} answers {}", what, code), std::move(wrong));
  }

  void expect_uncached(std::string_view what, const HttpResponse& answer) {
    std::optional<std::string> wrong;
    const auto cache = answer.headers.find("Cache-Control");
    if (!cache || cache->find("no-store") == std::string_view::npos)
      wrong = fmt::format("Cache-Control is '{}'", cache.value_or("(absent)"));
    find(fmt::format("{} is not to be cached", what), std::move(wrong));
  }

  bool liveness() {
    const Asked first = ask("GET", "/health");
    if (!in_time("GET /health", first)) return false;
    expect_code("GET /health", *first.answer, 200);
    find("/health says who it is: status, service, version, revision, commit, environment",
         wrong_identity(first.answer->body, options_.service));
    expect_uncached("/health", *first.answer);
    const Asked second = ask("GET", "/health");
    if (!in_time("GET /health again", second)) return true;
    std::optional<std::string> wrong;
    if (second.answer->body != first.answer->body) wrong = "the second answer was another one";
    find("/health says the same every time", std::move(wrong));
    return true;
  }

  void probe(std::string_view path) {
    const Asked asked = ask("GET", path);
    if (!in_time(fmt::format("GET {}", path), asked)) return;
    const HttpResponse& answer = *asked.answer;
    expect_uncached(path, answer);
    if (options_.dependency_hangs) expect_code(fmt::format("GET {} with a dependency that hangs", path), answer, 503);
    const auto body = object_of(answer.body);
    std::optional<std::string> wrong;
    if (!body) wrong = "the body is no JSON object";
    if (body) wrong = wrong_shape(*body);
    if (!find(fmt::format("{} has all fields of the contract", path), std::move(wrong))) return;
    find(fmt::format("the counts of {} add up", path), wrong_counts(*body));
    find(fmt::format("the status of {} fits its code and its checks", path), wrong_status(*body, answer.status));
    find(fmt::format("{} shows an anonymous caller neither error texts nor details", path), disclosed(*body));
  }

  void startup() {
    const Asked asked = ask("GET", "/startup");
    if (!in_time("GET /startup", asked)) return;
    std::optional<std::string> wrong;
    if (asked.answer->status != 200 && asked.answer->status != 503)
      wrong = fmt::format("answered {}", asked.answer->status);
    find("GET /startup answers 200 or 503", std::move(wrong));
  }

  void metrics() {
    const Asked asked = ask("GET", "/metrics");
    if (!in_time("GET /metrics", asked)) return;
    expect_code("GET /metrics", *asked.answer, 200);
    const auto type = asked.answer->headers.find("Content-Type");
    std::optional<std::string> wrong;
    if (!type || !type->starts_with("text/plain"))
      wrong = fmt::format("Content-Type is '{}'", type.value_or("(absent)"));
    if (!wrong && asked.answer->body.find("# TYPE ") == std::string::npos) wrong = "there is no # TYPE line";
    find("/metrics is Prometheus' text format", std::move(wrong));
  }

  void methods() {
    for (const std::string_view path : {"/health", "/ready", "/health/deep"}) {
      const Asked head = ask("HEAD", path);
      if (in_time(fmt::format("HEAD {}", path), head)) {
        std::optional<std::string> wrong;
        if (!head.answer->body.empty()) wrong = "it has a body";
        if (head.answer->status != 200 && head.answer->status != 503)
          wrong = fmt::format("answered {}", head.answer->status);
        find(fmt::format("HEAD {} is GET without a body", path), std::move(wrong));
      }
      const Asked post = ask("POST", path);
      if (!in_time(fmt::format("POST {}", path), post)) continue;
      std::optional<std::string> wrong;
      const auto allow = post.answer->headers.find("Allow");
      if (post.answer->status != 405) wrong = fmt::format("answered {}", post.answer->status);
      if (!wrong && (!allow || allow->find("GET") == std::string_view::npos)) wrong = "there is no Allow with GET";
      find(fmt::format("POST {} answers 405 and says what is allowed", path), std::move(wrong));
    }
  }

  void paths() {
    for (const std::string_view path : {"/health/", "/health/nowhere", "/ready/no-such-check", "/no-such-path"}) {
      const Asked asked = ask("GET", path);
      if (in_time(fmt::format("GET {}", path), asked)) expect_code(fmt::format("GET {}", path), *asked.answer, 404);
    }
  }

  void disclosure() {
    const Asked wrong_key = ask("GET", "/health/deep", {{"Authorization", "Bearer not-the-key"}});
    if (in_time("GET /health/deep with a wrong key", wrong_key)) {
      std::optional<std::string> wrong;
      const int code = wrong_key.answer->status;
      const auto body = object_of(wrong_key.answer->body);
      if (code != 401 && code != 403) {
        if (!body || wrong_shape(*body)) wrong = fmt::format("answered {}", code);
        if (!wrong) wrong = disclosed(*body);
      }
      find("a wrong key shows no more than none", std::move(wrong));
    }
    if (options_.key.empty()) return;
    const Asked with_key = ask("GET", "/health/deep", {{"Authorization", "Bearer " + options_.key}});
    if (!in_time("GET /health/deep with the key", with_key)) return;
    std::optional<std::string> wrong;
    const auto body = object_of(with_key.answer->body);
    if (!body) wrong = fmt::format("answered {}", with_key.answer->status);
    if (body) wrong = wrong_shape(*body);
    if (!wrong && with_key.answer->body.find("\"withheld\"") != std::string::npos) wrong = "an error is still withheld";
    find("the key shows everything", std::move(wrong));
  }

  HttpClient& http_;
  const Clock& clock_;
  std::string_view origin_;
  const ConformanceOptions& options_;
  Deadline deadline_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_contract(HttpClient& http, const Clock& clock, std::string_view origin,
                                    const ConformanceOptions& options, Deadline deadline) {
  return Interview(http, clock, origin, options, deadline).run();
}

std::string broken(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings)
    if (!finding.kept) out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", finding.rule, finding.seen);
  return out;
}

bool claims_contract(std::string_view health_body) {
  const auto object = object_of(health_body);
  return object && has_identity(*object);
}

}  // namespace serin::conformance
