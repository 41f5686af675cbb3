#include "serin/system/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace serin {

Environment Environment::of_process() {
  std::map<std::string, std::string> values;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return Environment(std::move(values));
}

std::optional<std::string> Environment::value(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::string Environment::value_or(std::string_view name, std::string otherwise) const {
  return value(name).value_or(std::move(otherwise));
}

Result<std::string> Environment::required(std::string_view name) const {
  const auto found = value(name);
  if (found && !found->empty()) return *found;
  return fail(Errc::not_found, fmt::format("the environment variable {} is not set", name));
}

}  // namespace serin
