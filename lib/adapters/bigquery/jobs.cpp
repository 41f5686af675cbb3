#include "jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/base/text.hpp"
#include "serin/google/detail_json.hpp"
#include "values.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;

constexpr Duration first_poll = 10s;
constexpr Duration later_poll = 45s;  // below the 60 s of one HTTP request
constexpr Duration cancel_time = 5s;  // beyond the caller's deadline, so that nothing goes on at his cost

std::string milliseconds(Duration duration) {
  return std::to_string(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(duration).count()));
}

json::array parameters_of(std::span<const SqlValue> parameters) {
  json::array out;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (!std::holds_alternative<std::monostate>(parameters[i]))
      out.push_back(bigquery::parameter_of(i + 1, parameters[i]));
  return out;
}

/// "dataset" or "project.dataset" as its two parts.
std::pair<std::string, std::string> dataset_of(std::string_view text, const std::string& project) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {project, std::string(text)};
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

/// A table that is not there is a mistake in the statement for the callers of the port, as in every other database; a
/// transaction that somebody else's cut off is a conflict.
Error as_the_port_says(const Error& error, const ApiError& said) {
  if (said.http_status == 404 && said.message.find("Table") != std::string::npos)
    return fail(Errc::invalid_argument, error.detail()).error();
  if (said.message.find("concurrent update") != std::string::npos) return fail(Errc::conflict, error.detail()).error();
  return error;
}

/// Whether the job itself broke, for no reason of its statement.
bool is_broken_job(const ApiError& error) {
  return error.http_status != 0 &&
         (error.outcome == OutcomeClass::transient || error.outcome == OutcomeClass::throttled);
}

JobPlace place_of(const json::object& answer, const BigQueryOptions& options) {
  JobPlace place{.project = text_of(answer, "jobReference.projectId"),
                 .id = text_of(answer, "jobReference.jobId"),
                 .location = text_of(answer, "jobReference.location")};
  if (place.project.empty()) place.project = options.project;
  if (place.location.empty()) place.location = options.location;
  return place;
}

/// What a job that ended says of itself as an error, as jobs.get has it.
ApiError error_of(const json::object& result) {
  json::object body{
      {"error", json::object{{"message", text_of(result, "message")},
                             {"errors", json::array{json::object{{"reason", text_of(result, "reason")}}}}}}};
  return read_error(400, json::serialize(body));
}

}  // namespace

/// What has come of an answer so far.
struct Jobs::Progress {
  JobAnswer out;
  std::vector<bigquery::Field> fields;
  bool complete = false;
  std::string page;
  std::int64_t expected_rows = -1;

  Status add(const json::object& answer) {
    complete = flag_of(answer, "jobComplete");
    if (!complete) return {};
    if (out.answer.table.columns.empty()) {
      if (const json::value* schema = member(answer, "schema")) {
        SERIN_TRY(fields, bigquery::fields_of(*schema));
        for (const bigquery::Field& field : fields) out.answer.table.columns.push_back(field.name);
      }
    }
    for (const json::value& row : array_of(answer, "rows")) {
      SERIN_TRY(SqlRow values, bigquery::row_of(row, fields));
      out.answer.table.rows.push_back(std::move(values));
    }
    if (const auto changed = int_of(answer, "numDmlAffectedRows")) out.answer.changed = *changed;
    if (const auto bytes = int_of(answer, "totalBytesProcessed")) out.answer.bytes_processed = *bytes;
    if (flag_of(answer, "cacheHit")) out.answer.from_cache = true;
    if (const auto rows = int_of(answer, "totalRows")) expected_rows = *rows;
    page = text_of(answer, "pageToken");
    return {};
  }
  /// A page that got lost must not look like the end.
  [[nodiscard]] Status check_whole() const {
    const auto rows = static_cast<std::int64_t>(out.answer.table.rows.size());
    if (expected_rows < 0 || fields.empty() || rows == expected_rows) return {};
    return fail(Errc::data_loss, fmt::format("BigQuery announced {} rows and sent {}", expected_rows, rows));
  }
};

std::string Jobs::root() const { return "/bigquery/v2/projects/" + escape(options_.project); }

std::string Jobs::dataset_path() const {
  const auto [project, dataset] = dataset_of(options_.dataset, options_.project);
  return fmt::format("/bigquery/v2/projects/{}/datasets/{}", escape(project), escape(dataset));
}

std::string Jobs::table_path(std::string_view table) const {
  const std::size_t dot = table.rfind('.');
  if (dot == std::string_view::npos) return fmt::format("{}/tables/{}", dataset_path(), escape(table));
  const auto [project, dataset] = dataset_of(table.substr(0, dot), options_.project);
  return fmt::format("/bigquery/v2/projects/{}/datasets/{}/tables/{}", escape(project), escape(dataset),
                     escape(table.substr(dot + 1)));
}

std::string Jobs::new_id() { return fmt::format("{:016x}{:016x}", api_.random().next(), api_.random().next()); }

Duration Jobs::patience(Deadline deadline, Duration most) const {
  // The rest is for the way there and back.
  return std::min(most, deadline.left(api_.sleeper().now()) / 2);
}

Result<json::object> Jobs::call(const ApiCall& call) {
  SERIN_TRY(const HttpResponse response, api_.call(call));
  return parse_object(response.body, "BigQuery's answer");
}

Result<json::object> Jobs::get(std::string_view path, Deadline deadline) {
  return call({.path = std::string(path), .deadline = deadline, .stop = options_.stop});
}

Result<json::object> Jobs::post(std::string_view path, std::string body, Idempotency idempotency, Deadline deadline) {
  return call({.method = "POST",
               .path = std::string(path),
               .body = std::move(body),
               .deadline = deadline,
               .stop = options_.stop,
               .idempotency = idempotency});
}

json::object Jobs::common_body(const Statement& statement) const {
  const auto [project, dataset] = dataset_of(options_.dataset, options_.project);
  json::object body{{"query", statement.text}, {"useLegacySql", false}};
  if (!dataset.empty()) body["defaultDataset"] = json::object{{"projectId", project}, {"datasetId", dataset}};
  if (json::array parameters = parameters_of(statement.parameters); !parameters.empty()) {
    body["parameterMode"] = "NAMED";
    body["queryParameters"] = std::move(parameters);
  }
  if (options_.max_bytes_billed > 0) body["maximumBytesBilled"] = std::to_string(options_.max_bytes_billed);
  json::array properties;
  if (!statement.session.empty()) properties.push_back({{"key", "session_id"}, {"value", statement.session}});
  if (!properties.empty()) body["connectionProperties"] = std::move(properties);
  if (statement.opens_session) body["createSession"] = true;
  return body;
}

void Jobs::cancel(const JobPlace& place) {
  if (place.id.empty()) return;  // its own time limit ends it
  Query query;
  if (!place.location.empty()) query.emplace_back("location", place.location);
  // Without the caller's stop, which may be the reason. Nothing more can be done when it fails.
  static_cast<void>(api_.call(
      {.method = "POST",
       .path = fmt::format("/bigquery/v2/projects/{}/jobs/{}/cancel", escape(place.project), escape(place.id)),
       .query = std::move(query),
       .deadline = Deadline::after(api_.sleeper().now(), cancel_time),
       .idempotency = Idempotency::idempotent}));
}

Status Jobs::read_to_end(Progress& progress, const JobPlace& place, Deadline deadline, ApiError& error) {
  for (Duration most = first_poll; !progress.complete || !progress.page.empty(); most = later_poll) {
    if (place.id.empty()) return fail(Errc::data_loss, "BigQuery's answer is not whole and names no job");
    if (!progress.complete && deadline.passed(api_.sleeper().now())) {
      cancel(place);
      return fail(Errc::deadline_exceeded, fmt::format("BigQuery's job {} was not done in time", place.id));
    }
    Query query{{"formatOptions.useInt64Timestamp", "true"}};
    query.emplace_back("timeoutMs", milliseconds(patience(deadline, most)));
    if (!place.location.empty()) query.emplace_back("location", place.location);
    if (options_.page_rows > 0) query.emplace_back("maxResults", std::to_string(options_.page_rows));
    if (!progress.page.empty()) query.emplace_back("pageToken", progress.page);
    const auto answer =
        call({.path = fmt::format("/bigquery/v2/projects/{}/queries/{}", escape(place.project), escape(place.id)),
              .query = std::move(query),
              .deadline = deadline,
              .stop = options_.stop,
              .error = &error});
    if (!answer) {
      if (error.http_status == 0) cancel(place);  // nobody waits for it any more
      return pass(answer.error());
    }
    SERIN_CHECK(progress.add(*answer));
  }
  return progress.check_whole();
}

Result<JobAnswer> Jobs::run_once(const Statement& statement, Deadline deadline, ApiError& error) {
  error = {};
  json::object body = common_body(statement);
  body["requestId"] = new_id();
  body["formatOptions"] = json::object{{"useInt64Timestamp", true}};
  body["timeoutMs"] = to_int(milliseconds(patience(deadline, first_poll))).value_or(1);
  if (deadline != Deadline::never()) body["jobTimeoutMs"] = milliseconds(deadline.left(api_.sleeper().now()));
  if (!options_.location.empty()) body["location"] = options_.location;
  if (options_.page_rows > 0) body["maxResults"] = options_.page_rows;
  if (statement.dry) body["dryRun"] = true;
  if (!options_.labels.empty()) body["labels"] = json::value_from(options_.labels);
  const auto answer = call({.method = "POST",
                            .path = root() + "/queries",
                            .body = json::serialize(body),
                            .deadline = deadline,
                            .stop = options_.stop,
                            .idempotency = Idempotency::idempotent,
                            .error = &error});
  if (!answer) return pass(answer.error());
  const JobPlace place = place_of(*answer, options_);
  Progress progress;
  SERIN_CHECK(progress.add(*answer));
  progress.out.session = text_of(*answer, "sessionInfo.sessionId");
  progress.out.answer.job = place.id;
  if (statement.dry) {
    progress.out.answer.bytes_processed = int_of(*answer, "totalBytesProcessed").value_or(0);
    return std::move(progress.out);
  }
  SERIN_CHECK(read_to_end(progress, place, deadline, error));
  return std::move(progress.out);
}

Result<JobAnswer> Jobs::run(const Statement& statement, Deadline deadline) {
  if (deadline.passed(api_.sleeper().now())) return fail(Errc::deadline_exceeded, "no time is left for the statement");
  const int runs = 1 + (statement.may_run_again ? options_.new_jobs : 0);
  ApiError error;
  for (int run = 1;; ++run) {
    Result<JobAnswer> answer = run_once(statement, deadline, error);
    if (answer) return answer;
    if (run == runs || !is_broken_job(error) || deadline.passed(api_.sleeper().now()))
      return pass(as_the_port_says(answer.error(), error));
  }
}

/// Makes the job, once, whatever happens to the answers. Source: jobs.insert with an id of the caller's; 409 for an id
/// that is ours alone means that an earlier attempt arrived, and the job may take a while to be seen (python-bigquery
/// #2134).
Status Jobs::place_job(const JobPlace& place, std::string body, Deadline deadline, ApiError& error) {
  const auto made = call({.method = "POST",
                          .path = root() + "/jobs",
                          .body = std::move(body),
                          .deadline = deadline,
                          .stop = options_.stop,
                          .idempotency = Idempotency::idempotent,
                          .error = &error});
  if (made) {
    const json::object* failed = object_of(*made, "status.errorResult");
    if (failed == nullptr) return {};
    error = error_of(*failed);
    return fail(code_of(error), describe(error));
  }
  if (error.http_status != 409) {
    // Nothing was heard: it may run all the same, and then nobody waits for it.
    if (error.http_status == 0) cancel(place);
    return pass(made.error());
  }
  const Deadline seen_by = deadline.sooner(Deadline::after(api_.sleeper().now(), 200s));
  for (Duration wait = 500ms;; wait = std::min<Duration>(2 * wait, 10s)) {
    Query query;
    if (!place.location.empty()) query.emplace_back("location", place.location);
    const auto seen = call({.path = fmt::format("{}/jobs/{}", root(), escape(place.id)),
                            .query = std::move(query),
                            .deadline = seen_by,
                            .stop = options_.stop});
    if (seen) return {};
    if (seen.error().code() != Errc::not_found || seen_by.passed(Deadline::after(api_.sleeper().now(), wait).at()))
      return pass(seen.error());
    SERIN_CHECK(sleep_until(api_.sleeper(), Deadline::after(api_.sleeper().now(), wait).at(), options_.stop));
  }
}

Result<BigQueryAnswer> Jobs::insert_once(const Statement& statement, const JobOptions& job, Deadline deadline,
                                         ApiError& error) {
  error = {};
  const JobPlace place{.project = options_.project, .id = "serin_" + new_id(), .location = options_.location};
  json::object query = common_body(statement);
  query["priority"] = job.batch ? "BATCH" : "INTERACTIVE";
  if (!job.destination.empty()) {
    const std::size_t dot = job.destination.rfind('.');
    const auto [project, dataset] =
        dataset_of(dot == std::string::npos ? options_.dataset : job.destination.substr(0, dot), options_.project);
    query["destinationTable"] =
        json::object{{"projectId", project},
                     {"datasetId", dataset},
                     {"tableId", job.destination.substr(dot == std::string::npos ? 0 : dot + 1)}};
    query["writeDisposition"] = "WRITE_TRUNCATE";
  }
  json::object configuration{{"query", std::move(query)}};
  if (!options_.labels.empty()) configuration["labels"] = json::value_from(options_.labels);
  if (deadline != Deadline::never()) configuration["jobTimeoutMs"] = milliseconds(deadline.left(api_.sleeper().now()));
  json::object reference{{"projectId", place.project}, {"jobId", place.id}};
  if (!place.location.empty()) reference["location"] = place.location;
  SERIN_CHECK(place_job(place,
                        json::serialize(json::object{{"jobReference", std::move(reference)},
                                                     {"configuration", std::move(configuration)}}),
                        deadline, error));
  Progress progress;
  progress.out.answer.job = place.id;
  SERIN_CHECK(read_to_end(progress, place, deadline, error));
  return std::move(progress.out.answer);
}

Result<BigQueryAnswer> Jobs::insert(const Statement& statement, const JobOptions& job, Deadline deadline) {
  const int runs = 1 + (statement.may_run_again ? options_.new_jobs : 0);
  ApiError error;
  for (int run = 1;; ++run) {
    Result<BigQueryAnswer> answer = insert_once(statement, job, deadline, error);
    if (answer) return answer;
    if (run == runs || !is_broken_job(error) || deadline.passed(api_.sleeper().now()))
      return pass(as_the_port_says(answer.error(), error));
  }
}

}  // namespace serin::google
