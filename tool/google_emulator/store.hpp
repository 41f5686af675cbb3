#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api.hpp"
#include "database.hpp"

// Private to the module.
namespace serin::google_emulator {

/// Resources as JSON, and whatever tables an API makes for itself, in one SQLite file. Everything happens inside of
/// run(), one request at a time, each in a transaction that a refused request leaves no trace of. What goes wrong with
/// the file turns the whole request into a 500, so that no single call has to look. Threads: run() any; the rest
/// inside.
class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const std::string& path);
  /// One transaction: kept when `work` replies, undone when it refuses.
  Reply run(const std::function<Reply()>& work);

  [[nodiscard]] std::optional<json::object> get(std::string_view kind, std::string_view name);
  void put(std::string_view kind, std::string_view name, const json::object& resource);
  bool erase(std::string_view kind, std::string_view name);
  /// By name; those that start with `prefix`.
  [[nodiscard]] std::vector<json::object> list(std::string_view kind, std::string_view prefix);
  /// 1, 2, 3, ... for each name.
  std::int64_t count(std::string_view counter);
  /// Any statement; the rows are all of them. Nothing when the file failed.
  std::vector<Row> query(std::string_view sql, std::initializer_list<SqlValue> parameters = {});
  std::int64_t execute(std::string_view sql, std::initializer_list<SqlValue> parameters = {});

 private:
  explicit Store(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  void check(const Result<std::int64_t>& result);
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;  // guarded by mutex_
  std::optional<Error> failed_;             // guarded by mutex_
};

}  // namespace serin::google_emulator
