#include "monitoring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t most_series = 200;  // of one write

std::int64_t micros(WallTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}
std::string time_text(std::int64_t at) { return micros_text(WallTime(std::chrono::microseconds(at))); }

std::string descriptor_name(const std::string& project, const std::string& type) {
  return fmt::format("projects/{}/metricDescriptors/{}", project, type);
}

/// What makes a series itself: its metric and resource, with labels in order.
std::string key_of(const json::object& series) {
  std::string out;
  for (const std::string_view part : {"metric", "resource"}) {
    const json::object* object = object_at(series, part);
    out += (object == nullptr ? "" : text_at(*object, "type")) + "{";
    std::map<std::string, std::string> labels;
    if (const json::object* given = object == nullptr ? nullptr : object_at(*object, "labels"))
      for (const auto& [key, value] : *given) labels[std::string(key)] = scalar_text(value);
    for (const auto& [key, value] : labels) out += json::serialize(json::array{key, value});
    out += "}";
  }
  return out;
}

std::string value_type(const json::object& value) {
  if (value.contains("doubleValue")) return "DOUBLE";
  if (value.contains("int64Value")) return "INT64";
  if (value.contains("boolValue")) return "BOOL";
  if (value.contains("stringValue")) return "STRING";
  if (value.contains("distributionValue")) return "DISTRIBUTION";
  return "";
}

/// Only what can be counted: numbers, and booleans as 0 and 1.
std::optional<double> number_of(const json::object& value) {
  for (const std::string_view name : {"doubleValue", "int64Value"})
    if (value.contains(name)) return to_double(text_at(value, name));
  if (value.contains("boolValue")) return bool_at(value, "boolValue") ? 1 : 0;
  return std::nullopt;
}

std::optional<std::int64_t> end_of(const json::object& point) {
  const json::object* interval = object_at(point, "interval");
  const auto end = parse_rfc3339(interval == nullptr ? "" : text_at(*interval, "endTime"));
  if (!end) return std::nullopt;
  return micros(*end);
}

/// One series of an answer, from aligned points.
json::object series_json(const json::object& base, const std::vector<Point>& points, std::int64_t period, bool counts) {
  json::array list;
  for (const Point& point : points) {
    json::object value;
    if (counts) {
      value["int64Value"] = std::to_string(static_cast<std::int64_t>(point.value));
    } else {
      value["doubleValue"] = point.value;
    }
    list.push_back(json::object{
        {"interval", json::object{{"startTime", time_text(point.at - period)}, {"endTime", time_text(point.at)}}},
        {"value", std::move(value)}});
  }
  json::object out = base;
  out["valueType"] = counts ? "INT64" : "DOUBLE";
  out["points"] = std::move(list);
  return out;
}

}  // namespace

Outcome Monitoring::write_one(const Call& call, const json::object& series) {
  const json::object* metric = object_at(series, "metric");
  const json::object* resource = object_at(series, "resource");
  const json::array* points = array_at(series, "points");
  const std::string type = metric == nullptr ? "" : text_at(*metric, "type");
  if (type.find('/') == std::string::npos) return bad("metric.type must have a domain: " + type);
  if (resource == nullptr || text_at(*resource, "type").empty()) return bad("resource.type is needed");
  if (points == nullptr || points->size() != 1 || !(*points)[0].is_object())
    return bad("Field timeSeries[0].points must have exactly one point");
  const json::object& point = (*points)[0].get_object();
  const json::object* value = object_at(point, "value");
  const auto at = end_of(point);
  if (!at) return bad("points[0].interval.endTime is needed");
  if (*at > micros(call.now) + 300'000'000) return bad("A point is more than five minutes in the future.");
  const std::string kind = value == nullptr ? "" : value_type(*value);
  if (kind.empty()) return bad("points[0].value has no value");
  const std::string& project = call.parts[0];
  const std::string metric_kind = text_at(series, "metricKind").empty() ? "GAUGE" : text_at(series, "metricKind");
  if (const auto known = store_.get("metric_descriptor", descriptor_name(project, type))) {
    if (text_at(*known, "valueType") != kind)
      return bad(
          fmt::format("Value type for metric {} must be {}, but is {}.", type, text_at(*known, "valueType"), kind));
  } else {
    // The first point makes the descriptor.
    json::array labels;
    if (const json::object* given = object_at(*metric, "labels"))
      for (const auto& pair : *given) labels.push_back(json::object{{"key", pair.key()}, {"valueType", "STRING"}});
    store_.put("metric_descriptor", descriptor_name(project, type),
               {{"name", descriptor_name(project, type)},
                {"type", type},
                {"labels", std::move(labels)},
                {"metricKind", metric_kind},
                {"valueType", kind}});
  }
  const std::string key = project + "/" + key_of(series);
  const std::vector<Row> last = store_.query("SELECT max(at) FROM points WHERE series = ?1", {key});
  if (!last.empty() && !is_null(last[0][0].value) && int_of(last[0][0].value) >= *at)
    return bad(
        fmt::format("One or more TimeSeries could not be written: Points must be written in order. One or more of "
                    "the points specified had an older end time than the most recent point.: {}",
                    type));
  json::object kept = series;
  kept.erase("points");
  kept["metricKind"] = metric_kind;
  kept["valueType"] = kind;
  store_.put("series", key, kept);
  store_.execute("INSERT INTO points VALUES(?1, ?2, ?3)", {key, *at, json::serialize(point)});
  return {};
}

Reply Monitoring::create_series(Call& call) {
  const json::array* list = array_at(call.body, "timeSeries");
  if (list == nullptr || list->empty()) return bad("timeSeries must not be empty");
  if (list->size() > most_series)
    return bad("Field timeSeries had an invalid value: at most 200 can be written at once");
  for (const json::value& value : *list) {
    const json::object* series = value.if_object();
    if (series == nullptr) return bad("A time series is no object");
    if (auto good = write_one(call, *series); !good) return std::unexpected(good.error());
  }
  return json::object();
}

Reply Monitoring::list_series(Call& call) {
  const auto terms = parse_filter(call.query("filter"));
  if (!terms) return std::unexpected(terms.error());
  if (terms->empty()) return bad("filter is needed");
  const auto end_time = parse_rfc3339(call.query("interval.endTime"));
  if (!end_time) return bad("interval.endTime is needed");
  const auto start_time = parse_rfc3339(call.query("interval.startTime"));
  const std::int64_t end = micros(*end_time);
  const std::int64_t start = start_time ? micros(*start_time) : end - 1;
  const std::string aligner = call.query("aggregation.perSeriesAligner");
  const std::string reducer = call.query("aggregation.crossSeriesReducer");
  const bool aligned = !aligner.empty() && aligner != "ALIGN_NONE";
  const bool reduced = !reducer.empty() && reducer != "REDUCE_NONE";
  std::int64_t period = 0;
  if (const auto asked = parse_duration(call.query("aggregation.alignmentPeriod"))) period = *asked / 1us;
  if (aligned && period < 60'000'000) return bad("aggregation.alignmentPeriod must be at least 60 seconds");
  if (reduced && !aligned) return bad("A crossSeriesReducer needs a perSeriesAligner");

  json::array out;
  for (const auto& source : sources_)
    for (json::value& measured : source(call)) {
      json::object& series = measured.get_object();
      if (!passes(series, *terms)) continue;
      if (aligned)
        return refuse(501, "UNIMPLEMENTED", "notImplemented",
                      fmt::format("Aligning {} is not supported by this emulator",
                                  text_at(*object_at(series, "metric"), "type")));
      if (call.query("view") == "HEADERS" || call.query("view") == "1") series.erase("points");
      out.push_back(std::move(series));
    }
  std::map<std::string, std::pair<json::object, std::vector<std::vector<Point>>>> groups;
  const bool counts = (aligned && aligner == "ALIGN_COUNT" && !reduced) || reducer == "REDUCE_COUNT";
  for (const Row& row :
       store_.query("SELECT name, json FROM resources WHERE kind = 'series' AND substr(name, 1, length(?1)) "
                    "= ?1 ORDER BY name",
                    {call.parts[0] + "/"})) {
    const json::value kept = parsed(text_of(row[1].value));
    if (!kept.is_object() || !passes(kept.get_object(), *terms)) continue;
    json::object series = kept.get_object();
    std::vector<Point> numbers;
    json::array points;  // the newest first
    for (const Row& found :
         store_.query("SELECT at, json FROM points WHERE series = ?1 AND at > ?2 AND at <= ?3 ORDER BY at",
                      {row[0].value, start, end})) {
      json::value point = parsed(text_of(found[1].value));
      const json::object* value = object_at(point.get_object(), "value");
      const auto number = value == nullptr ? std::nullopt : number_of(*value);
      if (number) numbers.push_back({int_of(found[0].value), *number});
      points.insert(points.begin(), std::move(point));
    }
    if (points.empty()) continue;
    if (!aligned) {
      if (call.query("view") != "HEADERS" && call.query("view") != "1") series["points"] = std::move(points);
      out.push_back(std::move(series));
      continue;
    }
    if (text_at(series, "valueType") == "DISTRIBUTION" || text_at(series, "valueType") == "STRING")
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    "Aligning distributions and texts is not supported by this emulator");
    // What a delta's points say is the change already; a counter's has to be taken from point to point.
    const bool changes = text_at(series, "metricKind") == "DELTA" && aligner == "ALIGN_DELTA";
    auto line = align(numbers, changes ? "ALIGN_SUM" : aligner, start, end, period);
    if (!line)
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    fmt::format("{} is not supported by this emulator", aligner));
    if (!reduced) {
      out.push_back(series_json(series, *line, period, counts));
      continue;
    }
    json::object base{{"metricKind", "GAUGE"}};
    std::string key;
    for (const std::string& field : call.queries("aggregation.groupByFields")) {
      const std::string value = value_at(series, field).value_or("");
      key += json::serialize(json::string(value));
      const std::size_t dot = field.rfind('.');
      json::object& part = make_object(base, field.substr(0, field.find('.')));
      make_object(part, "labels")[field.substr(dot + 1)] = value;
    }
    for (const std::string_view part : {"metric", "resource"})
      if (const json::object* object = object_at(series, part))
        make_object(base, part)["type"] = text_at(*object, "type");
    auto& group = groups[key];
    group.first = std::move(base);
    group.second.push_back(*std::move(line));
  }
  for (const auto& [key, group] : groups) {
    const auto line = reduce(group.second, reducer);
    if (!line)
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    fmt::format("{} is not supported by this emulator", reducer));
    out.push_back(series_json(group.first, *line, period, counts));
  }
  const Page page = Page::of(call, "pageSize", 100'000);
  json::array list;
  for (std::size_t i = page.from; i < out.size() && i < page.from + page.most; ++i) list.push_back(std::move(out[i]));
  json::object reply;
  if (!list.empty()) reply["timeSeries"] = std::move(list);
  if (const std::string token = page.next(out.size()); !token.empty()) reply["nextPageToken"] = token;
  return reply;
}

Reply Monitoring::put_descriptor(Call& call) {
  const std::string type = text_at(call.body, "type");
  if (type.find('/') == std::string::npos) return bad("type of a metric must have a domain: " + type);
  json::object descriptor = call.body;
  descriptor["name"] = descriptor_name(call.parts[0], type);
  if (!descriptor.contains("metricKind") || !descriptor.contains("valueType"))
    return bad("metricKind and valueType are needed");
  store_.put("metric_descriptor", text_at(descriptor, "name"), descriptor);
  return descriptor;
}

Reply Monitoring::get_descriptor(Call& call) {
  auto found = store_.get("metric_descriptor", descriptor_name(call.parts[0], call.parts[1]));
  if (!found) return not_found("Could not find descriptor for metric '" + call.parts[1] + "'.");
  return *std::move(found);
}

Reply Monitoring::list_descriptors(Call& call) {
  const auto terms = parse_filter(call.query("filter"));
  if (!terms) return std::unexpected(terms.error());
  std::vector<json::object> all = store_.list("metric_descriptor", descriptor_name(call.parts[0], ""));
  std::erase_if(all, [&](const json::object& one) { return !passes({{"metric", one}}, *terms); });
  const Page page = Page::of(call, "pageSize", 10'000);
  json::array list;
  for (std::size_t i = page.from; i < all.size() && i < page.from + page.most; ++i) list.push_back(std::move(all[i]));
  json::object out{{"metricDescriptors", std::move(list)}};
  if (const std::string token = page.next(all.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

Reply Monitoring::delete_descriptor(Call& call) {
  const std::string& type = call.parts[1];
  if (!store_.erase("metric_descriptor", descriptor_name(call.parts[0], type)))
    return not_found("Could not find descriptor for metric '" + type + "'.");
  const std::string series = call.parts[0] + "/" + type + "{";
  store_.execute("DELETE FROM points WHERE substr(series, 1, length(?1)) = ?1", {series});
  store_.execute("DELETE FROM resources WHERE kind = 'series' AND substr(name, 1, length(?1)) = ?1", {series});
  return json::object();
}

void Monitoring::add_plain(std::vector<Route>& routes, std::string_view version, std::string_view collection) {
  const std::string kind(collection);
  const auto pattern = [&](std::string_view tail) -> std::string_view {
    patterns_.push_back(
        std::make_unique<std::string>(fmt::format("/{}/projects/{{}}/{}{}", version, collection, tail)));
    return *patterns_.back();
  };
  const auto in_store = [this](Handler handler) -> Handler {
    return [this, handler = std::move(handler)](Call& call) { return store_.run([&] { return handler(call); }); };
  };
  const auto name_of = [kind](const Call& call) {
    return fmt::format("projects/{}/{}/{}", call.parts[0], kind, call.parts[1]);
  };
  routes.push_back({"POST", pattern(""), in_store([this, kind](Call& call) -> Reply {
                      json::object made = call.body;
                      std::string name = text_at(made, "name");
                      if (name.empty())
                        name = fmt::format("projects/{}/{}/{}", call.parts[0], kind, random_hex(random_, 16));
                      if (store_.get(kind, name)) return exists(name + " already exists");
                      made["name"] = name;
                      made["etag"] = random_hex(random_, 12);
                      store_.put(kind, name, made);
                      return made;
                    })});
  routes.push_back({"GET", pattern(""), in_store([this, kind](Call& call) -> Reply {
                      json::array list;
                      for (json::object& one : store_.list(kind, fmt::format("projects/{}/{}/", call.parts[0], kind)))
                        list.push_back(std::move(one));
                      return json::object{{kind, std::move(list)}};
                    })});
  routes.push_back({"GET", pattern("/{}"), in_store([this, kind, name_of](Call& call) -> Reply {
                      auto found = store_.get(kind, name_of(call));
                      if (!found) return not_found(name_of(call) + " was not found");
                      return *std::move(found);
                    })});
  routes.push_back({"PATCH", pattern("/{}"), in_store([this, kind, name_of](Call& call) -> Reply {
                      auto found = store_.get(kind, name_of(call));
                      if (!found) return not_found(name_of(call) + " was not found");
                      if (const std::string etag = text_at(call.body, "etag");
                          !etag.empty() && etag != text_at(*found, "etag"))
                        return refuse(409, "ABORTED", "aborted", "The etag does not match");
                      const std::string mask = call.query("updateMask");
                      if (mask.empty()) {
                        *found = call.body;
                      } else {
                        for (const std::string_view field : split(mask, ','))
                          if (const json::value* value = call.body.if_contains(field)) (*found)[field] = *value;
                      }
                      (*found)["name"] = name_of(call);
                      (*found)["etag"] = random_hex(random_, 12);
                      store_.put(kind, name_of(call), *found);
                      return *found;
                    })});
  routes.push_back({"DELETE", pattern("/{}"), in_store([this, kind, name_of](Call& call) -> Reply {
                      if (!store_.erase(kind, name_of(call))) return not_found(name_of(call) + " was not found");
                      return json::object();
                    })});
}

std::vector<Route> Monitoring::routes() {
  const auto to = [this](Reply (Monitoring::*handler)(Call&)) -> Handler {
    return [this, handler](Call& call) { return store_.run([&] { return (this->*handler)(call); }); };
  };
  std::vector<Route> out{
      {"POST", "/v3/projects/{}/timeSeries", to(&Monitoring::create_series)},
      {"GET", "/v3/projects/{}/timeSeries", to(&Monitoring::list_series)},
      {"POST", "/v3/projects/{}/metricDescriptors", to(&Monitoring::put_descriptor)},
      {"GET", "/v3/projects/{}/metricDescriptors", to(&Monitoring::list_descriptors)},
      {"GET", "/v3/projects/{}/metricDescriptors/{**}", to(&Monitoring::get_descriptor)},
      {"DELETE", "/v3/projects/{}/metricDescriptors/{**}", to(&Monitoring::delete_descriptor)},
  };
  add_plain(out, "v3", "alertPolicies");
  add_plain(out, "v1", "dashboards");
  return out;
}

}  // namespace serin::google_emulator
