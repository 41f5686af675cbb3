#include "scan_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "serin/base/text.hpp"

namespace serin::checks {
namespace {

/// So that no difference of two keys leaves 64 bits.
constexpr std::int64_t largest_key = std::int64_t{1} << 62;

/// Bytes of the UTF-8 character that begins here; 0 when none does.
std::size_t character_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return length;
}

/// What may stand in a report and on a terminal, whatever a database holds.
std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character_at(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0 || first < 0x20 || first == 0x7f) {
      out += '?';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

std::string term_key(const PlannedTerm& planned) {
  return fingerprint(scan::encode({&planned.term, 1}) + planned.expression);
}

void merge_all(const Scan& scan, std::vector<scan::State>& into, const std::vector<scan::State>& more) {
  for (std::size_t i = 0; i < scan.terms.size(); ++i) scan::merge(scan.terms[i].term.kind, into[i], more[i]);
}

/// A scan of the same rows with some of the terms; rows are always counted.
Scan with_terms(const Scan& scan, const std::vector<std::size_t>& terms) {
  Scan out{.table = scan.table, .where = scan.where};
  out.terms.push_back(scan.terms.front());
  for (const std::size_t term : terms)
    if (term != 0) out.terms.push_back(scan.terms[term]);
  return out;
}

}  // namespace

std::string cell_text(const SqlValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  const auto* words = std::get_if<std::string>(&value);
  return words == nullptr ? "NULL" : printable(*words);
}

Result<SqlTable> Asker::ask(const std::string& statement) {
  ++queries_;
  return sql_.query(statement, std::span<const SqlValue>(), deadline_);
}

std::vector<Result<SqlTable>> Asker::ask_all(const std::vector<std::string>& statements) {
  queries_ += static_cast<std::int64_t>(statements.size());
  std::vector<Result<SqlTable>> answers(statements.size(), fail(Errc::internal, "not asked"));
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < statements.size(); ++i)
      threads.emplace_back([this, &answers, &statements, i] {
        answers[i] = sql_.query(statements[i], std::span<const SqlValue>(), deadline_);
      });
  }
  return answers;
}

ScanForm form_of(const Scan& scan, const Sql& sql, const Dialect& dialect) {
  // One count by itself is what the database does best; from two on the native aggregate pays.
  const bool moments = std::ranges::any_of(
      scan.terms, [](const PlannedTerm& planned) { return planned.term.kind == scan::Kind::moments; });
  const bool native = dialect.engine == Engine::sqlite && sql.scans_natively() && (moments || scan.terms.size() > 2);
  return native ? ScanForm::native : ScanForm::portable;
}

Scan part_of(const Scan& scan, std::vector<Scan::Use> uses) {
  Scan out{.table = scan.table, .where = scan.where, .group_by = scan.group_by, .stable = scan.stable};
  out.terms.push_back(scan.terms.front());
  for (Scan::Use& use : uses) {
    for (std::size_t& term : use.terms) {
      out.terms.push_back(scan.terms[term]);
      term = out.terms.size() - 1;
    }
    out.uses.push_back(std::move(use));
  }
  return out;
}

Result<std::vector<ScanGroup>> ScanRunner::run(const Scan& scan, std::string& sql) {
  const auto grows = file_.grows_by.find(scan.table);
  const bool splittable = grows != file_.grows_by.end() && scan.group_by.empty();
  if (splittable && options_.incremental && scan.stable) return only_new(scan, grows->second, sql);
  if (splittable && options_.threads > 1) {
    SERIN_TRY(const std::optional<KeyRange> range, key_range(scan, grows->second));
    if (range) {
      SERIN_TRY(std::vector<scan::State> states, in_parts(scan, grows->second, *range, sql));
      return std::vector<ScanGroup>{{.name = "", .states = std::move(states)}};
    }
  }
  return whole(scan, sql);
}

Result<std::vector<ScanGroup>> ScanRunner::whole(const Scan& scan, std::string& sql) {
  const ScanForm form = form_of(scan, asker_.sql(), dialect_);
  sql = scan_sql(scan, dialect_, form);
  ++passes_;
  SERIN_TRY(SqlTable table, asker_.ask(sql));
  // Here and not by the statement: every engine has another order for texts, and another place for NULL.
  std::ranges::sort(table.rows, [&](const SqlRow& a, const SqlRow& b) {
    const auto keys = static_cast<std::ptrdiff_t>(std::min({scan.group_by.size(), a.size(), b.size()}));
    return std::lexicographical_compare(a.begin(), a.begin() + keys, b.begin(), b.begin() + keys, scan::less);
  });
  std::vector<ScanGroup> groups;
  for (const SqlRow& row : table.rows) {
    ScanGroup group;
    for (std::size_t i = 0; i < scan.group_by.size() && i < row.size(); ++i)
      group.name += fmt::format("{}{}={}", i == 0 ? "" : ", ", scan.group_by[i], cell_text(row[i]));
    SERIN_TRY(group.states, read_states(scan, form, row));
    rows_read_ += group.states.front().count;
    groups.push_back(std::move(group));
  }
  if (groups.empty() && scan.group_by.empty()) return fail(Errc::internal, "the database gave no row for a count");
  return groups;
}

Result<std::optional<ScanRunner::KeyRange>> ScanRunner::key_range(const Scan& scan, const std::string& key) {
  const std::string column = dialect_.column(key);
  // Two statements: with one each, an index answers at once.
  SERIN_TRY(const SqlTable low,
            asker_.ask(fmt::format("SELECT MIN({}){}", column, from_where(dialect_, scan.table, ""))));
  SERIN_TRY(const SqlTable high,
            asker_.ask(fmt::format("SELECT MAX({}){}", column, from_where(dialect_, scan.table, ""))));
  if (low.rows.empty() || high.rows.empty() || std::holds_alternative<std::monostate>(low.rows[0].at(0)))
    return std::optional<KeyRange>();
  const auto* first = std::get_if<std::int64_t>(&low.rows[0].at(0));
  const auto* last = std::get_if<std::int64_t>(&high.rows[0].at(0));
  if (first == nullptr || last == nullptr)
    return fail(Errc::unsupported, fmt::format("{}.{} is no whole number: grows_by needs one", scan.table, key));
  if (*first <= -largest_key || *last >= largest_key)
    return fail(Errc::unsupported, fmt::format("{}.{} goes beyond +-2^62: grows_by cannot", scan.table, key));
  // A row without a key is in no range, and would not be counted.
  SERIN_TRY(const SqlTable without,
            asker_.ask(fmt::format("SELECT 1{} LIMIT 1", from_where(dialect_, scan.table, "", column + " IS NULL"))));
  if (!without.rows.empty()) return std::optional<KeyRange>();
  return std::optional(KeyRange{.above = *first - 1, .to = *last});
}

Result<std::vector<scan::State>> ScanRunner::in_parts(const Scan& scan, const std::string& key, KeyRange range,
                                                      std::string& sql) {
  const ScanForm form = form_of(scan, asker_.sql(), dialect_);
  const std::string column = dialect_.column(key);
  const std::int64_t length = range.to - range.above;
  const std::int64_t parts = std::clamp<std::int64_t>(options_.threads, 1, std::max<std::int64_t>(1, length));
  std::vector<std::string> statements;
  std::int64_t from = range.above;
  for (std::int64_t i = 1; i <= parts; ++i) {
    const std::int64_t to = i == parts ? range.to : range.above + length / parts * i;
    statements.push_back(scan_sql(scan, dialect_, form, fmt::format("{0} > {1} AND {0} <= {2}", column, from, to)));
    from = to;
  }
  sql = statements.front();
  ++passes_;
  std::vector<scan::State> total(scan.terms.size());
  if (statements.size() == 1) {
    SERIN_TRY(const SqlTable table, asker_.ask(statements.front()));
    SERIN_TRY(total, read_states(scan, form, table.rows.at(0)));
  } else {
    for (const Result<SqlTable>& answer : asker_.ask_all(statements)) {
      if (!answer) return pass(answer.error());
      SERIN_TRY(const std::vector<scan::State> part, read_states(scan, form, answer->rows.at(0)));
      merge_all(scan, total, part);
    }
  }
  rows_read_ += total.front().count;
  return total;
}

Result<std::vector<ScanGroup>> ScanRunner::only_new(const Scan& scan, const std::string& key, std::string& sql) {
  const std::string name = fingerprint(fmt::format("{}\n{}\n{}\n{}", file_.file, scan.table, scan.where, key));
  SERIN_TRY(auto stored, store_->states(name, options_.deadline));
  SERIN_TRY(const std::optional<KeyRange> range, key_range(scan, key));
  if (!range) {
    // Whatever comes into the table later, what was counted of it is gone.
    SERIN_CHECK(store_->save_states(name, {}, options_.deadline));
    return whole(scan, sql);
  }
  std::int64_t high = range->above;
  for (const auto& [term, state] : stored) high = std::max(high, state.high);
  // A table that ends before what was counted is another table: start anew.
  if (high > range->to) stored.clear();
  std::vector<std::size_t> known;
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < scan.terms.size(); ++i) {
    const auto found = stored.find(term_key(scan.terms[i]));
    (found != stored.end() && found->second.high == high ? known : fresh).push_back(i);
  }
  std::vector<scan::State> states(scan.terms.size());
  for (const auto& [terms, from] : {std::pair{&known, high}, std::pair{&fresh, range->above}}) {
    if (terms->empty()) continue;
    const Scan part = with_terms(scan, *terms);
    std::vector<scan::State> counted(part.terms.size());
    if (from < range->to) {
      SERIN_TRY(counted, in_parts(part, key, {.above = from, .to = range->to}, sql));
    }
    std::size_t at = 0;
    for (const std::size_t term : *terms) states[term] = term == 0 ? counted[0] : counted[++at];
  }
  std::map<std::string, StoredState> next;
  for (std::size_t i = 0; i < scan.terms.size(); ++i) {
    const std::string term = term_key(scan.terms[i]);
    if (const auto found = stored.find(term); found != stored.end() && std::ranges::find(known, i) != known.end()) {
      scan::State sum = found->second.state;
      scan::merge(scan.terms[i].term.kind, sum, states[i]);
      states[i] = std::move(sum);
    }
    next[term] = {.high = range->to, .state = states[i]};
  }
  SERIN_CHECK(store_->save_states(name, next, options_.deadline));
  return std::vector<ScanGroup>{{.name = "", .states = std::move(states)}};
}

}  // namespace serin::checks
