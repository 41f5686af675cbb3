#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "serin/base/text.hpp"
#include "serin/checks/check.hpp"
#include "serin/checks/dialect.hpp"
#include "serin/config/yaml.hpp"

namespace serin::checks {
namespace {

using config::YamlKind;
using config::YamlMap;

constexpr std::array type_names{std::string_view("row_count"),
                                std::string_view("missing"),
                                std::string_view("unique"),
                                std::string_view("range"),
                                std::string_view("accepted_values"),
                                std::string_view("pattern"),
                                std::string_view("length"),
                                std::string_view("condition"),
                                std::string_view("reference"),
                                std::string_view("schema"),
                                std::string_view("distribution"),
                                std::string_view("change"),
                                std::string_view("anomaly"),
                                std::string_view("coverage"),
                                std::string_view("freshness"),
                                std::string_view("failures"),
                                std::string_view("sql")};

const std::vector<std::string> measures{"row_count", "missing_percent", "mean", "stddev", "min", "max", "percentile"};
const std::vector<std::string> units{"unix_ms", "unix_s", "timestamp"};

/// A text or a list of texts.
std::vector<std::string> one_or_more(YamlMap& map, std::string_view key) {
  if (map.kind(key) == YamlKind::list) return map.texts(key, {});
  const std::string word = map.text(key, "");
  return word.empty() ? std::vector<std::string>() : std::vector{word};
}

bool is_row_check(CheckType type) {
  switch (type) {
    case CheckType::missing:
    case CheckType::range:
    case CheckType::accepted_values:
    case CheckType::pattern:
    case CheckType::length:
    case CheckType::condition:
    case CheckType::reference:
    case CheckType::failures: return true;
    case CheckType::row_count:
    case CheckType::unique:
    case CheckType::schema:
    case CheckType::distribution:
    case CheckType::change:
    case CheckType::anomaly:
    case CheckType::coverage:
    case CheckType::freshness:
    case CheckType::sql: return false;
  }
  return false;
}

Zone zone(std::string_view text) { return parse_zone(text).value(); }

/// What a check is judged by when its file does not say.
Zones default_zones(const Check& check) {
  switch (check.type) {
    case CheckType::row_count: return {.fail = zone("= 0")};
    case CheckType::unique: return {.fail = zone(check.unique == UniqueMetric::uniqueness_ratio ? "< 1" : "> 0")};
    case CheckType::coverage: return {.warn = zone("< 90"), .fail = zone("< 80")};
    case CheckType::failures: return {.warn = zone("> 5"), .fail = zone("> 10")};
    case CheckType::anomaly: return {.fail = zone("> 3.5")};  // Iglewicz and Hoaglin, 1993
    case CheckType::missing:
    case CheckType::range:
    case CheckType::accepted_values:
    case CheckType::pattern:
    case CheckType::length:
    case CheckType::condition:
    case CheckType::reference:
    case CheckType::schema:
    case CheckType::sql: return {.fail = zone("!= 0")};
    case CheckType::distribution:
    case CheckType::change:
    case CheckType::freshness: return {};
  }
  return {};
}

/// Reads one check's mapping.
class CheckReader {
 public:
  CheckReader(YamlMap& map, Check& check, const Dialect& dialect) : map_(map), check_(check), dialect_(dialect) {}

  bool read() {
    const auto type = find_type();
    if (!type) return false;
    check_.type = *type;
    const std::string key(type_name(*type));
    switch (map_.kind(key)) {
      case YamlKind::scalar: check_.columns = {map_.text(key, "")}; break;
      case YamlKind::list: check_.columns = map_.texts(key, {}); break;
      case YamlKind::map:
      case YamlKind::absent:
        if (auto inner = map_.map(key)) {
          read_type(*inner);
          inner->done();
        }
        break;
    }
    if (map_.kind(key) != YamlKind::map) read_short(key);
    return true;
  }

 private:
  std::optional<CheckType> find_type() {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < type_names.size(); ++i)
      if (map_.kind(type_names[i]) != YamlKind::absent) found.push_back(i);
    if (found.size() == 1) return static_cast<CheckType>(found.front());
    if (found.empty()) {
      map_.complain("", fmt::format("a check needs one of {}", fmt::join(type_names, ", ")));
    } else {
      map_.complain(type_names[found[1]],
                    fmt::format("a check is one thing: '{}' or '{}'", type_names[found[0]], type_names[found[1]]));
    }
    return std::nullopt;
  }
  /// `missing: column` and the like.
  void read_short(const std::string& key) {
    if (check_.type == CheckType::condition || check_.type == CheckType::sql) {
      check_.sql = check_.columns.empty() ? "" : check_.columns.front();
      check_.columns.clear();
    } else if (check_.type == CheckType::unique || check_.type == CheckType::missing) {
      want_columns(map_, key);
    } else {
      map_.complain(key, fmt::format("{} must be a mapping", key));
    }
  }
  void want_columns(YamlMap& map, std::string_view key) {
    if (check_.columns.empty() || std::ranges::find(check_.columns, "") != check_.columns.end())
      map.complain(key, fmt::format("{} needs a column", type_name(check_.type)));
    if (check_.columns.size() > 1 && check_.type != CheckType::unique && check_.type != CheckType::reference &&
        check_.type != CheckType::coverage)
      map.complain(key, fmt::format("{} looks at one column", type_name(check_.type)));
  }
  void column(YamlMap& map) {
    check_.columns = one_or_more(map, "column");
    want_columns(map, "column");
  }
  void bounds(YamlMap& map) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    check_.min = map.number("min", -infinity);
    check_.max = map.number("max", infinity);
    if (!map.has("min") && !map.has("max")) map.complain("", "min, max or both are needed");
    if (check_.min > check_.max) map.complain("min", "min is above max");
    if (check_.type == CheckType::length && map.has("min") && check_.min < 0) map.complain("min", "min is below 0");
  }
  void measure(YamlMap& map, std::string_view key, std::size_t otherwise) {
    check_.measure = static_cast<Measure>(map.choice(key, measures, otherwise));
    const double percentile = map.number("percentile", 0.5);
    if (!(percentile > 0 && percentile <= 1)) map.complain("percentile", "percentile must be above 0 and at most 1");
    if (map.has("percentile") && check_.measure != Measure::percentile)
      map.complain("percentile", fmt::format("percentile is used only with {}: percentile", key));
    check_.percentile = percentile;
    check_.columns = one_or_more(map, "column");
    if (check_.measure != Measure::row_count) want_columns(map, "column");
  }
  void read_type(YamlMap& map) {
    switch (check_.type) {
      case CheckType::row_count: break;
      case CheckType::missing:
        column(map);
        check_.values = map.texts("values", {});
        break;
      case CheckType::unique:
        check_.columns = one_or_more(map, map.has("columns") ? "columns" : "column");
        want_columns(map, "column");
        check_.unique = static_cast<UniqueMetric>(
            map.choice("metric", {"extra_rows", "distinct_duplicates", "affected_rows", "uniqueness_ratio"}, 0));
        break;
      case CheckType::range:
      case CheckType::length:
        column(map);
        bounds(map);
        break;
      case CheckType::accepted_values:
        column(map);
        check_.values = map.texts("values", {});
        if (check_.values.empty()) map.complain("values", "values must name at least one");
        break;
      case CheckType::pattern:
        column(map);
        check_.regex = map.required_text("regex");
        map.check("regex", dialect_.pattern(check_.regex));
        break;
      case CheckType::condition:
      case CheckType::sql: check_.sql = map.required_text("query"); break;
      case CheckType::schema: schema(map); break;
      case CheckType::distribution: measure(map, "measure", 2); break;
      case CheckType::reference:
        check_.columns = one_or_more(map, "column");
        want_columns(map, "column");
        check_.other_table = map.required_text("table");
        check_.other_columns = one_or_more(map, "key");
        check_.other_where = map.text("where", "");
        same_number(map, "key");
        break;
      case CheckType::coverage: coverage(map); break;
      case CheckType::change:
        measure(map, "metric", 0);
        check_.against =
            static_cast<Against>(map.choice("against", {"previous", "average_7", "min_7", "max_7", "same_weekday"}, 0));
        check_.in_percent = map.choice("as", {"absolute", "percent"}, 1) == 1;
        break;
      case CheckType::anomaly: anomaly(map); break;
      case CheckType::freshness: freshness(map); break;
      case CheckType::failures:
        check_.columns = one_or_more(map, "column");
        want_columns(map, "column");
        check_.values = map.texts("values", {"fail"});
        check_.time_column = map.required_text("time");
        check_.unit = static_cast<TimeUnit>(map.choice("unit", units, 2));
        check_.within = map.duration("within", std::chrono::hours(24));
        if (check_.within < std::chrono::seconds(1)) map.complain("within", "within must be at least 1s");
        break;
    }
  }
  void same_number(YamlMap& map, std::string_view key) {
    if (check_.other_columns.size() != check_.columns.size())
      map.complain(key, fmt::format("{} has {} columns, {} are needed", key, check_.other_columns.size(),
                                    check_.columns.size()));
  }
  void schema(YamlMap& map) {
    check_.required = map.texts("required", {});
    check_.forbidden = map.texts("forbidden", {});
    check_.types = map.text_map("types", {});
    const std::vector<std::string> classes{"integer", "number", "text", "boolean", "time", "bytes"};
    for (const auto& [column, type] : check_.types)
      if (std::ranges::find(classes, type) == classes.end())
        map.complain("types", fmt::format("types.{}: '{}' is none of {}", column, type, fmt::join(classes, ", ")));
    if (check_.required.empty() && check_.forbidden.empty() && check_.types.empty())
      map.complain("", "schema needs required, forbidden or types");
  }
  void coverage(YamlMap& map) {
    check_.columns = one_or_more(map, "key");
    want_columns(map, "key");
    check_.on_no_data = OnNoData::fail;
    auto expected = map.map("expected");
    if (!expected) return map.complain("expected", "coverage needs expected: {table, key, where}");
    check_.other_table = expected->required_text("table");
    check_.other_columns = one_or_more(*expected, "key");
    if (check_.other_columns.empty()) check_.other_columns = check_.columns;
    check_.other_where = expected->text("where", "");
    same_number(*expected, "key");
    expected->done();
  }
  void anomaly(YamlMap& map) {
    measure(map, "metric", 0);
    check_.weekdays_apart = map.choice("seasonality", {"none", "weekday"}, 0) == 1;
    check_.direction = static_cast<Direction>(map.choice("direction", {"both", "up", "down"}, 0));
    const auto points = map.integer("points", 28);
    const auto least = map.integer("least_points", 4);
    if (points < 4 || points > 1000) map.complain("points", "points must be 4 to 1000");
    if (least < 4 || least > points) map.complain("least_points", "least_points must be 4 to points");
    check_.points = static_cast<int>(std::clamp<std::int64_t>(points, 4, 1000));
    check_.least_points = static_cast<int>(std::clamp<std::int64_t>(least, 4, check_.points));
  }
  void freshness(YamlMap& map) {
    column(map);
    check_.on_no_data = OnNoData::fail;
    check_.unit = static_cast<TimeUnit>(map.choice("unit", units, 2));
    check_.warn_after = map.duration("warn_after", Duration::max());
    check_.error_after = map.duration("error_after", Duration::max());
    check_.skew = map.duration("skew", Duration::zero());
    if (!map.has("warn_after") && !map.has("error_after"))
      map.complain("", "warn_after, error_after or both are needed");
    if (map.has("error_after") && map.has("warn_after") && check_.warn_after > check_.error_after)
      map.complain("warn_after", "warn_after is longer than error_after");
  }

  YamlMap& map_;
  Check& check_;
  const Dialect& dialect_;
};

/// One sentence a check, when the file gives no name.
std::string sentence(const Check& check) {
  const std::string columns = fmt::format("{}", fmt::join(check.columns, ", "));
  std::string out;
  switch (check.type) {
    case CheckType::row_count: out = fmt::format("{} has rows", check.table); break;
    case CheckType::missing: out = fmt::format("{}.{} is not missing", check.table, columns); break;
    case CheckType::unique: out = fmt::format("{}.{} is unique", check.table, columns); break;
    case CheckType::range: out = fmt::format("{}.{} is in its range", check.table, columns); break;
    case CheckType::accepted_values: out = fmt::format("{}.{} has accepted values", check.table, columns); break;
    case CheckType::pattern: out = fmt::format("{}.{} matches its pattern", check.table, columns); break;
    case CheckType::length: out = fmt::format("{}.{} has a good length", check.table, columns); break;
    case CheckType::condition: out = fmt::format("{}: {}", check.table, check.sql); break;
    case CheckType::reference: out = fmt::format("{}.{} is in {}", check.table, columns, check.other_table); break;
    case CheckType::schema: out = fmt::format("{} has its columns", check.table); break;
    case CheckType::distribution:
      out = fmt::format("{} of {}.{}", measures[static_cast<std::size_t>(check.measure)], check.table, columns);
      break;
    case CheckType::change:
    case CheckType::anomaly:
      out = fmt::format("{} of {}{}{} is {}", measures[static_cast<std::size_t>(check.measure)], check.table,
                        columns.empty() ? "" : ".", columns,
                        check.type == CheckType::change ? "near what it was" : "as usual");
      break;
    case CheckType::coverage: out = fmt::format("{} covers {}", check.table, check.other_table); break;
    case CheckType::freshness: out = fmt::format("{} is fresh", check.table); break;
    case CheckType::failures: out = fmt::format("{} has few failures", check.table); break;
    case CheckType::sql: out = check.sql.substr(0, 60); break;
  }
  if (!check.where.empty()) out += fmt::format(" where {}", check.where);
  if (!check.group_by.empty()) out += fmt::format(" for each {}", fmt::join(check.group_by, ", "));
  return out;
}

void read_zones(YamlMap& map, Check& check) {
  const bool own = map.has("warn") || map.has("fail");
  for (const auto& [key, zone_of] : {std::pair{"warn", &check.zones.warn}, std::pair{"fail", &check.zones.fail}}) {
    if (!map.has(key)) continue;
    Result<Zone> parsed = parse_zone(map.text(key, ""));
    map.check(key, parsed);
    if (!parsed) continue;
    if (parsed->percent && !is_row_check(check.type))
      map.complain(key, fmt::format("{} has no share of rows: write the number without %", type_name(check.type)));
    *zone_of = *std::move(parsed);
  }
  if (own && check.type == CheckType::freshness)
    map.complain(map.has("warn") ? "warn" : "fail", "freshness is judged by warn_after and error_after");
  if (!own) check.zones = default_zones(check);
  if (!own && (check.type == CheckType::distribution || check.type == CheckType::change))
    map.complain("", fmt::format("{} needs warn:, fail: or both", type_name(check.type)));
}

bool can_group(const Check& check) {
  if (check.measure == Measure::percentile && check.type == CheckType::distribution) return false;
  return check.type == CheckType::row_count || check.type == CheckType::freshness ||
         check.type == CheckType::distribution || (is_row_check(check.type) && check.type != CheckType::reference);
}

Check read_check(YamlMap& map, std::string_view file, const CheckFile& context,
                 const std::map<std::string, std::vector<std::string>>& keys, const Dialect& dialect) {
  Check check;
  check.line = map.position().line;
  check.column = map.position().column;
  check.table = map.text("table", "");
  check.where = map.text("where", "");
  check.owner = map.text("owner", "");
  check.tags = map.texts("tags", {});
  check.group_by = one_or_more(map, "group_by");
  const bool typed = CheckReader(map, check, dialect).read();
  if (check.table.empty() && typed && check.type != CheckType::sql) map.complain("table", "table is missing");
  const std::size_t otherwise = static_cast<std::size_t>(check.on_no_data);
  check.on_no_data = static_cast<OnNoData>(map.choice("on_no_data", {"not_evaluated", "warn", "fail"}, otherwise));
  if (typed) {
    read_zones(map, check);
    if (!check.group_by.empty() && !can_group(check))
      map.complain("group_by", fmt::format("{} cannot be grouped", type_name(check.type)));
  } else {
    static_cast<void>(map.has("warn") || map.has("fail"));
    static_cast<void>(map.has("fail"));
  }
  check.calendar = map.text("calendar", "");
  if (!check.calendar.empty() && !context.calendars.contains(check.calendar)) {
    std::vector<std::string> known;
    for (const auto& [name, calendar] : context.calendars) known.push_back(name);
    const auto near = nearest_word(check.calendar, known);
    map.complain("calendar", fmt::format("there is no calendar '{}'{}", check.calendar,
                                         near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  if (const auto found = keys.find(check.table); found != keys.end()) check.samples.keys = found->second;
  if (auto samples = map.map("samples")) {
    if (samples->has("keys")) check.samples.keys = samples->texts("keys", {});
    check.samples.columns = samples->texts("columns", {});
    const auto limit = samples->integer("limit", 20);
    if (limit < 0 || limit > 1000) samples->complain("limit", "limit must be 0 to 1000");
    check.samples.limit = static_cast<int>(std::clamp<std::int64_t>(limit, 0, 1000));
    samples->done();
  }
  check.name = map.text("name", typed ? sentence(check) : "");
  check.id = fmt::format("{}/{}/{}", file.substr(file.rfind('/') + 1), check.table, check.name);
  map.done();
  return check;
}

}  // namespace

std::string_view type_name(CheckType type) noexcept { return type_names[static_cast<std::size_t>(type)]; }

Result<CheckFile> load_checks(std::string_view text, std::string_view file, Engine engine) {
  SERIN_TRY(const auto yaml, config::YamlFile::parse(text, file));
  const Dialect dialect{engine};
  CheckFile out{.file = std::string(file)};
  YamlMap root = yaml->root();
  const auto version = root.integer("version", 1);
  if (version != 1) root.complain("version", fmt::format("version {} is not known; this program reads 1", version));
  std::map<std::string, std::vector<std::string>> keys;
  for (auto& [name, map] : root.named_maps("tables")) {
    keys[name] = one_or_more(map, "key");
    if (std::string grows = map.text("grows_by", ""); !grows.empty()) out.grows_by[name] = std::move(grows);
    map.done();
  }
  for (auto& [name, map] : root.named_maps("calendars")) {
    out.calendars[name] = {.table = map.required_text("table"), .where = map.text("where", "")};
    map.done();
  }
  std::set<std::string> ids;
  for (YamlMap& map : root.maps("checks")) {
    Check check = read_check(map, file, out, keys, dialect);
    if (!check.name.empty() && !ids.insert(check.id).second)
      map.complain("name", fmt::format("two checks of {} are named '{}': their history would be mixed", check.table,
                                       check.name));
    out.checks.push_back(std::move(check));
  }
  root.done();
  if (yaml->mistakes().empty() && out.checks.empty()) root.complain("checks", "there is no check in this file");
  if (!yaml->mistakes().empty())
    return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(yaml->mistakes(), "\n")));
  return out;
}

}  // namespace serin::checks
