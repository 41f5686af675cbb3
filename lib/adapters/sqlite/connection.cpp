#include "connection.hpp"

#include <fmt/format.h>

#include <charconv>

#include "scan_function.hpp"

namespace serin::sqlite {
namespace {

constexpr std::size_t statements_kept = 64;
// How many of SQLite's virtual instructions pass between two looks at the clock: some tens of microseconds.
constexpr int steps_between_looks = 4000;

Errc errc_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::unavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM: return Errc::exhausted;
    case SQLITE_IOERR:
      return code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC ? Errc::exhausted : Errc::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::data_loss;
    case SQLITE_CONSTRAINT: return Errc::conflict;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Errc::permission_denied;
    case SQLITE_CANTOPEN: return Errc::not_found;
    case SQLITE_INTERRUPT: return Errc::deadline_exceeded;
    default: return Errc::invalid_argument;
  }
}

/// "$12" -> 12; 0 for anything else.
int parameter_number(const char* name) {
  if (name == nullptr || name[0] != '$') return 0;
  const std::string_view digits(name + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

int bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
    int operator()(double number) const { return sqlite3_bind_double(statement, index, number); }
    int operator()(const std::string& text) const {
      // Static: the parameters outlive the run of the statement.
      return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
  };
  return std::visit(Binder{statement, index}, value);
}

SqlValue column(sqlite3_stmt* statement, int index) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(statement, index));
    case SQLITE_FLOAT: return sqlite3_column_double(statement, index);
    case SQLITE_NULL: return std::monostate();
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
      return std::string(bytes == nullptr ? "" : bytes,
                         static_cast<std::size_t>(sqlite3_column_bytes(statement, index)));
    }
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Access access, Clock& clock) {
  sqlite3* database = nullptr;
  const bool read_only = access.read_only;
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | (access.create ? SQLITE_OPEN_CREATE : 0));
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  auto connection = std::unique_ptr<Connection>(new Connection(database, clock));
  if (code != SQLITE_OK) return connection->error("open " + path, code);
  sqlite3_busy_timeout(database, 0);
  // Wait for a lock in small steps, until the statement's own deadline and not a moment longer.
  sqlite3_busy_handler(
      database,
      [](void* self, int) {
        auto& that = *static_cast<Connection*>(self);
        const Duration left = that.deadline_.left(that.clock_.now());
        if (left == Duration::zero()) return 0;
        sqlite3_sleep(static_cast<int>(std::clamp<std::int64_t>(left / 1ms, 1, 5)));
        return 1;
      },
      connection.get());
  sqlite3_progress_handler(
      database, steps_between_looks,
      [](void* self) {
        auto& that = *static_cast<Connection*>(self);
        return that.deadline_.passed(that.clock_.now()) ? 1 : 0;
      },
      connection.get());
  SERIN_CHECK(add_scan_functions(database));
  const Deadline soon = Deadline::after(clock.now(), 10s);
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
                             access.sort_on_disk ? "PRAGMA temp_store=FILE" : "PRAGMA temp_store=MEMORY"}) {
    SqlTable ignored;
    if (read_only && std::string_view(pragma).find("journal_mode") != std::string_view::npos) continue;
    if (auto set = connection->run(pragma, {}, soon, &ignored); !set) return pass(set.error().in("open " + path));
  }
  return connection;
}

Connection::~Connection() {
  for (Cached& cached : cached_) sqlite3_finalize(cached.statement);
  sqlite3_close(database_);
}

std::unexpected<Error> Connection::error(std::string_view what, int code) const {
  Errc kind = errc_of(code);
  if (kind == Errc::unavailable && deadline_.passed(clock_.now())) kind = Errc::deadline_exceeded;
  return fail(kind, fmt::format("{}: {}", what, database_ == nullptr ? "out of memory" : sqlite3_errmsg(database_)));
}

Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
  if (const auto found = by_sql_.find(sql); found != by_sql_.end()) {
    cached_.splice(cached_.begin(), cached_, found->second);
    return found->second->statement;
  }
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, &tail);
  if (code != SQLITE_OK) return error("prepare", code);
  if (statement == nullptr) return fail(Errc::invalid_argument, "prepare: no statement in the text");
  if (cached_.size() >= statements_kept) {
    by_sql_.erase(cached_.back().sql);
    sqlite3_finalize(cached_.back().statement);
    cached_.pop_back();
  }
  cached_.push_front({std::string(sql), statement});
  by_sql_.emplace(cached_.front().sql, cached_.begin());
  return statement;
}

Result<std::int64_t> Connection::run(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline,
                                     SqlTable* rows) {
  deadline_ = deadline;
  if (deadline.passed(clock_.now()))
    return fail(Errc::deadline_exceeded, "the deadline passed before the statement ran");
  SERIN_TRY(sqlite3_stmt* const statement, prepare(sql));
  // Whatever happens, the statement is ready for its next use and holds no lock.
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  } const reset{statement};

  const int wanted = sqlite3_bind_parameter_count(statement);
  for (int index = 1; index <= wanted; ++index) {
    const int number = parameter_number(sqlite3_bind_parameter_name(statement, index));
    if (number < 1 || static_cast<std::size_t>(number) > parameters.size())
      return fail(Errc::invalid_argument,
                  fmt::format("the statement wants parameter {}, {} were given", number, parameters.size()));
    if (const int code = bind(statement, index, parameters[static_cast<std::size_t>(number) - 1]); code != SQLITE_OK)
      return error("bind", code);
  }
  const int columns = sqlite3_column_count(statement);
  if (rows != nullptr)
    for (int i = 0; i < columns; ++i) rows->columns.emplace_back(sqlite3_column_name(statement, i));
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) return error("statement", code);
    if (rows == nullptr) continue;
    SqlRow row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) row.push_back(column(statement, i));
    rows->rows.push_back(std::move(row));
  }
  return sqlite3_stmt_readonly(statement) != 0 ? 0 : sqlite3_changes64(database_);
}

}  // namespace serin::sqlite
