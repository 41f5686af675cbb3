#include "database.hpp"

#include <fmt/format.h>

#include "serin/google_sql/runtime.hpp"

namespace serin::google_emulator {
namespace {

constexpr int wait_for_locks_ms = 10'000;

Cell cell_of(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return {static_cast<std::int64_t>(sqlite3_value_int64(value))};
    case SQLITE_FLOAT: return {sqlite3_value_double(value)};
    case SQLITE_NULL: return {};
    default: {
      const bool bytes = sqlite3_value_type(value) == SQLITE_BLOB;
      const auto* data = static_cast<const char*>(sqlite3_value_blob(value));
      return {std::string(data == nullptr ? "" : data, static_cast<std::size_t>(sqlite3_value_bytes(value))), bytes};
    }
  }
}

void answer(sqlite3_context* context, const Result<SqlValue>& result, bool bytes) {
  if (!result) {
    const std::string& what = result.error().detail();
    sqlite3_result_error(context, what.c_str(), static_cast<int>(what.size()));
    return;
  }
  struct Answer {
    sqlite3_context* context;
    bool bytes;
    void operator()(std::monostate) const { sqlite3_result_null(context); }
    void operator()(std::int64_t number) const { sqlite3_result_int64(context, number); }
    void operator()(double number) const { sqlite3_result_double(context, number); }
    void operator()(const std::string& text) const {
      if (bytes) {
        sqlite3_result_blob64(context, text.data(), text.size(), SQLITE_TRANSIENT);
      } else {
        sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      }
    }
  };
  std::visit(Answer{context, bytes}, *result);
}

void call_function(sqlite3_context* context, int count, sqlite3_value** values) {
  const auto& function = *static_cast<const google_sql::RuntimeFunction*>(sqlite3_user_data(context));
  std::vector<SqlValue> arguments;
  for (int i = 0; i < count; ++i) arguments.push_back(cell_of(values[i]).value);
  // CAST to BYTES is the one function whose text is none.
  const bool bytes = function.name == "bq_cast" && text_of(arguments[1]) == "BYTES";
  answer(context, function.run(arguments), bytes);
}

/// What an aggregate has seen. SQLite keeps the pointer, and asks for the value at the end, once a group.
struct Seen {
  std::vector<SqlValue> values;
  SqlValue parameter;
};

Seen** seen_of(sqlite3_context* context) {
  return static_cast<Seen**>(sqlite3_aggregate_context(context, sizeof(Seen*)));
}

void step(sqlite3_context* context, int count, sqlite3_value** values) {
  Seen** seen = seen_of(context);
  if (seen == nullptr) return sqlite3_result_error_nomem(context);
  if (*seen == nullptr) *seen = std::make_unique<Seen>().release();
  if (count > 1) (*seen)->parameter = cell_of(values[1]).value;
  Cell cell = cell_of(values[0]);
  if (!is_null(cell.value)) (*seen)->values.push_back(std::move(cell.value));
}

void value_of(sqlite3_context* context) {
  const auto& aggregate = *static_cast<const google_sql::RuntimeAggregate*>(sqlite3_user_data(context));
  Seen** seen = seen_of(context);
  const Seen none;
  const Seen& all = seen == nullptr || *seen == nullptr ? none : **seen;
  answer(context, aggregate.run(all.values, all.parameter), false);
}

void finish(sqlite3_context* context) {
  value_of(context);
  if (Seen** seen = seen_of(context); seen != nullptr) std::unique_ptr<Seen>(std::exchange(*seen, nullptr)).reset();
}

/// Rows leave a window from its start, in order; NULLs were never kept.
void leave(sqlite3_context* context, int count, sqlite3_value** values) {
  static_cast<void>(count);
  Seen** seen = seen_of(context);
  if (seen == nullptr || *seen == nullptr || (*seen)->values.empty()) return;
  if (sqlite3_value_type(values[0]) != SQLITE_NULL) (*seen)->values.erase((*seen)->values.begin());
}

int add_functions(sqlite3* database) {
  constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  for (const google_sql::RuntimeFunction& function : google_sql::runtime_functions())
    for (int arguments = function.least; arguments <= function.most; ++arguments) {
      // SQLite does not change what it is handed back.
      auto* self = const_cast<google_sql::RuntimeFunction*>(&function);
      const int code = sqlite3_create_function_v2(database, std::string(function.name).c_str(), arguments, flags, self,
                                                  call_function, nullptr, nullptr, nullptr);
      if (code != SQLITE_OK) return code;
    }
  for (const google_sql::RuntimeAggregate& aggregate : google_sql::runtime_aggregates()) {
    auto* self = const_cast<google_sql::RuntimeAggregate*>(&aggregate);
    const int code = sqlite3_create_window_function(database, std::string(aggregate.name).c_str(), aggregate.arguments,
                                                    flags, self, step, finish, value_of, leave, nullptr);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

Errc errc_of(int code) {
  if (code == SQLITE_BUSY_SNAPSHOT) return Errc::conflict;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::unavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_IOERR: return Errc::exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::data_loss;
    case SQLITE_CONSTRAINT: return Errc::conflict;
    case SQLITE_PERM:
    case SQLITE_READONLY: return Errc::permission_denied;
    case SQLITE_CANTOPEN: return Errc::not_found;
    default: return Errc::invalid_argument;
  }
}

int bind(sqlite3_stmt* statement, int index, const Cell& cell) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    bool bytes;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
    int operator()(double number) const { return sqlite3_bind_double(statement, index, number); }
    int operator()(const std::string& text) const {
      return bytes ? sqlite3_bind_blob64(statement, index, text.data(), text.size(), SQLITE_STATIC)
                   : sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
  };
  return std::visit(Binder{statement, index, cell.bytes}, cell.value);
}

}  // namespace

std::string text_of(const SqlValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

std::int64_t int_of(const SqlValue& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? 0 : *number;
}

bool is_null(const SqlValue& value) { return std::holds_alternative<std::monostate>(value); }

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &database, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
      nullptr);
  auto out = std::unique_ptr<Connection>(new Connection(database));
  if (code != SQLITE_OK) return out->error(code);
  sqlite3_busy_timeout(database, wait_for_locks_ms);
  if (const int added = add_functions(database); added != SQLITE_OK) return out->error(added);
  // What a killed emulator had answered may be lost with the machine, not with the process.
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", "PRAGMA temp_store=MEMORY",
                             "PRAGMA case_sensitive_like=ON"})
    SERIN_CHECK(out->run(pragma));
  return out;
}

Connection::~Connection() { sqlite3_close(database_); }

std::unexpected<Error> Connection::error(int code) const {
  return fail(errc_of(code), database_ == nullptr ? "out of memory" : sqlite3_errmsg(database_));
}

Result<std::int64_t> Connection::run(std::string_view sql, std::span<const Cell> parameters,
                                     const std::function<void(Row)>& row) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), 0, &raw, nullptr);
  if (code != SQLITE_OK) return error(code);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
  if (raw == nullptr) return fail(Errc::invalid_argument, "no statement in the text");
  const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(raw));
  for (std::size_t i = 0; i < wanted && i < parameters.size(); ++i)
    if (code = bind(raw, static_cast<int>(i) + 1, parameters[i]); code != SQLITE_OK) return error(code);
  const int columns = sqlite3_column_count(raw);
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
    if (!row) continue;
    Row cells;
    for (int i = 0; i < columns; ++i) cells.push_back(cell_of(sqlite3_column_value(raw, i)));
    row(std::move(cells));
  }
  if (code != SQLITE_DONE) return error(code);
  return sqlite3_stmt_readonly(raw) != 0 ? 0 : sqlite3_changes64(database_);
}

Result<std::int64_t> Connection::run(std::string_view sql, std::initializer_list<SqlValue> parameters,
                                     const std::function<void(Row)>& row) {
  std::vector<Cell> cells;
  for (const SqlValue& value : parameters) cells.push_back({value});
  return run(sql, cells, row);
}

Result<SqlValue> Connection::value(std::string_view sql, std::initializer_list<SqlValue> parameters) {
  SqlValue out;
  bool first = true;
  SERIN_CHECK(run(sql, parameters, [&](Row row) {
    if (std::exchange(first, false) && !row.empty()) out = std::move(row[0].value);
  }));
  return out;
}

Result<std::unique_ptr<Database>> Database::open(std::string path) {
  auto out = std::unique_ptr<Database>(new Database(std::move(path)));
  SERIN_TRY(auto first, Connection::open(out->path_));
  out->idle_.push_back(std::move(first));
  return out;
}

Result<Database::Lease> Database::take() {
  std::unique_ptr<Connection> connection;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) {
    SERIN_TRY(connection, Connection::open(path_));
  }
  return Lease(connection.release(), [this](Connection* used) {
    std::unique_ptr<Connection> owned(used);
    // Nobody's transaction may reach the next user.
    if (owned->in_transaction() && !owned->run("ROLLBACK")) return;
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(owned));
  });
}

}  // namespace serin::google_emulator
