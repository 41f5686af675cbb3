#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin {

/// The environment as it was when this was made. A value, so that what uses it can be tested. Threads: any.
class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  [[nodiscard]] static Environment of_process();
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  [[nodiscard]] std::string value_or(std::string_view name, std::string otherwise) const;
  /// Errors: not_found, naming the variable, when it is absent or empty.
  [[nodiscard]] Result<std::string> required(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::string>& all() const noexcept { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace serin
