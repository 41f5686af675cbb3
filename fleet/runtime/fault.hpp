#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/log.hpp"

namespace serin::fleet {

/// What a drill makes a service do wrong: FLEET_FAULT, a comma list such as "error=0.05,latency=+50ms".
struct FaultSpec {
  double error = 0;                      ///< error=0.05: share of requests answered 500
  Duration latency{};                    ///< latency=+50ms: added to every request
  double stall_share = 0;                ///< stall=0.02:500ms: share of requests ...
  Duration stall{};                      ///< ... that wait this long
  std::optional<Duration> exit_after;    ///< exit_after=30s: the process dies then
  bool refuse_start = false;             ///< refuse_start: exits at once
  bool hang_ready = false;               ///< hang_ready: a critical check never ends
  std::int64_t leak_per_second = 0;      ///< leak=1MB/s: bytes
  std::optional<Duration> errors_after;  ///< errors_after=20s:0.2: from then on ...
  double errors_after_share = 0;         ///< ... this share of requests is answered 500
  std::vector<std::string> routes;       ///< on=/predict, repeatable: only these, health routes too if named
  std::uint64_t seed = 1;                ///< seed=7: which requests are hit

  [[nodiscard]] bool any() const noexcept;
};

/// Errors: invalid_argument, naming the entry and what is known. An empty text is no fault. Pure.
Result<FaultSpec> parse_faults(std::string_view text);

/// What happens to one request.
struct FaultDecision {
  bool fail = false;
  Duration wait{};
};
/// The decision for the number-th request, `uptime` after the start: a function of the seed, so a drill repeats. Pure.
[[nodiscard]] FaultDecision decide(const FaultSpec& spec, std::uint64_t number, Duration uptime) noexcept;
/// Whether a request for `path` can be hit at all: not a health route, unless named by `on=`. Pure.
[[nodiscard]] bool is_affected(const FaultSpec& spec, std::string_view path) noexcept;

/// The service behind its faults. Threads: any.
class FaultyHandler final : public HttpHandler {
 public:
  /// \param inner, sleeper  outlive this
  FaultyHandler(HttpHandler& inner, Sleeper& sleeper, FaultSpec spec)
      : inner_(inner), sleeper_(sleeper), spec_(std::move(spec)), started_(sleeper.now()) {}
  [[nodiscard]] bool is_immediate(const HttpRequest& request) const noexcept override;
  HttpResponse handle(const HttpRequest& request) override;
  bool handle_later(const HttpRequest& request, const std::function<void(HttpResponse)>& respond) override;
  [[nodiscard]] std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override;
  HttpResponse overloaded(const HttpRequest& request) override { return inner_.overloaded(request); }

 private:
  HttpHandler& inner_;
  Sleeper& sleeper_;
  FaultSpec spec_;
  Instant started_;
  std::atomic<std::uint64_t> number_{0};
};

}  // namespace serin::fleet
