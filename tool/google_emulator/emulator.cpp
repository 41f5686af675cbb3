#include "emulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "bigquery.hpp"
#include "faults.hpp"
#include "firestore.hpp"
#include "logging.hpp"
#include "monitoring.hpp"
#include "pubsub.hpp"
#include "run.hpp"
#include "secrets.hpp"
#include "serin/base/text.hpp"
#include "tokens.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t largest_body = 256u << 20;  // after gzip

/// BigQuery's paths with and without their prefix.
std::string_view without_prefix(std::string_view path) {
  constexpr std::string_view prefix = "/bigquery/v2";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

}  // namespace

struct GoogleEmulator::Parts {
  Sleeper& sleeper;
  Faults faults;
  std::unique_ptr<Tokens> tokens;
  std::unique_ptr<Database> database;
  std::unique_ptr<Store> store;
  std::unique_ptr<BigQuery> bigquery;
  std::unique_ptr<PubSub> pubsub;
  std::unique_ptr<Firestore> firestore;
  std::unique_ptr<Secrets> secrets;
  std::unique_ptr<Monitoring> monitoring;
  std::unique_ptr<Logging> logging;
  std::unique_ptr<Run> run;
  std::vector<Route> routes;

  HttpResponse serve(const HttpRequest& request);
  HttpResponse route(const HttpRequest& request);
};

GoogleEmulator::GoogleEmulator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
GoogleEmulator::~GoogleEmulator() = default;

Result<std::unique_ptr<GoogleEmulator>> GoogleEmulator::make(const EmulatorOptions& options, Sleeper& sleeper,
                                                             Random& random) {
  auto parts = std::make_unique<Parts>(sleeper);
  SERIN_TRY(parts->tokens, Tokens::make(options.project, options.credentials, sleeper, random));
  SERIN_TRY(parts->database, Database::open(options.folder + "/bigquery.db"));
  SERIN_TRY(parts->store, Store::open(options.folder + "/google.db"));
  {
    SERIN_TRY(const Database::Lease connection, parts->database->take());
    SERIN_CHECK(BigQueryCatalog::prepare(*connection));
  }
  parts->bigquery =
      std::make_unique<BigQuery>(BigQuery::Options{.project = options.project, .session_idle = options.session_idle},
                                 *parts->database, *parts->store, sleeper, random);
  parts->pubsub = std::make_unique<PubSub>(*parts->store, random);
  parts->firestore = std::make_unique<Firestore>(*parts->store, random);
  parts->secrets = std::make_unique<Secrets>(*parts->store, random);
  parts->monitoring = std::make_unique<Monitoring>(*parts->store, random);
  parts->monitoring->measures([&pubsub = *parts->pubsub](const Call& call) { return pubsub.measured(call); });
  parts->logging = std::make_unique<Logging>(*parts->store, random);
  parts->run = std::make_unique<Run>(*parts->store, random);
  for (std::vector<Route> more :
       {parts->bigquery->routes(), parts->pubsub->routes(), parts->firestore->routes(), parts->secrets->routes(),
        parts->monitoring->routes(), parts->logging->routes(), parts->run->routes()})
    std::ranges::move(more, std::back_inserter(parts->routes));
  return std::unique_ptr<GoogleEmulator>(new GoogleEmulator(std::move(parts)));
}

bool GoogleEmulator::is_immediate(const HttpRequest& request) const noexcept {
  return request.path() == "/emulator/health";
}

HttpResponse GoogleEmulator::handle(const HttpRequest& request) {
  if (auto admin = parts_->faults.admin(request)) return *std::move(admin);
  HttpRequest inside = request;
  const auto encoding = request.headers.find("Content-Encoding");
  if (encoding && equal_ignoring_case(*encoding, "gzip")) {
    auto plain = gunzip(request.body, largest_body);
    if (!plain) return answer_of(Failure{400, "INVALID_ARGUMENT", "parseError", "The body is no gzip"});
    inside.body = *std::move(plain);
  }
  if (const auto method = request.headers.find("X-HTTP-Method-Override")) inside.method = *method;
  parts_->faults.log(inside, inside.body);
  return parts_->serve(inside);
}

HttpResponse GoogleEmulator::Parts::serve(const HttpRequest& request) {
  const auto fault = faults.hit(request.method, request.path());
  if (!fault) return route(request);
  HttpResponse out;
  if (fault->delay > Duration::zero() && !sleeper.sleep_for(fault->delay))
    return answer_of(Failure{503, "UNAVAILABLE", "backendError", "The emulator is ending"});
  if (fault->pending > 0) bigquery->hold_next_job(fault->pending);
  constexpr int silence = 0;  // no answer: the server closes the connection
  if (fault->close == "before") return {.status = silence};
  out = fault->status != 0 ? answer_of(*fault) : route(request);
  if (fault->close == "after") return {.status = silence};
  out.cut_after = fault->truncate;
  return out;
}

HttpResponse GoogleEmulator::Parts::route(const HttpRequest& request) {
  if (auto token = tokens->answer(request)) return *std::move(token);
  if (!tokens->admits(request))
    return answer_of(Failure{401, "UNAUTHENTICATED", "authError",
                             "Request had invalid authentication credentials. Expected OAuth 2 access token."});
  const std::string_view path = without_prefix(request.path());
  for (const Route& known : routes) {
    if (known.method != request.method) continue;
    auto found = match(known.pattern, path);
    if (!found) continue;
    Call call{.request = request, .parts = *std::move(found), .now = sleeper.wall()};
    if (!trim(request.body).empty()) {
      json::value body = parsed(request.body);
      if (!body.is_object())
        return answer_of(Failure{400, "INVALID_ARGUMENT", "parseError", "Invalid JSON payload received."});
      call.body = std::move(body.get_object());
    }
    const Reply reply = known.handler(call);
    if (!reply) return answer_of(reply.error());
    if (reply->is_null()) return {.status = 204};
    HttpResponse out = HttpResponse::json(200, json::serialize(*reply));
    if (const json::object* object = reply->if_object())
      if (const std::string etag = text_at(*object, "etag"); !etag.empty()) {
        if (request.method == "GET" && request.headers.find("If-None-Match") == etag) return {.status = 304};
        out.headers.set("ETag", etag);
      }
    return out;
  }
  return answer_of(Failure{501, "UNIMPLEMENTED", "notImplemented",
                           fmt::format("{} {} is not there in this emulator", request.method, request.path())});
}

std::vector<std::string> environment_of(const std::string& host, const std::string& project) {
  return {fmt::format("BIGQUERY_EMULATOR_HOST=http://{}/bigquery/v2", host),
          fmt::format("PUBSUB_EMULATOR_HOST={}", host),
          fmt::format("FIRESTORE_EMULATOR_HOST={}", host),
          fmt::format("GCE_METADATA_HOST={}", host),
          "METADATA_SERVER_DETECTION=assume-present",
          fmt::format("GOOGLE_CLOUD_PROJECT={}", project),
          fmt::format("SERIN_GOOGLE_EMULATOR=http://{}", host)};
}

}  // namespace serin::google_emulator
