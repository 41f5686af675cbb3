#pragma once
#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "shell.hpp"

// A fleet of one service, as small as a release needs it, and what its commands answer.
namespace serin::story {

inline constexpr const char* one_service = "prediction-coordinator";

/// Its fleet.yaml. \param fault  FLEET_FAULT of the release that it begins with, r1
inline std::string one_service_file(const std::string& name, int replicas = 2, const std::string& fault = "") {
  return fmt::format(R"(fleet: {}
environment: local
state: state
warehouse: sqlite:warehouse.db
bus: sqlite:bus.db
documents: sqlite:documents.db
environment_of_all: {{FLEET_DRILLS: "on"}}
topics: [phase4-complete, prediction-ready]
subscriptions:
  - {{name: coordinator-on-phase4, topic: phase4-complete, push: prediction-coordinator, path: /start}}
  - {{name: coordinator-completions, topic: prediction-ready, push: prediction-coordinator, path: /complete}}
services:
  {}:
    command: ["{}/prediction-coordinator"]
    labels: {{version: 1.0.0, commit: 0a1b2c3}}
    replicas: {}
    environment: {{FLEET_FAULT: "{}"}}
)",
                     name, one_service, bin(), replicas, fault);
}

/// A release file. \param command  as in YAML's list, quoted; empty: the service's own program
inline std::string release_file(const std::string& name, int number, const std::string& fault,
                                std::string command = "") {
  if (command.empty()) command = fmt::format("\"{}/prediction-coordinator\"", bin());
  return fmt::format(
      "name: {}\ncommand: [{}]\nlabels: {{version: 1.{}.0, commit: 4d5e6f7}}\nenvironment: {{FLEET_FAULT: \"{}\"}}\n",
      name, command, number, fault);
}

/// The object that a command printed; an empty one when it is none.
inline boost::json::object object_of(const std::string& text) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  return !error && value.is_object() ? std::move(value.as_object()) : boost::json::object();
}
inline std::string text_at(const boost::json::object& object, const char* key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}
inline std::optional<double> number_at(const boost::json::object& object, const char* key) {
  const boost::json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

}  // namespace serin::story
