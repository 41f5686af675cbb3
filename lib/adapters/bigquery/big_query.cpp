#include "serin/bigquery/big_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <mutex>

#include "dialect.hpp"
#include "jobs.hpp"
#include "serin/google/checks.hpp"
#include "serin/google/detail_json.hpp"
#include "sessions.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;
using bigquery::GoogleSql;
using bigquery::StatementKind;

constexpr std::size_t streamed_at_once = 500;  // as the service's guide advises

Status check(const BigQueryOptions& options) {
  const auto wrong = [](std::string text) -> Status { return fail(Errc::invalid_argument, std::move(text)); };
  if (options.project.empty()) return wrong("BigQuery needs a project");
  if (options.max_bytes_billed < 0 || options.max_bytes_read < 0) return wrong("a limit of bytes must be 0 or more");
  if (options.page_rows < 0) return wrong("page_rows must be 0 or more");
  if (options.new_jobs < 0 || options.new_jobs > 10) return wrong("new_jobs must be 0 to 10");
  if (options.labels.size() > 64) return wrong("a job has at most 64 labels");
  return {};
}

}  // namespace

struct BigQuery::Parts {
  Parts(BigQueryOptions given, std::shared_ptr<Api> over)
      : options(std::move(given)),
        api(std::move(over)),
        jobs(*api, options),
        sessions(jobs, api->sleeper(), api->random(), options.stop) {}

  /// The statement in GoogleSQL, if this client may send it.
  Result<GoogleSql> prepared(std::string_view sql, std::span<const SqlValue> parameters, bool if_needed,
                             Deadline deadline) {
    bigquery::TranslateOptions how{.parameters = parameters, .numbered_column = std::nullopt, .if_needed = if_needed};
    if (options.words == SqlWords::portable) {
      if (const auto table = bigquery::insert_target(sql)) {
        SERIN_TRY(how.numbered_column, numbered_column(*table, deadline));
      }
    }
    SERIN_TRY(GoogleSql statement, options.words == SqlWords::portable
                                       ? bigquery::translated(sql, how)
                                       : bigquery::with_named_parameters(sql, parameters));
    if (options.read_only && statement.kind != StatementKind::read)
      return fail(Errc::permission_denied, "this client of BigQuery only reads");
    return statement;
  }

  /// The column of the table that whoever inserts has to fill. Asked once for each table.
  Result<std::optional<std::string>> numbered_column(const std::string& table, Deadline deadline) {
    {
      const std::scoped_lock lock(mutex);
      if (const auto known = numbered.find(table); known != numbered.end()) return known->second;
    }
    const auto found = jobs.get(jobs.table_path(table), deadline);
    if (!found && found.error().code() == Errc::not_found) return std::nullopt;  // the statement itself will say so
    if (!found) return pass(found.error());
    std::optional<std::string> column;
    for (const json::value& field : array_of(*found, "schema.fields"))
      if (field.is_object() && text_of(field.as_object(), "description") == bigquery::numbered_mark)
        column = text_of(field.as_object(), "name");
    const std::scoped_lock lock(mutex);
    return numbered.insert_or_assign(table, column).first->second;
  }

  Status check_bytes(const GoogleSql& statement, std::span<const SqlValue> parameters, Deadline deadline) {
    if (options.max_bytes_read == 0 || statement.kind != StatementKind::read) return {};
    SERIN_TRY(const JobAnswer tried,
              jobs.run({.text = statement.text, .parameters = parameters, .dry = true}, deadline));
    if (tried.answer.bytes_processed <= options.max_bytes_read) return {};
    return fail(Errc::rejected, fmt::format("the query would read {} bytes, and the limit is {}",
                                            tried.answer.bytes_processed, options.max_bytes_read));
  }

  Result<JobAnswer> run(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
    SERIN_TRY(const GoogleSql statement, prepared(sql, parameters, false, deadline));
    return send(statement, parameters, {}, deadline);
  }

  Result<JobAnswer> send(const GoogleSql& statement, std::span<const SqlValue> parameters, const std::string& session,
                         Deadline deadline) {
    if (statement.kind == StatementKind::nothing) return JobAnswer();
    SERIN_CHECK(check_bytes(statement, parameters, deadline));
    auto answer = jobs.run({.text = statement.text,
                            .parameters = parameters,
                            .may_run_again = statement.kind == StatementKind::read && session.empty(),
                            .session = session},
                           deadline);
    if (!statement.created.empty()) {
      const std::scoped_lock lock(mutex);
      numbered.erase(statement.created);
    }
    return answer;
  }

  BigQueryOptions options;
  std::shared_ptr<Api> api;
  Jobs jobs;
  Sessions sessions;
  std::mutex mutex;
  std::map<std::string, std::optional<std::string>> numbered;  // guarded by mutex
};

namespace {

/// Statements of one transaction, which begins with the first that writes.
template <class Parts>
class Inside final : public SqlSession {
 public:
  Inside(Parts& parts, std::string holder, Deadline deadline)
      : parts_(parts), holder_(std::move(holder)), deadline_(deadline) {}
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue> parameters) override {
    SERIN_TRY(JobAnswer answer, run(sql, parameters));
    return std::move(answer.answer.table);
  }
  Result<std::int64_t> execute(std::string_view sql, std::span<const SqlValue> parameters) override {
    SERIN_TRY(const JobAnswer answer, run(sql, parameters));
    return answer.answer.changed;
  }
  /// Ends it as `done` says.
  Status end(Status done) {
    bool is_turn_given = false;
    if (!session_.empty() && done) {
      done = parts_.sessions.commit(session_);
      is_turn_given = done.has_value();
    } else if (!session_.empty()) {
      parts_.sessions.roll_back(session_);
    }
    if (!is_turn_given) parts_.sessions.give_turn_back(holder_);
    return done;
  }

 private:
  Result<JobAnswer> run(std::string_view sql, std::span<const SqlValue> parameters) {
    SERIN_TRY(const GoogleSql statement, parts_.prepared(sql, parameters, true, deadline_));
    // Tables are made outside of the transaction: BigQuery has it no other way.
    if (statement.kind == StatementKind::define) return parts_.send(statement, parameters, {}, deadline_);
    if (statement.kind == StatementKind::write && session_.empty()) {
      SERIN_TRY(session_, parts_.sessions.begin(holder_, deadline_));
    }
    return parts_.send(statement, parameters, session_, deadline_);
  }

  Parts& parts_;
  std::string holder_;
  std::string session_;  ///< empty: nothing was written yet
  Deadline deadline_;
};

}  // namespace

BigQuery::BigQuery(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
BigQuery::~BigQuery() = default;

ApiOptions BigQuery::defaults() {
  ApiOptions options{.service = "bigquery", .endpoint = "https://bigquery.googleapis.com", .retry = bigquery_retry()};
  // One request, with one request id. A job that broke keeps that id: a query is then run anew with another one.
  options.retry.max_attempts = 5;
  return options;
}

Result<std::unique_ptr<BigQuery>> BigQuery::open(BigQueryOptions options, std::shared_ptr<Api> api) {
  SERIN_CHECK(check(options));
  auto parts = std::make_unique<Parts>(std::move(options), std::move(api));
  return std::unique_ptr<BigQuery>(new BigQuery(std::move(parts)));
}

Result<SqlTable> BigQuery::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  SERIN_TRY(JobAnswer answer, parts_->run(sql, parameters, deadline));
  return std::move(answer.answer.table);
}

Result<std::int64_t> BigQuery::execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  SERIN_TRY(const JobAnswer answer, parts_->run(sql, parameters, deadline));
  return answer.answer.changed;
}

Status BigQuery::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  if (parts_->options.read_only) return fail(Errc::permission_denied, "this client of BigQuery only reads");
  SERIN_TRY(std::string holder, parts_->sessions.take_turn(deadline));
  Inside<Parts> inside(*parts_, std::move(holder), deadline);
  return inside.end(work(inside));
}

Result<BigQueryAnswer> BigQuery::run_job(std::string_view sql, std::span<const SqlValue> parameters,
                                         const JobOptions& options, Deadline deadline) {
  SERIN_TRY(const GoogleSql statement, parts_->prepared(sql, parameters, false, deadline));
  if (statement.kind == StatementKind::nothing) return BigQueryAnswer();
  SERIN_CHECK(parts_->check_bytes(statement, parameters, deadline));
  return parts_->jobs.insert({.text = statement.text,
                              .parameters = parameters,
                              .may_run_again = statement.kind == StatementKind::read && options.destination.empty()},
                             options, deadline);
}

Result<std::int64_t> BigQuery::dry_run(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  SERIN_TRY(const GoogleSql statement, parts_->prepared(sql, parameters, false, deadline));
  if (statement.kind == StatementKind::nothing) return 0;
  SERIN_TRY(const JobAnswer tried,
            parts_->jobs.run({.text = statement.text, .parameters = parameters, .dry = true}, deadline));
  return tried.answer.bytes_processed;
}

Result<std::vector<RejectedRow>> BigQuery::insert_all(std::string_view table, const std::vector<StreamedRow>& rows,
                                                      Deadline deadline) {
  if (parts_->options.read_only) return fail(Errc::permission_denied, "this client of BigQuery only reads");
  std::vector<RejectedRow> rejected;
  for (std::size_t begin = 0; begin < rows.size(); begin += streamed_at_once) {
    json::array items;
    bool all_named = true;
    for (std::size_t i = begin; i < std::min(rows.size(), begin + streamed_at_once); ++i) {
      SERIN_TRY(json::object row, parse_object(rows[i].json, fmt::format("row {}", i)));
      json::object item{{"json", std::move(row)}};
      if (!rows[i].insert_id.empty()) item["insertId"] = rows[i].insert_id;
      all_named = all_named && !rows[i].insert_id.empty();
      items.push_back(std::move(item));
    }
    SERIN_TRY(const json::object answer,
              parts_->jobs.post(parts_->jobs.table_path(table) + "/insertAll",
                                json::serialize(json::object{{"rows", std::move(items)}, {"skipInvalidRows", true}}),
                                all_named ? Idempotency::idempotent : Idempotency::not_idempotent, deadline));
    for (const json::value& error : array_of(answer, "insertErrors")) {
      if (!error.is_object())
        return fail(Errc::data_loss, "BigQuery names a row that it did not take in no known form");
      RejectedRow row{.index = begin + static_cast<std::size_t>(int_of(error.as_object(), "index").value_or(0))};
      for (const json::value& why : array_of(error.as_object(), "errors"))
        if (why.is_object() && row.reason.empty()) {
          row.reason = text_of(why.as_object(), "reason");
          row.message = text_of(why.as_object(), "message");
        }
      rejected.push_back(std::move(row));
    }
  }
  return rejected;
}

Status BigQuery::ping(Deadline deadline) {
  SERIN_CHECK(parts_->jobs.run({.text = "SELECT 1", .parameters = {}, .dry = true}, deadline));
  if (!parts_->options.dataset.empty()) SERIN_CHECK(parts_->jobs.get(parts_->jobs.dataset_path(), deadline));
  return {};
}

health::CheckFunction bigquery_check(BigQuery& sql) {
  return [&sql](const health::CheckContext& context) {
    const Status answered = sql.ping(context.deadline);
    return answered ? health::CheckAnswer::pass() : answer_of(answered.error());
  };
}

}  // namespace serin::google
