#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bigquery_job.hpp"
#include "serin/base/text.hpp"

// Jobs and their rows as resources of google.db, so that a client can ask for them after a restart.
namespace serin::google_emulator {
namespace {

constexpr std::string_view kind = "bigquery_job";
constexpr std::size_t rows_kept = 20'000;  // of one job; with more it is kept in memory only

json::value kept(const Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell.value)) return *number;
  if (const auto* number = std::get_if<double>(&cell.value)) return json::object{{"f", fmt::format("{}", *number)}};
  if (const auto* text = std::get_if<std::string>(&cell.value))
    return cell.bytes ? json::value(json::object{{"b", base64_encode(*text)}}) : json::value(*text);
  return nullptr;
}

Cell cell_of(const json::value& value) {
  if (value.is_int64()) return {value.get_int64()};
  if (value.is_string()) return {std::string(value.get_string())};
  const json::object* object = value.if_object();
  if (object == nullptr) return {};
  if (object->contains("b")) return {base64_decode(text_at(*object, "b")).value_or(""), true};
  return {to_double(text_at(*object, "f")).value_or(0)};
}

std::vector<sql::Column> columns_of(const json::object& schema) {
  std::vector<sql::Column> out;
  if (const json::array* fields = array_at(schema, "fields"))
    for (const json::value& value : *fields)
      if (const json::object* field = value.if_object())
        out.push_back({.name = text_at(*field, "name"),
                       .type = {.kind = sql::kind_of(text_at(*field, "type")).value_or(sql::Kind::string),
                                .array = text_at(*field, "mode") == "REPEATED"}});
  return out;
}

}  // namespace

void BigQuery::keep(const Job& job) {
  if (job.result.rows.size() > rows_kept) return;
  const QueryResult& result = job.result;
  json::array rows;
  for (const Row& row : result.rows) {
    json::array cells;
    for (const Cell& cell : row) cells.push_back(kept(cell));
    rows.push_back(std::move(cells));
  }
  json::object out{{"project", job.project},   {"id", job.id},
                   {"resource", job.resource}, {"schema", schema_of_columns(result.columns, false)},
                   {"rows", std::move(rows)},  {"bytes", result.bytes},
                   {"session", result.session}};
  if (result.affected)
    out["changed"] =
        json::object{{"inserted", result.inserted}, {"updated", result.updated}, {"deleted", result.deleted}};
  if (job.failure)
    out["failure"] = json::object{{"code", job.failure->code},
                                  {"status", job.failure->status},
                                  {"reason", job.failure->reason},
                                  {"message", job.failure->message}};
  const Reply done = store_.run([&]() -> Reply {
    store_.put(kind, job.project + "/" + job.id, out);
    return nullptr;
  });
  static_cast<void>(done);  // a full disk costs the job's life after a restart, not its answer now
}

void BigQuery::forget(const std::string& project, const std::string& id) {
  const Reply done = store_.run([&]() -> Reply {
    store_.erase(kind, project + "/" + id);
    return nullptr;
  });
  static_cast<void>(done);
}

void BigQuery::load_jobs() {
  const Reply done = store_.run([&]() -> Reply {
    for (const json::object& from : store_.list(kind, "")) {
      const json::object* resource = object_at(from, "resource");
      const json::object* schema = object_at(from, "schema");
      const json::array* rows = array_at(from, "rows");
      if (resource == nullptr || schema == nullptr || rows == nullptr) continue;
      auto job = std::make_shared<Job>();
      job->project = text_at(from, "project");
      job->id = text_at(from, "id");
      job->resource = *resource;
      QueryResult& result = job->result;
      result.columns = columns_of(*schema);
      for (const json::value& row : *rows) {
        Row cells;
        if (const json::array* values = row.if_array())
          for (const json::value& value : *values) cells.push_back(cell_of(value));
        result.rows.push_back(std::move(cells));
      }
      result.has_rows = true;
      result.bytes = int_at(from, "bytes");
      result.session = text_at(from, "session");
      if (const json::object* changed = object_at(from, "changed")) {
        result.inserted = int_at(*changed, "inserted");
        result.updated = int_at(*changed, "updated");
        result.deleted = int_at(*changed, "deleted");
        result.affected = result.inserted + result.updated + result.deleted;
      }
      if (const json::object* failure = object_at(from, "failure"))
        job->failure = Failure{static_cast<int>(int_at(*failure, "code")), text_at(*failure, "status"),
                               text_at(*failure, "reason"), text_at(*failure, "message")};
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    return nullptr;
  });
  static_cast<void>(done);
  const auto created = [](const std::shared_ptr<Job>& job) {
    const json::object* statistics = object_at(job->resource, "statistics");
    return statistics == nullptr ? 0 : int_at(*statistics, "creationTime");
  };
  const std::lock_guard lock(mutex_);
  jobs_.sort([&](const auto& a, const auto& b) { return created(a) > created(b); });
}

}  // namespace serin::google_emulator
