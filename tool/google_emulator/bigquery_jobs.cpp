#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bigquery_job.hpp"
#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t jobs_kept = 500;  // with their rows
constexpr std::size_t rows_at_once = 100'000;

json::object error_of(const Failure& failure) {
  return {{"reason", failure.reason}, {"location", "query"}, {"message", failure.message}};
}

json::object state_of(const std::optional<Failure>& failure, bool running) {
  if (running) return {{"state", "RUNNING"}};
  json::object out{{"state", "DONE"}};
  if (failure) {
    out["errorResult"] = error_of(*failure);
    out["errors"] = json::array{error_of(*failure)};
  }
  return out;
}

json::object statistics_of(const QueryResult& result, std::int64_t now_ms) {
  const std::string bytes = std::to_string(result.bytes);
  const std::string billed = std::to_string(result.bytes == 0 ? 0 : std::max<std::int64_t>(result.bytes, 10 << 20));
  json::object query{{"statementType", result.statement_type},
                     {"totalBytesProcessed", bytes},
                     {"totalBytesBilled", billed},
                     {"cacheHit", false},
                     {"billingTier", 0},
                     {"schema", schema_of_columns(result.columns, false)}};
  if (result.affected) {
    query["numDmlAffectedRows"] = std::to_string(*result.affected);
    query["dmlStats"] = json::object{{"insertedRowCount", std::to_string(result.inserted)},
                                     {"updatedRowCount", std::to_string(result.updated)},
                                     {"deletedRowCount", std::to_string(result.deleted)}};
  }
  json::object out{{"creationTime", std::to_string(now_ms)},
                   {"startTime", std::to_string(now_ms)},
                   {"endTime", std::to_string(now_ms)},
                   {"totalBytesProcessed", bytes},
                   {"totalSlotMs", "1"},
                   {"query", std::move(query)}};
  if (!result.session.empty()) out["sessionInfo"] = json::object{{"sessionId", result.session}};
  return out;
}

bool is_job_id(std::string_view id) {
  return !id.empty() && id.size() <= 1024 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

void BigQuery::hold_next_job(int polls) {
  const std::lock_guard lock(mutex_);
  hold_next_ = polls;
}

std::shared_ptr<BigQuery::Job> BigQuery::find_job(const std::string& project, const std::string& id) {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Job>& job : jobs_)
    if (job->id == id && job->project == project) return job;
  return nullptr;
}

/// Runs it and keeps it. \param query  configuration.query
std::shared_ptr<BigQuery::Job> BigQuery::start(const json::object& query, json::object reference,
                                               const json::object& configuration, WallTime now) {
  auto job = std::make_shared<Job>();
  job->project = text_at(reference, "projectId");
  job->id = text_at(reference, "jobId");
  const bool dry_run = bool_at(configuration, "dryRun");
  json::object inside = query;
  inside["project"] = job->project;
  auto result = run(inside, reference, dry_run, now);
  if (result) {
    job->result = *std::move(result);
  } else {
    job->failure = std::move(result.error());
  }
  json::object kept = configuration;
  make_object(kept, "query") = query;
  kept["jobType"] = "QUERY";
  json::object statistics = statistics_of(job->result, unix_ms(now));
  job->resource = {{"kind", "bigquery#job"},
                   {"etag", fingerprint(job->id)},
                   {"id", fmt::format("{}:{}.{}", job->project, text_at(reference, "location"), job->id)},
                   {"selfLink", fmt::format("/bigquery/v2/projects/{}/jobs/{}", job->project, job->id)},
                   {"user_email", "emulator@" + job->project + ".iam.gserviceaccount.com"},
                   {"jobReference", std::move(reference)},
                   {"configuration", std::move(kept)},
                   {"statistics", std::move(statistics)}};
  if (dry_run) return job;  // is not kept
  keep(*job);
  std::shared_ptr<Job> oldest;
  {
    const std::lock_guard lock(mutex_);
    job->polls = std::exchange(hold_next_, 0);
    jobs_.push_front(job);
    if (jobs_.size() > jobs_kept) {
      oldest = std::move(jobs_.back());
      jobs_.pop_back();
    }
  }
  if (oldest) forget(oldest->project, oldest->id);
  return job;
}

Reply BigQuery::insert_job(Call& call) {
  const json::object* configuration = object_at(call.body, "configuration");
  const json::object* query = configuration == nullptr ? nullptr : object_at(*configuration, "query");
  if (query == nullptr) return bad("Only query jobs are supported by this emulator: load, copy and extract are not");
  json::object reference{{"projectId", call.parts[0]}};
  std::string id;
  std::string location;
  if (const json::object* given = object_at(call.body, "jobReference")) {
    id = text_at(*given, "jobId");
    location = text_at(*given, "location");
    if (!id.empty() && !is_job_id(id)) return bad(fmt::format("Invalid job ID \"{}\".", id));
  }
  const bool dry_run = bool_at(*configuration, "dryRun");
  const std::string key = call.parts[0] + "/" + id;
  if (!id.empty() && !dry_run) {
    const std::lock_guard lock(mutex_);
    const bool known = std::ranges::any_of(
        jobs_, [&](const std::shared_ptr<Job>& job) { return job->id == id && job->project == call.parts[0]; });
    if (known || !starting_.insert(key).second)
      return exists(fmt::format("Already Exists: Job {}:{}.{}", call.parts[0], location.empty() ? "US" : location, id));
  }
  reference["jobId"] = id.empty() ? "job_" + random_hex(random_, 24) : id;
  reference["location"] = location.empty() ? "US" : location;
  const std::shared_ptr<Job> job = start(*query, std::move(reference), *configuration, call.now);
  {
    const std::lock_guard lock(mutex_);
    starting_.erase(key);
  }
  if (dry_run && job->failure) return std::unexpected(*job->failure);
  json::object out = job->resource;
  const std::lock_guard lock(mutex_);
  out["status"] = state_of(job->failure, job->polls > 0);
  return out;
}

Reply BigQuery::get_job(Call& call) {
  const std::shared_ptr<Job> job = find_job(call.parts[0], call.parts[1]);
  if (!job) return not_found(fmt::format("Not found: Job {}:{}", call.parts[0], call.parts[1]));
  json::object out = job->resource;
  const std::lock_guard lock(mutex_);
  const bool running = job->polls > 0;
  if (running) --job->polls;
  out["status"] = state_of(job->failure, running);
  return out;
}

Reply BigQuery::list_jobs(Call& call) {
  const std::string state = call.query("stateFilter");
  const std::int64_t since = call.number("minCreationTime", 0);
  const std::lock_guard lock(mutex_);
  std::vector<json::object> all;
  for (const std::shared_ptr<Job>& job : jobs_) {
    if (job->project != call.parts[0]) continue;
    json::object status = state_of(job->failure, job->polls > 0);
    const std::string now_is = text_at(status, "state");
    if (!state.empty() && !equal_ignoring_case(state, now_is)) continue;
    if (int_at(*object_at(job->resource, "statistics"), "creationTime") < since) continue;
    json::object entry = job->resource;
    entry["state"] = now_is;
    if (job->failure) entry["errorResult"] = error_of(*job->failure);
    entry["status"] = std::move(status);
    all.push_back(std::move(entry));
  }
  const Page page = Page::of(call, "maxResults", 1000);
  json::array list;
  for (std::size_t i = page.from; i < all.size() && i < page.from + page.most; ++i) list.push_back(all[i]);
  json::object out{{"kind", "bigquery#jobList"}, {"etag", "list"}, {"jobs", std::move(list)}};
  if (const std::string token = page.next(all.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

Reply BigQuery::cancel_job(Call& call) {
  Reply job = get_job(call);
  if (!job) return job;
  return json::object{{"kind", "bigquery#jobCancelResponse"}, {"job", *std::move(job)}};
}

Reply BigQuery::delete_job(Call& call) {
  forget(call.parts[0], call.parts[1]);
  const std::lock_guard lock(mutex_);
  const auto gone = std::erase_if(jobs_, [&](const std::shared_ptr<Job>& job) {
    return job->project == call.parts[0] && job->id == call.parts[1];
  });
  if (gone == 0) return not_found(fmt::format("Not found: Job {}:{}", call.parts[0], call.parts[1]));
  return nullptr;
}

/// What jobs.query and getQueryResults have in common.
Reply BigQuery::results_of(Job& job, Call& call, std::size_t page_size, CellFormat format) {
  json::object out{{"kind", "bigquery#queryResponse"}, {"jobReference", job.resource.at("jobReference")}};
  {
    const std::lock_guard lock(mutex_);
    if (job.polls > 0) {
      --job.polls;
      out["jobComplete"] = false;
      return out;
    }
  }
  if (job.failure) return std::unexpected(*job.failure);
  const QueryResult& result = job.result;
  const std::string bytes = std::to_string(result.bytes);
  out["jobComplete"] = true;
  out["schema"] = schema_of_columns(result.columns, false);
  out["totalRows"] = std::to_string(result.rows.size());
  out["totalBytesProcessed"] = bytes;
  out["totalBytesBilled"] = std::to_string(result.bytes == 0 ? 0 : std::max<std::int64_t>(result.bytes, 10 << 20));
  out["cacheHit"] = false;
  if (!result.session.empty()) out["sessionInfo"] = json::object{{"sessionId", result.session}};
  if (result.affected) {
    out["numDmlAffectedRows"] = std::to_string(*result.affected);
    out["dmlStats"] = json::object{{"insertedRowCount", std::to_string(result.inserted)},
                                   {"updatedRowCount", std::to_string(result.updated)},
                                   {"deletedRowCount", std::to_string(result.deleted)}};
  }
  Page page = Page::of(call, "maxResults", rows_at_once);
  if (call.query("pageToken").empty())
    page.from = static_cast<std::size_t>(std::max<std::int64_t>(0, call.number("startIndex", 0)));
  page.most = std::min(page.most, page_size);
  json::array rows;
  for (std::size_t i = page.from; i < result.rows.size() && i < page.from + page.most; ++i)
    rows.push_back(row_json(result.rows[i], result.columns, format));
  if (!rows.empty()) out["rows"] = std::move(rows);
  if (const std::string token = page.next(result.rows.size()); page.most > 0 && !token.empty())
    out["pageToken"] = token;
  return out;
}

/// The job of a jobs.query.
std::shared_ptr<BigQuery::Job> BigQuery::start_query(Call& call) {
  const std::string location = text_at(call.body, "location");
  json::object reference{{"projectId", call.parts[0]},
                         {"jobId", "job_" + random_hex(random_, 24)},
                         {"location", location.empty() ? "US" : location}};
  json::object configuration;
  for (const std::string_view name : {"dryRun", "labels", "jobTimeoutMs"})
    if (const json::value* value = call.body.if_contains(name)) configuration[name] = *value;
  return start(call.body, std::move(reference), configuration, call.now);
}

Reply BigQuery::query(Call& call) {
  if (text_at(call.body, "query").empty()) return bad("Required parameter is missing: query");
  const std::string request_id = text_at(call.body, "requestId");
  std::shared_ptr<Job> job;
  if (request_id.empty()) {
    job = start_query(call);
  } else {
    // A repetition gets the job of the first, also while that still runs.
    const std::string key = call.parts[0] + "/" + request_id;
    std::unique_lock lock(mutex_);
    std::erase_if(requests_,
                  [&](const auto& entry) { return entry.second.job && sleeper_.now() - entry.second.at > 15min; });
    const bool is_new = requests_.try_emplace(key).second;
    if (is_new) {
      lock.unlock();
      job = start_query(call);
      lock.lock();
      requests_[key] = {job, sleeper_.now()};
      finished_.notify_all();
    } else {
      finished_.wait(lock, [&] { return requests_[key].job != nullptr; });
      job = requests_[key].job;
    }
  }
  std::size_t size = rows_at_once;
  if (call.body.contains("maxResults"))
    size = static_cast<std::size_t>(std::max<std::int64_t>(0, int_at(call.body, "maxResults")));
  Reply out = results_of(*job, call, size, CellFormat::of(call));
  if (out && bool_at(call.body, "dryRun")) out->get_object().erase("jobReference");
  return out;
}

Reply BigQuery::query_results(Call& call) {
  const std::shared_ptr<Job> job = find_job(call.parts[0], call.parts[1]);
  if (!job) return not_found(fmt::format("Not found: Job {}:{}", call.parts[0], call.parts[1]));
  std::size_t size = rows_at_once;
  if (call.query("maxResults") == "0") size = 0;
  Reply out = results_of(*job, call, size, CellFormat::of(call));
  if (out) {
    out->get_object()["kind"] = "bigquery#getQueryResultsResponse";
    out->get_object()["etag"] = fingerprint(job->id);
  }
  return out;
}

}  // namespace serin::google_emulator
