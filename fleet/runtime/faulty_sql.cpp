#include "serin/fleet_runtime/faulty_sql.hpp"

#include <fmt/format.h>

#include "serin/base/text.hpp"
#include "serin/system/files.hpp"

namespace serin::fleet {
namespace {

constexpr Duration look_every = 100ms;

std::unexpected<Error> bad(std::string_view line, std::string_view expected) {
  return fail(Errc::invalid_argument, fmt::format("fault '{}': expected {}", line, expected));
}

Status read_line(SqlFault& fault, std::string_view line) {
  constexpr std::string_view name = "warehouse=";
  constexpr std::string_view forms = "warehouse=slow:TIME, warehouse=down or warehouse=error:SHARE";
  if (!line.starts_with(name)) return bad(line, forms);
  const std::string_view value = line.substr(name.size());
  const std::size_t colon = value.find(':');
  const std::string_view kind = value.substr(0, colon);
  const std::string_view amount = colon == std::string_view::npos ? std::string_view() : value.substr(colon + 1);
  if (value == "down") {
    fault.down = true;
  } else if (kind == "slow") {
    const Result<Duration> slow = parse_duration(amount);
    if (!slow) return bad(line, "a time like slow:5s");
    fault.slow = *slow;
  } else if (kind == "error") {
    const auto share = to_double(amount);
    if (!share || *share < 0 || *share > 1) return bad(line, "a share from 0 to 1");
    fault.errors = *share;
  } else {
    return bad(line, forms);
  }
  return {};
}

}  // namespace

Result<SqlFault> parse_sql_fault(std::string_view text) {
  SqlFault fault;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw.substr(0, raw.find('#')));
    if (line.empty()) continue;
    SERIN_CHECK(read_line(fault, line));
  }
  return fault;
}

SqlFault FaultySql::current() {
  const std::scoped_lock lock(mutex_);
  const Instant now = sleeper_.now();
  if (looked_ != Instant() && now - looked_ < look_every) return fault_;
  looked_ = now;
  const Result<std::string> text = read_file(file_);
  if (std::string found = text.value_or(""); found != text_) {
    text_ = std::move(found);
    const Result<SqlFault> fault = parse_sql_fault(text_);
    if (!fault) logger_.error("the file of faults is wrong and counts as empty", {{"error", fault.error().detail()}});
    fault_ = fault.value_or(SqlFault());
    logger_.warn("faults of the warehouse changed", {{"faults", text_}});
  }
  return fault_;
}

Status FaultySql::suffer(Deadline deadline) {
  calls_.fetch_add(1, std::memory_order_relaxed);
  const SqlFault fault = current();
  if (fault.slow > Duration::zero()) {
    const Deadline slow = Deadline::after(sleeper_.now(), fault.slow);
    SERIN_CHECK(sleeper_.sleep_until(slow.sooner(deadline).at()));
    if (slow.at() > deadline.at()) return fail(Errc::deadline_exceeded, "drill: the warehouse is slower than that");
  }
  if (fault.down || (fault.errors > 0 && random_.unit() < fault.errors))
    return fail(Errc::unavailable, "drill: the warehouse is down");
  return {};
}

Result<SqlTable> FaultySql::query(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  SERIN_CHECK(suffer(deadline));
  return inner_.query(sql, parameters, deadline);
}

Result<std::int64_t> FaultySql::execute(std::string_view sql, std::span<const SqlValue> parameters, Deadline deadline) {
  SERIN_CHECK(suffer(deadline));
  return inner_.execute(sql, parameters, deadline);
}

Status FaultySql::transaction(const std::function<Status(SqlSession&)>& work, Deadline deadline) {
  SERIN_CHECK(suffer(deadline));
  return inner_.transaction(work, deadline);
}

}  // namespace serin::fleet
