#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "serin/ports/http.hpp"

namespace serin::http {

/// Unpacks gzip and deflate in pieces. How much may come out is for whoever takes it to say. Threads: one at a time.
class Inflater {
 public:
  using Taker = std::function<Status(std::string_view)>;
  /// For what Content-Encoding says; nothing when that is not, or not alone, gzip or deflate.
  [[nodiscard]] static std::optional<Inflater> of(const HttpHeaders& headers);
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;
  /// Errors: data_loss, and what `take` says: it is not asked again then.
  Status put(std::string_view packed, const Taker& take);
  /// Errors: data_loss, when something is missing. An answer without any body is well.
  [[nodiscard]] Status end() const;

 private:
  struct State;
  explicit Inflater(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace serin::http
