#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace serin {

/// What went wrong, as a closed list. The names (errc_name) are stable: logs, metric labels and JSON carry them.
enum class Errc : std::uint8_t {
  invalid_argument,   ///< data broke a documented rule; never retried
  not_found,          ///< the thing named does not exist; never retried
  conflict,           ///< somebody else was first: exists already, or changed since it was read
  deadline_exceeded,  ///< our clock passed the caller's deadline; the work may still have happened
  unavailable,        ///< the peer refused, reset, or said "later"; retried if idempotent
  rejected,           ///< one of our own limits said no; nothing was sent
  permission_denied,  ///< credentials missing or refused; never retried
  exhausted,          ///< a resource is used up: disk full, no descriptor left
  cancelled,          ///< the caller gave up (Ctrl-C, shutdown)
  data_loss,          ///< stored or received data is damaged
  unsupported,        ///< a documented absence
  internal,           ///< a bug, or an answer that no document allows
};

/// Stable lower-case name, "deadline_exceeded".
[[nodiscard]] std::string_view errc_name(Errc code) noexcept;
/// Whether the same call may succeed later without anybody changing anything.
[[nodiscard]] bool is_transient(Errc code) noexcept;

/// A code to switch on and a sentence to read. Copies share the sentence. Made only by fail(): no other type turns into
/// an Error by accident.
class Error {
 public:
  [[nodiscard]] Errc code() const noexcept { return code_; }
  [[nodiscard]] const std::string& detail() const noexcept;
  /// The same error with `where` in front, outermost first: "load scores: connect 10.0.0.7: refused".
  [[nodiscard]] Error in(std::string_view where) const;
  /// "unavailable: connect 10.0.0.7: refused".
  [[nodiscard]] std::string text() const;

 private:
  friend std::unexpected<Error> fail(Errc code, std::string detail);
  Error(Errc code, std::string detail) : code_(code), detail_(std::make_shared<const std::string>(std::move(detail))) {}
  Errc code_;
  // Shared, because it never changes: a refusal that is made once is handed out many times without an allocation.
  std::shared_ptr<const std::string> detail_;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string detail) {
  return std::unexpected<Error>(Error(code, std::move(detail)));
}
/// Passes an error on: `return pass(result.error())`, with context: `return pass(result.error().in("load scores"))`.
[[nodiscard]] inline std::unexpected<Error> pass(Error error) { return std::unexpected<Error>(std::move(error)); }

/// Prints the sentence and aborts. For bugs only; never on input, network or file content.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace serin

/// Stays on in release: going on after a broken invariant destroys data, stopping does not.
#define SERIN_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::serin::assertion_failed(#condition, __FILE__, __LINE__))

#define SERIN_JOIN_INNER(a, b) a##b
#define SERIN_JOIN(a, b) SERIN_JOIN_INNER(a, b)
/// `SERIN_TRY(auto rows, sql.query(...));` declares `rows`, or returns the error from the enclosing function.
#define SERIN_TRY(declaration, ...)                                                                                 \
  auto SERIN_JOIN(serin_try_, __LINE__) = (__VA_ARGS__);                                                            \
  if (!SERIN_JOIN(serin_try_, __LINE__)) return ::serin::pass(std::move(SERIN_JOIN(serin_try_, __LINE__)).error()); \
  declaration = *std::move(SERIN_JOIN(serin_try_, __LINE__))
/// `SERIN_CHECK(store.save(x));` returns the error from the enclosing function, if there is one.
#define SERIN_CHECK(...)                                                                            \
  if (auto SERIN_JOIN(serin_check_, __LINE__) = (__VA_ARGS__); !SERIN_JOIN(serin_check_, __LINE__)) \
  return ::serin::pass(std::move(SERIN_JOIN(serin_check_, __LINE__)).error())
