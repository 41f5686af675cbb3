#include "verb_load.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "serin/load/load.hpp"

namespace serin::tool {
namespace {

struct LoadVerb {
  std::string url;
  double rate = 100;
  std::string duration = "10s";
  std::string method = "GET";
  std::string body;
  std::string content_type = "application/json";
  int workers = 8;
  bool json = false;
};

Result<load::LoadReport> send(VerbContext& context, const LoadVerb& verb) {
  SERIN_TRY(const Duration duration, parse_duration(verb.duration));
  SERIN_TRY(auto parts, split_url(verb.url, "/"));
  std::string body = verb.body;
  if (body.starts_with('@')) {
    SERIN_TRY(body, context.read_file(body.substr(1)));
  }
  load::LoadOptions options{.origin = parts.first, .requests_per_second = verb.rate, .workers = verb.workers};
  options.request = [&verb, target = parts.second, body](std::uint64_t) {
    HttpRequest request{.method = verb.method, .target = target, .body = body};
    if (!body.empty()) request.headers.set("Content-Type", verb.content_type);
    return request;
  };
  SERIN_TRY(const auto load, load::Load::start(std::move(options), context.http(), context.sleeper()));
  // Ctrl-C ends it early; what was counted until then is the report.
  const Status waited = context.sleeper().sleep_for(duration);
  load->stop();
  if (!waited && waited.error().code() != Errc::cancelled) return pass(waited.error());
  return load->report();
}

void print(VerbContext& context, const LoadVerb& verb, const load::LoadReport& report) {
  if (verb.json) {
    boost::json::object statuses;
    for (const auto& [status, count] : report.by_status) statuses[std::to_string(status)] = count;
    boost::json::array failures;
    for (const load::FailedRequest& failure : report.failures)
      failures.push_back(boost::json::object{{"at", format_rfc3339(failure.at)}, {"what", failure.what}});
    context.out(boost::json::serialize(boost::json::object{{"sent", report.sent},
                                                           {"failed", report.failed},
                                                           {"late", report.late},
                                                           {"by_status", std::move(statuses)},
                                                           {"p50_seconds", seconds_of(report.p50)},
                                                           {"p99_seconds", seconds_of(report.p99)},
                                                           {"failures", std::move(failures)}}) +
                "\n");
    return;
  }
  context.out(fmt::format("sent {}, failed {}, late {}, p50 {}, p99 {}\n", report.sent, report.failed, report.late,
                          format_duration(report.p50), format_duration(report.p99)));
  for (const auto& [status, count] : report.by_status) context.out(fmt::format("  {}: {}\n", status, count));
  for (std::size_t i = 0; i < report.failures.size() && i < 10; ++i)
    context.out(fmt::format("  {} {}\n", format_rfc3339(report.failures[i].at), report.failures[i].what));
}

}  // namespace

void add_load_verb(CLI::App& app, VerbContext& context) {
  auto options = std::make_shared<LoadVerb>();
  CLI::App* verb = app.add_subcommand("load", "Send steady traffic and count what users would call failed");
  verb->add_option("url", options->url, "http://host:port/path")->required();
  verb->add_option("--rps", options->rate, "Requests a second, at fixed times whatever the server does")
      ->capture_default_str();
  verb->add_option("--duration", options->duration, "How long, e.g. 30s")->capture_default_str();
  verb->add_option("--method", options->method, "HTTP method")->capture_default_str();
  verb->add_option("--body", options->body, "Body, or @FILE");
  verb->add_option("--content-type", options->content_type, "Of the body")->capture_default_str();
  verb->add_option("--workers", options->workers, "Requests in flight at most")->capture_default_str();
  add_json_flag(*verb, options->json);
  verb->callback([&context, options] {
    const auto report = send(context, *options);
    if (!report) return context.fail_with(report.error());
    print(context, *options, *report);
    context.finish(report->failed == 0 ? Exit::done : Exit::failed);
  });
}

}  // namespace serin::tool
