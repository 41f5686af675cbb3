#include "serin/smoke/suite.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "serin/base/text.hpp"
#include "serin/config/yaml.hpp"

namespace serin::smoke {
namespace {

using config::YamlMap;

constexpr std::string_view methods[] = {"get", "head", "post", "put", "patch", "delete", "options"};

bool is_pointer(std::string_view text) { return text.empty() || text.starts_with('/'); }

void check_pattern(YamlMap& map, std::string_view key, const std::string& pattern) {
  if (const RE2 compiled(pattern, RE2::Quiet); !compiled.ok())
    map.complain(key, fmt::format("'{}' is no regular expression: {}", pattern, compiled.error()));
}

JsonExpectation json_expectation(const std::string& pointer, const std::string& text) {
  for (const std::string_view relation : {"==", "!=", "<=", ">=", "<", ">", "~"})
    if (text.starts_with(relation) && text.size() > relation.size() && text[relation.size()] == ' ')
      return {.pointer = pointer, .relation = std::string(relation), .value = text.substr(relation.size() + 1)};
  return {.pointer = pointer, .relation = "==", .value = text};
}

Expectation read_expectation(YamlMap& map) {
  Expectation out;
  if (map.has("status")) {
    out.statuses.clear();
    if (map.kind("status") == config::YamlKind::scalar) {
      out.statuses.push_back(static_cast<int>(std::clamp<std::int64_t>(map.integer("status", 200), 0, 1000)));
    } else {
      for (const double status : map.numbers("status", {})) out.statuses.push_back(static_cast<int>(status));
    }
    if (out.statuses.empty() || std::ranges::any_of(out.statuses, [](int s) { return s < 100 || s > 599; }))
      map.complain("status", "status must be 100 to 599, or a list of such");
  }
  for (auto& [name, value] : map.text_map("headers", {})) out.headers.emplace_back(name, value);
  for (auto& [pointer, value] : map.text_map("json", {})) {
    if (!is_pointer(pointer)) map.complain("json", fmt::format("'{}' must begin with '/': a JSON pointer", pointer));
    out.json.push_back(json_expectation(pointer, value));
    if (out.json.back().relation == "~") check_pattern(map, "json", out.json.back().value);
  }
  out.present = map.texts("present", {});
  for (const std::string& pointer : out.present)
    if (!is_pointer(pointer)) map.complain("present", fmt::format("'{}' must begin with '/': a JSON pointer", pointer));
  out.contains = map.text("contains", "");
  out.matches = map.text("matches", "");
  if (!out.matches.empty()) check_pattern(map, "matches", out.matches);
  if (map.has("within")) {
    out.within = map.duration("within", 1s);
    if (*out.within <= 0s) map.complain("within", "within must be above 0");
  }
  map.done();
  return out;
}

/// What a step says; `map` is done() by the caller, which may have keys of its own in it.
Step read_step(YamlMap& map, const std::string& service) {
  Step out{.line = map.position().line};
  out.service = map.text("service", service);
  if (out.service.empty()) map.complain("service", "service is missing: whose address is asked");
  int asked = 0;
  for (const std::string_view method : methods) {
    if (!map.has(method)) continue;
    ++asked;
    out.path = map.required_text(method);
    out.method = std::string(method);
    std::ranges::transform(out.method, out.method.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    if (!out.path.starts_with('/')) map.complain(method, fmt::format("'{}' must begin with '/'", out.path));
  }
  if (asked != 1)
    map.complain("", fmt::format("a request is exactly one of {}, followed by its path", fmt::join(methods, ", ")));
  for (auto& [name, value] : map.text_map("headers", {})) out.headers.emplace_back(name, value);
  out.basic = map.text("basic", "");
  out.body = map.text("body", "");
  if (map.has("json")) {
    if (!out.body.empty()) map.complain("json", "body and json exclude each other");
    out.body = map.text("json", "");
    out.headers.emplace_back("Content-Type", "application/json");
  }
  if (auto expect = map.map("expect")) out.expect = read_expectation(*expect);
  out.capture = map.text_map("capture", {});
  for (const auto& [name, place] : out.capture)
    if (!place.starts_with('/') && !place.starts_with("header:"))
      map.complain("capture", fmt::format("{}: '{}' is neither a JSON pointer nor header:NAME", name, place));
  return out;
}

Patience read_patience(YamlMap& map, Patience out) {
  out.deadline = map.duration("for", out.deadline);
  out.first = map.duration("first", out.first);
  out.most = map.duration("most", out.most);
  out.try_timeout = map.duration("try_timeout", out.try_timeout);
  if (out.deadline < 0s) map.complain("for", "for must not be negative");
  if (out.first < 1ms) map.complain("first", "first must be at least 1ms");
  if (out.most < out.first) map.complain("most", "most must be at least first");
  if (out.try_timeout <= 0s) map.complain("try_timeout", "try_timeout must be above 0");
  map.done();
  return out;
}

Test read_test(YamlMap& map, const Patience& usual) {
  Test out{
      .name = map.required_text("name"), .tags = map.texts("tags", {}), .patience = usual, .line = map.position().line};
  if (auto retry = map.map("retry")) out.patience = read_patience(*retry, usual);
  if (map.has("steps")) {
    const std::string service = map.text("service", "");
    for (YamlMap& step : map.maps("steps")) {
      out.steps.push_back(read_step(step, service));
      step.done();
    }
    if (out.steps.empty()) map.complain("steps", "there is no step");
  } else {
    out.steps.push_back(read_step(map, ""));
  }
  map.done();
  return out;
}

void read_secrets(YamlMap& root, Suite& out) {
  for (auto& [name, map] : root.named_maps("secrets")) {
    SecretSource source{.environment = map.text("environment", ""), .file = map.text("file", "")};
    if (source.environment.empty() == source.file.empty())
      map.complain("", fmt::format("secret {} comes from exactly one of environment and file", name));
    map.done();
    out.secrets[name] = std::move(source);
  }
}

/// Every ${...} of a step must be something: a secret of the file, or captured before it, or given from outside.
void check_secrets(YamlMap& root, const Suite& suite) {
  constexpr std::string_view mark = "${secret:";
  for (const Test& test : suite.tests)
    for (const Step& step : test.steps) {
      std::vector<std::string> texts{step.path, step.body, step.basic};
      for (const auto& [name, value] : step.headers) texts.push_back(value);
      for (const std::string& text : texts)
        for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
          const std::string name = text.substr(at + mark.size(), text.find('}', at) - at - mark.size());
          if (!suite.secrets.contains(name))
            root.complain("tests", fmt::format("test '{}' (line {}) uses the secret {}, which is not under secrets",
                                               test.name, step.line, name));
        }
    }
}

bool wants(const std::vector<std::string>& chosen, const std::string& one) {
  return chosen.empty() || std::ranges::find(chosen, one) != chosen.end();
}

}  // namespace

Result<Suite> parse_suite(std::string_view text, std::string_view file) {
  SERIN_TRY(const std::unique_ptr<config::YamlFile> yaml, config::YamlFile::parse(text, file));
  YamlMap root = yaml->root();
  Suite out{.file = std::string(file)};
  if (root.integer("version", 1) != 1) root.complain("version", "only version 1 is known");
  if (auto environments = root.map("environments"))
    for (const auto& [name, services] : root.named_maps("environments"))
      out.environments[name] = environments->text_map(name, {});
  for (const auto& [name, services] : out.environments)
    for (const auto& [service, origin] : services)
      if (!origin.starts_with("http://") && !origin.starts_with("https://"))
        root.complain("environments",
                      fmt::format("{}.{}: '{}' must begin with http:// or https://", name, service, origin));
  read_secrets(root, out);
  Patience usual;
  if (auto retry = root.map("retry")) usual = read_patience(*retry, usual);
  std::set<std::string> names;
  for (YamlMap& map : root.maps("tests")) {
    out.tests.push_back(read_test(map, usual));
    if (!names.insert(out.tests.back().name).second)
      map.complain("name", fmt::format("there are two tests '{}'", out.tests.back().name));
  }
  if (yaml->mistakes().empty() && out.tests.empty()) root.complain("tests", "there is no test in this file");
  if (yaml->mistakes().empty()) check_secrets(root, out);
  root.done();
  if (!yaml->mistakes().empty())
    return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(yaml->mistakes(), "\n")));
  return out;
}

Result<std::vector<const Test*>> choose(const Suite& suite, const Selection& selection) {
  std::vector<const Test*> out;
  std::set<std::string> services;
  std::set<std::string> tags;
  for (const Test& test : suite.tests) {
    for (const Step& step : test.steps) services.insert(step.service);
    tags.insert(test.tags.begin(), test.tags.end());
    const bool asks = selection.services.empty() || std::ranges::any_of(test.steps, [&](const Step& step) {
                        return wants(selection.services, step.service);
                      });
    const bool tagged = selection.tags.empty() || std::ranges::any_of(test.tags, [&](const std::string& tag) {
                          return wants(selection.tags, tag);
                        });
    if (asks && tagged && wants(selection.names, test.name)) out.push_back(&test);
  }
  if (!out.empty()) return out;
  return fail(Errc::invalid_argument,
              fmt::format("{}: no test is chosen, and no test is no pass; there are {} tests of services {}{}",
                          suite.file, suite.tests.size(), fmt::join(services, ", "),
                          tags.empty() ? "" : fmt::format(", with tags {}", fmt::join(tags, ", "))));
}

}  // namespace serin::smoke
