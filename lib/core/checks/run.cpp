#include "serin/checks/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "scan_run.hpp"
#include "serin/base/text.hpp"
#include "serin/checks/judge.hpp"

namespace serin::checks {
namespace {

constexpr std::size_t most_groups_shown = 20;

bool one_of(const std::vector<std::string>& wanted, const std::string& is) {
  return wanted.empty() || std::ranges::find(wanted, is) != wanted.end();
}

/// A wrong column, a text that is no time, a column that may not be read; not a database that is gone or too slow.
bool can_be_one_checks_fault(Errc code) {
  return code == Errc::invalid_argument || code == Errc::permission_denied || code == Errc::unsupported;
}

/// One run: the outside, what is asked for, and the results so far.
class Run {
 public:
  Run(const CheckFile& file, Sql& sql, const Dialect& dialect, const Clock& clock, ResultStore* store,
      const RunOptions& options)
      : file_(file),
        dialect_(dialect),
        clock_(clock),
        store_(store),
        options_(options),
        plan_options_(plan_options(options, clock.wall())),
        asker_(sql, options.deadline),
        scans_(file, asker_, dialect, store, options) {}

  CheckReport all(const std::vector<std::size_t>& chosen) {
    const Instant began = clock_.now();
    CheckReport report{.run_id = options_.run_id, .file = file_.file, .at = clock_.wall()};
    results_.resize(file_.checks.size());
    std::vector<std::size_t> due;
    for (const std::size_t index : chosen) {
      describe(index);
      if (is_due(index)) due.push_back(index);
    }
    const Plan plan = make_plan(file_, due, dialect_, plan_options_);
    for (const auto& [index, reason] : plan.broken) results_[index].reason = reason;
    std::size_t done = chosen.size() - due.size() + plan.broken.size();
    for (const Scan& scan : plan.scans) {
      tell(done, chosen.size(), fmt::format("{}, {} checks in one pass", scan.table, scan.uses.size()));
      run_scan(scan);
      done += scan.uses.size();
    }
    for (const std::size_t index : plan.alone) {
      tell(done++, chosen.size(), results_[index].name);
      run_alone(index);
    }
    for (const std::size_t index : chosen) {
      add_samples(index);
      report.results.push_back(std::move(results_[index]));
    }
    report.queries = asker_.queries();
    report.rows_read = scans_.rows_read();
    report.scans = scans_.passes();
    report.took = clock_.now() - began;
    return report;
  }

 private:
  void tell(std::size_t done, std::size_t total, const std::string& what) const {
    if (options_.progress) options_.progress(done, total, what);
  }
  void describe(std::size_t index) {
    const Check& check = file_.checks[index];
    std::string limits = zones_text(check.zones);
    if (check.type == CheckType::freshness) {
      if (check.warn_after != Duration::max()) limits = "warn > " + format_duration(check.warn_after);
      if (check.error_after != Duration::max())
        limits += fmt::format("{}fail > {}", limits.empty() ? "" : ", ", format_duration(check.error_after));
    }
    results_[index] = {.id = check.id,
                       .name = check.name,
                       .table = check.table,
                       .type = check.type,
                       .limits = limits,
                       .owner = check.owner,
                       .tags = check.tags,
                       .line = check.line,
                       .column = check.column};
  }

  /// Whether the check's calendar counts something; what is not due has its outcome now.
  bool is_due(std::size_t index) {
    const std::string& name = file_.checks[index].calendar;
    if (name.empty()) return true;
    auto found = calendars_.find(name);
    if (found == calendars_.end()) found = calendars_.emplace(name, count_calendar(file_.calendars.at(name))).first;
    CheckResult& result = results_[index];
    if (!found->second) {
      result.reason = fmt::format("calendar {}: {}", name, found->second.error().detail());
      return false;
    }
    if (*found->second > 0) return true;
    result.outcome = Outcome::not_evaluated;
    result.reason = fmt::format("nothing is due: calendar {} counts 0", name);
    return false;
  }
  Result<std::int64_t> count_calendar(const Calendar& calendar) {
    SERIN_TRY(const std::string where, with_parameters(calendar.where, plan_options_.parameters, dialect_));
    SERIN_TRY(const SqlTable table,
              asker_.ask(fmt::format("SELECT COUNT(*){}", from_where(dialect_, calendar.table, where))));
    const auto* count = table.rows.empty() ? nullptr : std::get_if<std::int64_t>(&table.rows.front().at(0));
    if (count == nullptr) return fail(Errc::internal, "the database gave no count");
    return *count;
  }

  void run_scan(const Scan& scan) {
    const Instant began = clock_.now();
    std::string sql;
    const Result<std::vector<ScanGroup>> groups = scans_.run(scan, sql);
    const Duration took = clock_.now() - began;
    if (!groups && can_be_one_checks_fault(groups.error().code()) && scan.uses.size() > 1) {
      // One of them is broken, and the others must not suffer: halves find it in few statements, which fail early.
      const auto middle = scan.uses.begin() + static_cast<std::ptrdiff_t>(scan.uses.size() / 2);
      run_scan(part_of(scan, {scan.uses.begin(), middle}));
      run_scan(part_of(scan, {middle, scan.uses.end()}));
      return;
    }
    for (const Scan::Use& use : scan.uses) {
      CheckResult& result = results_[use.check];
      result.took = took;
      result.sql = sql;
      if (!groups) {
        result.reason = explain_error(use.check, groups.error());
      } else if (scan.group_by.empty()) {
        finish(use.check, measure(use, groups->front().states));
      } else {
        finish_groups(scan, use, *groups);
      }
    }
  }
  [[nodiscard]] Measurement measure(const Scan::Use& use, const std::vector<scan::State>& states) const {
    std::vector<scan::State> own{states.front()};
    for (const std::size_t term : use.terms) own.push_back(states.at(term));
    return measure_states(file_.checks[use.check], own, plan_options_.now_s);
  }

  void run_alone(std::size_t index) {
    const Check& check = file_.checks[index];
    const Result<std::string> sql = own_sql(check, dialect_, plan_options_);
    if (!sql) {
      results_[index].reason = sql.error().detail();
      return;
    }
    results_[index].sql = *sql;
    const Instant began = clock_.now();
    const Result<SqlTable> table = asker_.ask(*sql);
    results_[index].took = clock_.now() - began;
    if (!table) {
      results_[index].reason = explain_error(index, table.error());
      return;
    }
    finish(index, measure_table(check, *table, dialect_.engine));
  }

  void finish(std::size_t index, const Measurement& measured) {
    const Check& check = file_.checks[index];
    CheckResult& result = results_[index];
    std::vector<HistoryPoint> history;
    const bool compares = check.type == CheckType::change || check.type == CheckType::anomaly;
    if (compares && store_ != nullptr) {
      const int most = check.type == CheckType::anomaly ? check.points * (check.weekdays_apart ? 7 : 1) : 60;
      auto found = store_->metrics(check.id, most, options_.deadline);
      if (!found) {
        result.reason = "the history cannot be read: " + found.error().detail();
        return;
      }
      history = *std::move(found);
    }
    Verdict verdict = judge(check, measured, history, plan_options_.now_s);
    result.outcome = verdict.outcome;
    result.value = verdict.value;
    result.percent = verdict.percent;
    result.metric = measured.metric;
    result.rows = measured.rows;
    result.reason = std::move(verdict.reason);
    result.samples.total = measured.bad_rows;
  }

  /// Every group is judged; the worst one stands for the check.
  void finish_groups(const Scan& scan, const Scan::Use& use, const std::vector<ScanGroup>& groups) {
    if (groups.empty()) return finish(use.check, measure(use, std::vector<scan::State>(scan.terms.size())));
    CheckResult& result = results_[use.check];
    result.outcome = Outcome::pass;
    std::int64_t rows = 0;
    std::size_t bad = 0;
    std::string worst;
    for (const ScanGroup& group : groups) {
      const Measurement measured = measure(use, group.states);
      const Verdict verdict = judge(file_.checks[use.check], measured, {}, plan_options_.now_s);
      rows += measured.rows;
      result.samples.total += measured.bad_rows;
      if (!result.value || verdict.outcome > result.outcome) {
        result.value = verdict.value;
        result.percent = verdict.percent;
        result.metric = measured.metric;
        result.outcome = std::max(result.outcome, verdict.outcome);
        worst = fmt::format("{}: {}", group.name, verdict.reason);
      }
      if (verdict.outcome == Outcome::pass) continue;
      ++bad;
      if (result.groups.size() < most_groups_shown)
        result.groups.push_back(
            {.group = group.name, .outcome = verdict.outcome, .value = verdict.value, .reason = verdict.reason});
    }
    result.rows = rows;
    result.reason = fmt::format("{} of {} groups did not pass; {}", bad, groups.size(), worst);
  }

  /// The database's words, and the column that was meant when one of the check's is not there.
  std::string explain_error(std::size_t index, const Error& error) {
    const Check& check = file_.checks[index];
    if (error.code() != Errc::invalid_argument) return error.detail();
    const auto found = asker_.ask(dialect_.columns_query(check.table));
    if (!found) return error.detail();
    std::vector<std::string> there;
    for (const SqlRow& row : found->rows) there.push_back(cell_text(row.at(0)));
    if (there.empty()) return fmt::format("there is no table {}", check.table);
    std::vector<std::string> wanted = check.columns;
    wanted.insert(wanted.end(), check.group_by.begin(), check.group_by.end());
    if (!check.time_column.empty()) wanted.push_back(check.time_column);
    for (const std::string& column : wanted) {
      if (std::ranges::any_of(there, [&](const std::string& is) { return equal_ignoring_case(is, column); })) continue;
      const auto near = nearest_word(column, there);
      return fmt::format("{} has no column {}{}", check.table, column,
                         near ? fmt::format("; did you mean {}?", *near) : "");
    }
    return error.detail();
  }

  void add_samples(std::size_t index) {
    const Check& check = file_.checks[index];
    CheckResult& result = results_[index];
    const bool bad = result.outcome == Outcome::warn || result.outcome == Outcome::fail;
    if (!bad || check.samples.keys.empty() || check.samples.limit == 0 || result.samples.total == 0) return;
    const auto condition = bad_row(check, dialect_, plan_options_);
    const auto where = with_parameters(check.where, plan_options_.parameters, dialect_);
    if (!condition || condition->empty() || !where) return;
    std::vector<std::string> columns = check.samples.keys;
    columns.insert(columns.end(), check.samples.columns.begin(), check.samples.columns.end());
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + dialect_.column(column);
    const auto found = asker_.ask(
        fmt::format("SELECT {}{} LIMIT {}", list,
                    from_where(dialect_, check.table, *where, fmt::format("({})", *condition)), check.samples.limit));
    if (!found) {
      result.reason += "; no samples: " + found.error().detail();
      return;
    }
    result.samples.columns = columns;
    for (const SqlRow& row : found->rows) {
      std::vector<std::string> cells;
      for (const SqlValue& value : row) cells.push_back(cell_text(value));
      result.samples.rows.push_back(std::move(cells));
    }
  }

  const CheckFile& file_;
  const Dialect& dialect_;
  const Clock& clock_;
  ResultStore* store_;
  const RunOptions& options_;
  PlanOptions plan_options_;
  Asker asker_;
  ScanRunner scans_;
  std::vector<CheckResult> results_;
  std::map<std::string, Result<std::int64_t>> calendars_;
};

}  // namespace

int CheckReport::count(Outcome outcome) const noexcept {
  return static_cast<int>(std::ranges::count(results, outcome, &CheckResult::outcome));
}

Outcome CheckReport::worst() const noexcept {
  Outcome worst = results.empty() ? Outcome::error : Outcome::pass;
  for (const CheckResult& result : results) worst = std::max(worst, result.outcome);
  return worst;
}

std::vector<std::size_t> choose(const CheckFile& file, const RunOptions& options) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < file.checks.size(); ++i) {
    const Check& check = file.checks[i];
    const bool tagged = options.tags.empty() || std::ranges::any_of(check.tags, [&](const std::string& tag) {
                          return one_of(options.tags, tag);
                        });
    if (tagged && one_of(options.tables, check.table) && one_of(options.names, check.name)) out.push_back(i);
  }
  return out;
}

PlanOptions plan_options(const RunOptions& options, WallTime now) {
  PlanOptions out{.parameters = options.parameters, .now_s = unix_ms(now) / 1000};
  out.parameters.emplace("today", format_date(days_of(now)));
  out.parameters.emplace("yesterday", format_date(days_of(now) - 1));
  return out;
}

Result<CheckReport> run_checks(const CheckFile& file, Sql& sql, const Dialect& dialect, const Clock& clock,
                               ResultStore* store, const RunOptions& options) {
  if (options.threads < 1 || options.threads > 16) return fail(Errc::invalid_argument, "threads must be 1 to 16");
  if (options.incremental && store == nullptr)
    return fail(Errc::invalid_argument, "an incremental run needs a store of earlier results");
  const std::vector<std::size_t> chosen = choose(file, options);
  // "No check ran" must never look like "no check failed".
  if (chosen.empty()) return fail(Errc::invalid_argument, fmt::format("no check of {} was selected", file.file));
  return Run(file, sql, dialect, clock, store, options).all(chosen);
}

Result<std::string> explain_checks(const CheckFile& file, const Sql& sql, const Dialect& dialect, WallTime now,
                                   const RunOptions& options) {
  const std::vector<std::size_t> chosen = choose(file, options);
  if (chosen.empty()) return fail(Errc::invalid_argument, fmt::format("no check of {} was selected", file.file));
  const PlanOptions planned = plan_options(options, now);
  const Plan plan = make_plan(file, chosen, dialect, planned);
  std::string out;
  for (const Scan& scan : plan.scans) {
    out += fmt::format("{}: {} checks in one pass", scan.table, scan.uses.size());
    if (form_of(scan, sql, dialect) == ScanForm::native) out += ", counted by the native aggregate as";
    out += "\n";
    for (const Scan::Use& use : scan.uses) out += fmt::format("  - {}\n", file.checks[use.check].name);
    out += fmt::format("  {}\n\n", scan_sql(scan, dialect, ScanForm::portable));
  }
  for (const std::size_t index : plan.alone) {
    const auto own = own_sql(file.checks[index], dialect, planned);
    out += fmt::format("{}: by itself\n  - {}\n  {}\n\n", file.checks[index].table, file.checks[index].name,
                       own ? *own : own.error().detail());
  }
  for (const auto& [index, reason] : plan.broken)
    out += fmt::format("{}: cannot be asked: {}\n\n", file.checks[index].name, reason);
  out += fmt::format("{} checks, {} passes over tables, {} statements\n", chosen.size(), plan.scans.size(),
                     plan.scans.size() + plan.alone.size());
  return out;
}

}  // namespace serin::checks
