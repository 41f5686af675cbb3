// The parts of a record that are kept as JSON. Whatever cannot be read back is data_loss: the journal is ours alone.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "serin/rollout/record.hpp"

namespace serin::rollout {
namespace {

namespace json = boost::json;

json::object text_map(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [name, value] : map) out[name] = value;
  return out;
}

/// Reads members of one JSON object; the first that is missing or of another type spoils it.
class Reader {
 public:
  Reader(std::string_view what, std::string_view text) : what_(what) {
    boost::system::error_code error;
    json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !value.is_object()) {
      spoil("it is no JSON object");
      return;
    }
    object_ = std::move(value.as_object());
  }
  Reader(std::string_view what, json::object object) : what_(what), object_(std::move(object)) {}

  [[nodiscard]] bool has(std::string_view name) const {
    return object_.contains(json::string_view(name.data(), name.size()));
  }
  const json::value* find(std::string_view name) {
    const json::value* value = object_.if_contains(json::string_view(name.data(), name.size()));
    if (value == nullptr) spoil(fmt::format("'{}' is missing", name));
    return value;
  }
  void read(std::string_view name, double& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_number()) return spoil(fmt::format("'{}' is no number", name));
    out = value->to_number<double>();
  }
  void read(std::string_view name, std::int64_t& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_int64()) return spoil(fmt::format("'{}' is no integer", name));
    out = value->as_int64();
  }
  void read(std::string_view name, int& out) {
    std::int64_t number = out;
    read(name, number);
    out = static_cast<int>(number);
  }
  void read(std::string_view name, Duration& out) {
    std::int64_t count = out.count();
    read(name, count);
    out = Duration(count);
  }
  void read(std::string_view name, bool& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_bool()) return spoil(fmt::format("'{}' is not true or false", name));
    out = value->as_bool();
  }
  void read(std::string_view name, std::string& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_string()) return spoil(fmt::format("'{}' is no text", name));
    out = value->as_string();
  }
  void read(std::string_view name, OnUndecided& out) {
    std::string text(on_undecided_name(out));
    read(name, text);
    const auto policy = parse_on_undecided(text);
    if (!policy) return spoil(fmt::format("'{}' is no policy: {}", name, text));
    out = *policy;
  }
  void read(std::string_view name, std::map<std::string, std::string>& out) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_object()) return spoil(fmt::format("'{}' is no object", name));
    for (const auto& [key, text] : value->as_object()) {
      if (!text.is_string()) return spoil(fmt::format("'{}' holds something that is no text", name));
      out[std::string(key)] = text.as_string();
    }
  }
  json::array array(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && value->is_array()) return value->as_array();
    spoil(fmt::format("'{}' is no list", name));
    return {};
  }
  json::object object(std::string_view name) {
    const json::value* value = find(name);
    if (value != nullptr && value->is_object()) return value->as_object();
    spoil(fmt::format("'{}' is no object", name));
    return {};
  }
  void spoil(std::string_view why) {
    if (error_.empty()) error_ = fmt::format("the journal's {} cannot be read: {}", what_, why);
  }
  [[nodiscard]] Status status() const {
    if (error_.empty()) return {};
    return fail(Errc::data_loss, error_);
  }

 private:
  std::string what_;
  json::object object_;
  std::string error_;
};

/// Every field of the judge's options under its name; the same list writes and reads.
template <class Judge, class Visit>
void each_field(Judge& judge, const Visit& visit) {
  visit("alpha", judge.alpha);
  visit("beta", judge.beta);
  visit("tolerable_ratio", judge.tolerable.ratio);
  visit("tolerable_absolute", judge.tolerable.absolute);
  visit("healthy_ratio", judge.healthy.ratio);
  visit("healthy_absolute", judge.healthy.absolute);
  visit("dispersion", judge.dispersion);
  visit("min_canary_errors", judge.min_canary_errors);
  visit("planned_buckets", judge.planned_buckets);
  visit("restart_every", judge.restart_every);
}

template <class Plan, class Visit>
void each_plan_field(Plan& plan, const Visit& visit) {
  visit("monitoring_duration_ns", plan.monitoring_duration);
  visit("zero_duration_ns", plan.zero_duration);
  visit("on_undecided", plan.on_undecided);
  visit("on_undecided_early", plan.on_undecided_early);
  visit("max_extensions", plan.max_extensions);
  visit("early_promotion", plan.early_promotion);
  visit("min_stage_ns", plan.min_stage);
  visit("ready_timeout_ns", plan.ready_timeout);
  visit("restore_timeout_ns", plan.restore_timeout);
  visit("apply_timeout_ns", plan.apply_timeout);
  visit("blind_timeout_ns", plan.blind_timeout);
  visit("readiness_grace_ns", plan.readiness_grace);
  visit("all_failed", plan.all_failed);
  visit("keep_old", plan.keep_old);
}

/// Those that journals of earlier versions know nothing of.
template <class Plan, class Visit>
void each_later_plan_field(Plan& plan, const Visit& visit) {
  visit("call_timeout_ns", plan.call_timeout);
  visit("look_every_ns", plan.look_every);
}

template <class Past, class Visit>
void each_past_field(Past& past, const Visit& visit) {
  visit("window_ns", past.window);
  visit("least_ns", past.least);
  visit("ratio", past.tolerable.ratio);
  visit("absolute", past.tolerable.absolute);
  visit("attribution_wait_ns", past.attribution_wait);
}

template <class History, class Visit>
void each_history_field(History& history, const Visit& visit) {
  visit("requests", history.requests);
  visit("errors", history.errors);
  visit("dispersion", history.dispersion);
}

template <class Latency, class Visit>
void each_latency_field(Latency& latency, const Visit& visit) {
  visit("judged", latency.judged);
  visit("tolerable_ns", latency.tolerable);
  visit("warm_up_ns", latency.warm_up);
}

json::object latency_past_object(const judge::LatencyPast& past) {
  json::object out;
  out["cells"] = LatencyHistogram::of_counts(past.counts).value_or(LatencyHistogram()).text();
  out["dispersion"] = json::array(past.dispersion.begin(), past.dispersion.end());
  return out;
}

Result<judge::LatencyPast> latency_past_of(Reader reader) {
  std::string cells;
  reader.read("cells", cells);
  const json::array dispersion = reader.array("dispersion");
  judge::LatencyPast past;
  const std::optional<LatencyHistogram> histogram = LatencyHistogram::parse(cells);
  if (!histogram) reader.spoil(fmt::format("'cells' is no latency histogram of this version: {}", cells));
  if (dispersion.size() != past.dispersion.size()) reader.spoil("'dispersion' has not the right size");
  for (std::size_t i = 0; i < dispersion.size() && i < past.dispersion.size(); ++i) {
    if (!dispersion[i].is_number())
      reader.spoil("'dispersion' holds something that is no number");
    else
      past.dispersion[i] = dispersion[i].to_number<double>();
  }
  SERIN_CHECK(reader.status());
  past.counts = histogram->counts();
  return past;
}

template <class Gate, class Visit>
void each_gate_field(Gate& gate, const Visit& visit) {
  visit("file", gate.file);
  visit("before", gate.before);
  visit("between", gate.between);
  visit("after", gate.after);
  visit("timeout_ns", gate.timeout);
}

struct Writer {
  json::object& out;
  void operator()(const char* name, Duration value) const { out[name] = static_cast<std::int64_t>(value.count()); }
  void operator()(const char* name, OnUndecided value) const {
    out[name] = json::string_view(on_undecided_name(value).data(), on_undecided_name(value).size());
  }
  template <class Value>
  void operator()(const char* name, const Value& value) const {
    out[name] = value;
  }
};

}  // namespace

std::string plan_json(const PlanOptions& plan) {
  json::object out;
  out["stages"] = json::array(plan.stages.begin(), plan.stages.end());
  each_plan_field(plan, Writer{out});
  each_later_plan_field(plan, Writer{out});
  json::object judge;
  each_field(plan.judge, Writer{judge});
  out["judge"] = std::move(judge);
  json::object past;
  each_past_field(plan.past, Writer{past});
  out["past"] = std::move(past);
  if (plan.learned) {
    json::object learned;
    each_history_field(*plan.learned, Writer{learned});
    out["learned"] = std::move(learned);
  }
  json::object latency;
  each_latency_field(plan.latency, Writer{latency});
  out["latency"] = std::move(latency);
  if (plan.learned_latency) out["learned_latency"] = latency_past_object(*plan.learned_latency);
  if (plan.approval.first || !plan.approval.before.empty())
    out["approve"] = json::object{{"first", plan.approval.first},
                                  {"before", json::array(plan.approval.before.begin(), plan.approval.before.end())},
                                  {"timeout_ns", static_cast<std::int64_t>(plan.approval.timeout.count())}};
  // Only when there are any: journals of earlier versions know nothing of them.
  if (!plan.gate.file.empty()) {
    json::object gate;
    each_gate_field(plan.gate, Writer{gate});
    out["checks"] = std::move(gate);
  }
  if (!plan.smoke.file.empty()) {
    json::object smoke;
    each_gate_field(plan.smoke, Writer{smoke});
    out["smoke"] = std::move(smoke);
  }
  return json::serialize(out);
}

Result<PlanOptions> parse_plan_json(std::string_view text) {
  PlanOptions plan;
  Reader reader("plan", text);
  plan.stages.clear();
  for (const json::value& stage : reader.array("stages")) {
    if (!stage.is_number()) return fail(Errc::data_loss, "the journal's plan cannot be read: a stage is no number");
    plan.stages.push_back(stage.to_number<double>());
  }
  each_plan_field(plan, [&](const char* name, auto& value) { reader.read(name, value); });
  each_later_plan_field(plan, [&](const char* name, auto& value) {
    if (reader.has(name)) reader.read(name, value);
  });
  Reader judge("plan", reader.object("judge"));
  SERIN_CHECK(reader.status());
  each_field(plan.judge, [&](const char* name, auto& value) { judge.read(name, value); });
  SERIN_CHECK(judge.status());
  // Journals of earlier versions know nothing of a past.
  if (reader.has("past")) {
    Reader past("plan", reader.object("past"));
    each_past_field(plan.past, [&](const char* name, auto& value) { past.read(name, value); });
    SERIN_CHECK(past.status());
  }
  if (reader.has("learned")) {
    Reader learned("plan", reader.object("learned"));
    plan.learned.emplace();
    each_history_field(*plan.learned, [&](const char* name, auto& value) { learned.read(name, value); });
    SERIN_CHECK(learned.status());
  }
  // A rollout of an earlier version began without a judge of latency, and ends without one.
  plan.latency.judged = false;
  if (reader.has("latency")) {
    Reader latency("plan", reader.object("latency"));
    each_latency_field(plan.latency, [&](const char* name, auto& value) { latency.read(name, value); });
    SERIN_CHECK(latency.status());
  }
  if (reader.has("learned_latency")) {
    SERIN_TRY(plan.learned_latency, latency_past_of(Reader("plan", reader.object("learned_latency"))));
  }
  if (reader.has("approve")) {
    Reader approve("plan", reader.object("approve"));
    approve.read("first", plan.approval.first);
    for (const json::value& percent : approve.array("before")) {
      if (!percent.is_number()) return fail(Errc::data_loss, "the journal's plan cannot be read: approve is no number");
      plan.approval.before.push_back(percent.to_number<double>());
    }
    approve.read("timeout_ns", plan.approval.timeout);
    SERIN_CHECK(approve.status());
  }
  if (reader.has("checks")) {
    Reader gate("plan", reader.object("checks"));
    each_gate_field(plan.gate, [&](const char* name, auto& value) { gate.read(name, value); });
    SERIN_CHECK(gate.status());
  }
  if (reader.has("smoke")) {
    Reader smoke("plan", reader.object("smoke"));
    each_gate_field(plan.smoke, [&](const char* name, auto& value) { smoke.read(name, value); });
    SERIN_CHECK(smoke.status());
  }
  return plan;
}

std::string release_json(const ReleaseSpec& release) {
  json::object out;
  out["name"] = release.name.str();
  out["command"] = json::array(release.command.begin(), release.command.end());
  out["environment"] = text_map(release.environment);
  out["directory"] = release.directory;
  out["labels"] = text_map(release.labels);
  out["replicas"] = release.replicas;
  out["ready_path"] = release.ready_path;
  out["ready_timeout_ns"] = static_cast<std::int64_t>(release.ready_timeout.count());
  out["digest"] = release.digest;
  // Only what there is: journals of earlier versions know nothing of containers.
  if (!release.image.empty()) out["image"] = release.image;
  if (!release.secrets.empty()) out["secrets"] = text_map(release.secrets);
  if (!release.resources.empty()) out["resources"] = text_map(release.resources);
  if (release.min_instances) out["min_instances"] = *release.min_instances;
  if (release.max_instances) out["max_instances"] = *release.max_instances;
  if (!release.tag.empty()) out["tag"] = release.tag;
  return json::serialize(out);
}

Result<ReleaseSpec> parse_release_json(std::string_view text) {
  Reader reader("release", text);
  std::string name;
  reader.read("name", name);
  SERIN_CHECK(reader.status());
  SERIN_TRY(auto checked, ReleaseName::make(name));
  ReleaseSpec release{.name = std::move(checked)};
  for (const json::value& word : reader.array("command")) {
    if (!word.is_string())
      return fail(Errc::data_loss, "the journal's release cannot be read: its command holds no text");
    release.command.emplace_back(word.as_string());
  }
  reader.read("environment", release.environment);
  reader.read("directory", release.directory);
  reader.read("labels", release.labels);
  reader.read("replicas", release.replicas);
  reader.read("ready_path", release.ready_path);
  reader.read("ready_timeout_ns", release.ready_timeout);
  reader.read("digest", release.digest);
  if (reader.has("image")) reader.read("image", release.image);
  if (reader.has("secrets")) reader.read("secrets", release.secrets);
  if (reader.has("resources")) reader.read("resources", release.resources);
  if (reader.has("min_instances")) reader.read("min_instances", release.min_instances.emplace());
  if (reader.has("max_instances")) reader.read("max_instances", release.max_instances.emplace());
  if (reader.has("tag")) reader.read("tag", release.tag);
  SERIN_CHECK(reader.status());
  return release;
}

std::string split_json(const Split& split) {
  json::array out;
  for (const Share& share : split)
    out.push_back(json::object{{"release", share.release.str()}, {"percent", share.percent}});
  return json::serialize(out);
}

Result<Split> parse_split_json(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_array())
    return fail(Errc::data_loss, "the journal's split cannot be read: it is no JSON list");
  Split split;
  for (const json::value& entry : value.as_array()) {
    if (!entry.is_object()) return fail(Errc::data_loss, "the journal's split cannot be read: an entry is no object");
    Reader reader("split", entry.as_object());
    std::string name;
    double percent = 0;
    reader.read("release", name);
    reader.read("percent", percent);
    SERIN_CHECK(reader.status());
    SERIN_TRY(auto release, ReleaseName::make(name));
    split.push_back({std::move(release), percent});
  }
  return split;
}

}  // namespace serin::rollout
