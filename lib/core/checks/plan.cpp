#include "serin/checks/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "serin/ports/sql_cell.hpp"

namespace serin::checks {
namespace {

using scan::Kind;

/// What one statement holds: far below the limits of every engine, and of the native aggregate's arguments.
constexpr std::size_t most_terms = 300;
constexpr std::size_t most_expressions = scan::most_arguments;

PlannedTerm term_of(Kind kind, std::string expression) {
  return {.term = {.kind = kind}, .expression = std::move(expression)};
}

/// "a = b AND ..." over pairs of columns.
std::string equal_keys(const Dialect& dialect, const std::vector<std::string>& ours, std::string_view our_name,
                       const std::vector<std::string>& theirs, std::string_view their_name) {
  std::string out;
  for (std::size_t i = 0; i < ours.size() && i < theirs.size(); ++i)
    out += fmt::format("{}{}.{} = {}.{}", out.empty() ? "" : " AND ", our_name, dialect.name(ours[i]), their_name,
                       dialect.name(theirs[i]));
  return out;
}
std::string joined(const Dialect& dialect, const std::vector<std::string>& columns, std::string_view after,
                   std::string_view between) {
  std::string out;
  for (const std::string& column : columns)
    out += fmt::format("{}{}{}", out.empty() ? "" : between, dialect.column(column), after);
  return out;
}

/// The terms of a measure of a column, for distribution, change and anomaly.
std::vector<PlannedTerm> measure_terms(Measure measure, const std::string& column) {
  switch (measure) {
    case Measure::row_count: return {};
    case Measure::missing_percent: return {term_of(Kind::missing, column)};
    case Measure::mean:
    case Measure::stddev: return {term_of(Kind::moments, column)};
    case Measure::smallest: return {term_of(Kind::smallest, column)};
    case Measure::largest: return {term_of(Kind::largest, column)};
    case Measure::percentile: return {};
  }
  return {};
}

std::string within_condition(const Check& check, const Dialect& dialect, std::int64_t now_s) {
  const std::string column = dialect.column(check.time_column);
  const std::int64_t since = now_s - std::chrono::floor<std::chrono::seconds>(check.within).count();
  if (check.unit == TimeUnit::unix_ms) return fmt::format("{} >= {}", column, since * 1000);
  return fmt::format("{} >= {}", dialect.epoch_seconds(column, check.unit), since);
}

/// What a scan counts for a check, besides rows. Errors: a parameter without a value.
Result<std::vector<PlannedTerm>> terms_of(const Check& check, const Dialect& dialect, const PlanOptions& options) {
  const std::string column = check.columns.empty() ? "" : dialect.column(check.columns.front());
  PlannedTerm planned{.expression = column};
  planned.term.low = check.min;
  planned.term.high = check.max;
  planned.term.words = check.values;
  switch (check.type) {
    case CheckType::row_count: return std::vector<PlannedTerm>();
    case CheckType::missing: planned.term.kind = Kind::missing; break;
    case CheckType::range: planned.term.kind = Kind::outside; break;
    case CheckType::accepted_values: planned.term.kind = Kind::not_listed; break;
    case CheckType::pattern:
      planned.term.kind = Kind::no_match;
      planned.term.pattern = check.regex;
      break;
    case CheckType::length: planned.term.kind = Kind::length_outside; break;
    case CheckType::condition: {
      SERIN_TRY(const std::string sql, with_parameters(check.sql, options.parameters, dialect));
      return std::vector{term_of(Kind::truthy, fmt::format("NOT ({})", sql))};
    }
    case CheckType::failures: {
      const scan::Term listed{.kind = Kind::missing, .words = check.values};
      return std::vector{
          term_of(Kind::truthy, fmt::format("{} IS NOT NULL AND {} AND {}", column, dialect.condition(listed, column),
                                            within_condition(check, dialect, options.now_s)))};
    }
    case CheckType::freshness: {
      const std::string seconds = dialect.epoch_seconds(column, check.unit);
      std::vector terms{term_of(Kind::largest, seconds)};
      // Texts that are no time would be passed over in silence.
      if (check.unit == TimeUnit::timestamp) {
        terms.push_back(term_of(Kind::present, seconds));
        terms.push_back(term_of(Kind::present, column));
      }
      return terms;
    }
    case CheckType::distribution:
    case CheckType::change:
    case CheckType::anomaly: return measure_terms(check.measure, column);
    case CheckType::unique:
    case CheckType::reference:
    case CheckType::schema:
    case CheckType::coverage:
    case CheckType::sql: return std::vector<PlannedTerm>();
  }
  return std::vector{planned};
}

bool runs_alone(const Check& check) {
  switch (check.type) {
    case CheckType::unique:
    case CheckType::reference:
    case CheckType::schema:
    case CheckType::coverage:
    case CheckType::sql: return true;
    case CheckType::distribution:
    case CheckType::change:
    case CheckType::anomaly: return check.measure == Measure::percentile;
    case CheckType::row_count:
    case CheckType::missing:
    case CheckType::range:
    case CheckType::accepted_values:
    case CheckType::pattern:
    case CheckType::length:
    case CheckType::condition:
    case CheckType::freshness:
    case CheckType::failures: return false;
  }
  return true;
}

std::size_t expressions_of(const Scan& scan) {
  std::set<std::string> seen;
  for (const PlannedTerm& planned : scan.terms) seen.insert(planned.expression);
  return seen.size();
}

/// The scan that the check goes into: an open one of the same rows, or a new one.
Scan& scan_for(Plan& plan, const Check& check, const std::string& where) {
  for (Scan& scan : plan.scans)
    if (scan.table == check.table && scan.where == where && scan.group_by == check.group_by &&
        scan.terms.size() + 3 <= most_terms && expressions_of(scan) + 3 <= most_expressions)
      return scan;
  plan.scans.push_back(
      {.table = check.table, .where = where, .group_by = check.group_by, .stable = where == check.where});
  plan.scans.back().terms.push_back({});  // rows
  return plan.scans.back();
}

/// Two checks that count the same share the term.
std::size_t position_of(Scan& scan, PlannedTerm wanted) {
  for (std::size_t i = 0; i < scan.terms.size(); ++i)
    if (scan.terms[i].expression == wanted.expression && scan.terms[i].term == wanted.term) return i;
  scan.terms.push_back(std::move(wanted));
  return scan.terms.size() - 1;
}

}  // namespace

Plan make_plan(const CheckFile& file, std::span<const std::size_t> chosen, const Dialect& dialect,
               const PlanOptions& options) {
  Plan plan;
  for (const std::size_t index : chosen) {
    const Check& check = file.checks.at(index);
    if (runs_alone(check)) {
      plan.alone.push_back(index);
      continue;
    }
    const auto where = with_parameters(check.where, options.parameters, dialect);
    auto terms = terms_of(check, dialect, options);
    if (!where || !terms) {
      plan.broken[index] = where ? terms.error().detail() : where.error().detail();
      continue;
    }
    Scan& scan = scan_for(plan, check, *where);
    Scan::Use use{.check = index};
    for (PlannedTerm& term : *terms) use.terms.push_back(position_of(scan, std::move(term)));
    scan.uses.push_back(std::move(use));
  }
  return plan;
}

std::string from_where(const Dialect& dialect, std::string_view table, std::string_view where, std::string_view more) {
  std::string out = fmt::format(" FROM {} AS t", dialect.name(table));
  if (!where.empty()) out += fmt::format(" WHERE ({})", where);
  if (!more.empty()) out += fmt::format(" {} {}", where.empty() ? "WHERE" : "AND", more);
  return out;
}

std::string scan_sql(const Scan& scan, const Dialect& dialect, ScanForm form, std::string_view more) {
  const std::string from = from_where(dialect, scan.table, scan.where, more);
  std::string groups = joined(dialect, scan.group_by, "", ", ");
  std::string columns = groups;
  if (form == ScanForm::native) {
    std::vector<std::string> arguments;
    std::vector<scan::Term> terms;
    for (const PlannedTerm& planned : scan.terms) {
      terms.push_back(planned.term);
      if (planned.term.kind == Kind::rows) continue;
      auto found = std::ranges::find(arguments, planned.expression);
      if (found == arguments.end()) found = arguments.insert(found, planned.expression);
      terms.back().argument = static_cast<int>(found - arguments.begin());
    }
    std::string call = fmt::format("{}({}", scan::function_name, dialect.text(scan::encode(terms)));
    for (const std::string& argument : arguments) call += ", " + argument;
    columns += (columns.empty() ? "" : ", ") + call + ")";
  } else {
    for (const PlannedTerm& planned : scan.terms)
      for (const std::string& column : dialect.select(planned.term, planned.expression, from))
        columns += (columns.empty() ? "" : ", ") + column;
  }
  std::string out = fmt::format("SELECT {}{}", columns, from);
  if (!groups.empty()) out += " GROUP BY " + groups;
  return out;
}

Result<std::vector<scan::State>> read_states(const Scan& scan, ScanForm form, const SqlRow& row) {
  const auto bad = [] { return fail(Errc::data_loss, "the answer of a scan has another shape than the question"); };
  std::size_t at = scan.group_by.size();
  if (form == ScanForm::native) {
    const auto* text = at < row.size() ? std::get_if<std::string>(&row[at]) : nullptr;
    // Without any row the aggregate is never called, and says so with NULL.
    if (text == nullptr) return std::vector<scan::State>(scan.terms.size());
    SERIN_TRY(std::vector<scan::State> states, scan::decode_states(*text));
    if (states.size() != scan.terms.size()) return bad();
    return states;
  }
  std::vector<scan::State> states;
  for (const PlannedTerm& planned : scan.terms) {
    const bool moments = planned.term.kind == Kind::moments;
    if (at + (moments ? 3 : 1) > row.size()) return bad();
    scan::State state;
    if (planned.term.kind == Kind::smallest || planned.term.kind == Kind::largest) {
      state.extreme = row[at];
    } else if (const auto* count = std::get_if<std::int64_t>(&row[at])) {
      state.count = *count;
    } else {
      return bad();
    }
    if (moments) {
      state.mean = sql_real(row[at + 1]).value_or(0);
      state.m2 = sql_real(row[at + 2]).value_or(0);
    }
    states.push_back(std::move(state));
    at += moments ? 3 : 1;
  }
  return states;
}

Result<std::string> own_sql(const Check& check, const Dialect& dialect, const PlanOptions& options) {
  SERIN_TRY(const std::string where, with_parameters(check.where, options.parameters, dialect));
  SERIN_TRY(const std::string other_where, with_parameters(check.other_where, options.parameters, dialect));
  switch (check.type) {
    case CheckType::unique: {
      const std::string from =
          from_where(dialect, check.table, where, joined(dialect, check.columns, " IS NOT NULL", " AND "));
      return fmt::format(
          "SELECT COALESCE(SUM(n), 0), COUNT(*), COALESCE(SUM(CASE WHEN n > 1 THEN 1 ELSE 0 END), 0), "
          "COALESCE(SUM(CASE WHEN n > 1 THEN n ELSE 0 END), 0) FROM (SELECT COUNT(*) AS n{} GROUP BY {}) AS g",
          from, joined(dialect, check.columns, "", ", "));
    }
    case CheckType::reference: {
      SERIN_TRY(const std::string bad, bad_row(check, dialect, options));
      return fmt::format("SELECT COUNT(*), {}{}", dialect.count_if(bad), from_where(dialect, check.table, where));
    }
    case CheckType::coverage: {
      const std::string there = fmt::format(
          "EXISTS (SELECT 1{})",
          from_where(dialect, check.table, where, equal_keys(dialect, check.columns, "t", check.other_columns, "e")));
      return fmt::format("SELECT COUNT(*), {} FROM (SELECT DISTINCT {}{}) AS e", dialect.count_if(there),
                         joined(dialect, check.other_columns, "", ", "),
                         from_where(dialect, check.other_table, other_where));
    }
    case CheckType::schema: return dialect.columns_query(check.table);
    case CheckType::sql: return with_parameters(check.sql, options.parameters, dialect);
    case CheckType::distribution:
    case CheckType::change:
    case CheckType::anomaly: {
      // The nearest rank: the smallest value that at least this share of the values does not exceed.
      const std::string column = dialect.column(check.columns.front());
      const std::string from = from_where(dialect, check.table, where, column + " IS NOT NULL");
      if (dialect.engine == Engine::postgres)
        return fmt::format(
            "SELECT COUNT(*), CAST(PERCENTILE_DISC({}) WITHIN GROUP (ORDER BY {}) AS DOUBLE PRECISION){}",
            // 0.07 of 100 values is the 7th, although 0.07 * 100 is a little more than 7 in floating point.
            check.percentile * (1 - 1e-13), column, from);
      const std::string rank = fmt::format("CAST({} * (SELECT COUNT(*){}) + 0.999999999 AS {})", check.percentile, from,
                                           dialect.engine == Engine::sqlite ? "INTEGER" : "INT64");
      if (dialect.engine == Engine::bigquery)
        return fmt::format("SELECT COUNT(*) OVER (), PERCENTILE_DISC({}, {}) OVER (){} LIMIT 1", column,
                           check.percentile * (1 - 1e-13), from);
      return fmt::format("SELECT (SELECT COUNT(*){0}), (SELECT {1}{0} ORDER BY {1} LIMIT 1 OFFSET MAX(0, {2} - 1))",
                         from, column, rank);
    }
    case CheckType::row_count:
    case CheckType::missing:
    case CheckType::range:
    case CheckType::accepted_values:
    case CheckType::pattern:
    case CheckType::length:
    case CheckType::condition:
    case CheckType::freshness:
    case CheckType::failures: break;
  }
  return fail(Errc::internal, "this check has no query of its own");
}

Result<std::string> bad_row(const Check& check, const Dialect& dialect, const PlanOptions& options) {
  if (check.type == CheckType::reference) {
    SERIN_TRY(const std::string other_where, with_parameters(check.other_where, options.parameters, dialect));
    std::string parent = fmt::format(" FROM {} AS p WHERE {}", dialect.name(check.other_table),
                                     equal_keys(dialect, check.columns, "t", check.other_columns, "p"));
    if (!other_where.empty()) parent += fmt::format(" AND ({})", other_where);
    // NOT EXISTS and not NOT IN: one NULL among the parents would make every row good.
    return fmt::format("{} AND NOT EXISTS (SELECT 1{})", joined(dialect, check.columns, " IS NOT NULL", " AND "),
                       parent);
  }
  if (check.type == CheckType::unique) {
    SERIN_TRY(const std::string where, with_parameters(check.where, options.parameters, dialect));
    // Of several rows with one key each is shown: nobody can say which of them is the extra one.
    const std::string same = equal_keys(dialect, check.columns, "t", check.columns, "g");
    std::string inner;
    for (const std::string& column : check.columns) inner += (inner.empty() ? "" : ", ") + dialect.column(column);
    return fmt::format("EXISTS (SELECT 1 FROM (SELECT {}{} GROUP BY {} HAVING COUNT(*) > 1) AS g WHERE {})", inner,
                       from_where(dialect, check.table, where), inner, same);
  }
  if (runs_alone(check)) return std::string();
  SERIN_TRY(const std::vector<PlannedTerm> terms, terms_of(check, dialect, options));
  if (terms.size() != 1) return std::string();
  return dialect.condition(terms.front().term, terms.front().expression);
}

}  // namespace serin::checks
