#pragma once
#include <fmt/format.h>

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin {

/// Errors: invalid_argument, unless `text` is 1 to 63 of [a-z0-9-], starting with a letter and not ending with '-'
/// (a DNS label: the same name must serve as Cloud Run service, Kubernetes object and HAProxy backend).
[[nodiscard]] Status check_name(std::string_view what, std::string_view text);

/// A name that has been checked; names of different things do not mix.
template <class Tag>
class Name {
 public:
  /// Errors: invalid_argument, naming what it should have been.
  static Result<Name> make(std::string_view text) {
    SERIN_CHECK(check_name(Tag::what, text));
    return Name(std::string(text));
  }
  [[nodiscard]] const std::string& str() const noexcept { return text_; }
  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct ServiceTag {
  static constexpr std::string_view what = "service";
};
struct ReleaseTag {
  static constexpr std::string_view what = "release";
};
using ServiceName = Name<ServiceTag>;
using ReleaseName = Name<ReleaseTag>;

}  // namespace serin

template <class Tag>
struct fmt::formatter<serin::Name<Tag>> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const serin::Name<Tag>& name, Context& context) const {
    return fmt::formatter<std::string_view>::format(name.str(), context);
  }
};
template <class Tag>
struct std::hash<serin::Name<Tag>> {
  std::size_t operator()(const serin::Name<Tag>& name) const noexcept { return std::hash<std::string>()(name.str()); }
};
