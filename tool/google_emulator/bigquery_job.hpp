#pragma once
#include "bigquery.hpp"

// Private to the module: what bigquery_run.cpp and bigquery_jobs.cpp share.
namespace serin::google_emulator {

struct BigQuery::Job {
  std::string project;
  std::string id;
  json::object resource;           ///< as jobs.get answers it, but for the state while it is held
  std::optional<Failure> failure;  ///< it ended with
  QueryResult result;
  int polls = 0;  ///< answers that still say "running"; guarded by BigQuery::mutex_
};

struct BigQuery::Session {
  Database::Lease connection;
  std::mutex mutex;     ///< held while a statement of the session runs
  Instant last_used{};  ///< guarded by BigQuery::mutex_
};

}  // namespace serin::google_emulator
