#include "serin/retry/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace serin::retry {
namespace {

/// Uniform in (0, 1]: a wait of exactly nothing would be no wait.
double unit(std::uint64_t random) { return static_cast<double>((random >> 11) + 1) * 0x1.0p-53; }

Duration between(Duration low, Duration high, std::uint64_t random) {
  if (high <= low) return low;
  const double span = static_cast<double>((high - low).count());
  return std::min(high, low + Duration(static_cast<Duration::rep>(span * unit(random))));
}

Duration times(Duration duration, double factor, Duration most) {
  const double count = static_cast<double>(duration.count()) * factor;
  return count >= static_cast<double>(most.count()) ? most : Duration(static_cast<Duration::rep>(count));
}

}  // namespace

std::string_view jitter_name(Jitter jitter) noexcept {
  switch (jitter) {
    case Jitter::full: return "full";
    case Jitter::none: return "none";
    case Jitter::equal: return "equal";
    case Jitter::decorrelated: return "decorrelated";
    case Jitter::decorrelated_aws_blog: return "decorrelated_aws_blog";
    case Jitter::plus_minus: return "plus_minus";
  }
  return "full";
}

Result<Backoff> Backoff::make(const BackoffOptions& options) {
  SERIN_CHECK(wrongs(options).status(""));
  return Backoff(options);
}

Duration Backoff::ceiling(int failures) const {
  const double n = std::max(1, failures);
  switch (options_.shape) {
    case Shape::constant: return options_.first;
    case Shape::linear: return times(options_.first, n, options_.most);
    case Shape::exponential: return times(options_.first, std::pow(options_.factor, n - 1), options_.most);
    case Shape::sequence: {
      const std::span<const Duration> ceilings = options_.sequence.list();
      return std::min(ceilings[std::min(ceilings.size(), static_cast<std::size_t>(n)) - 1], options_.most);
    }
    case Shape::function: return std::clamp(options_.function(failures), Duration::zero(), options_.most);
  }
  return options_.most;
}

Duration Backoff::wait(int failures, std::uint64_t random, Duration previous) const {
  const Duration top = ceiling(failures);
  const Duration before = std::max(previous, options_.first);
  const Duration thrice = before > options_.most / 3 ? options_.most : 3 * before;
  switch (options_.jitter) {
    case Jitter::none: return top;
    case Jitter::full: return between(0s, top, random);
    case Jitter::equal: return between(top / 2, top, random);
    case Jitter::decorrelated: return between(options_.first, thrice, random);
    case Jitter::decorrelated_aws_blog:
      return std::min(options_.most,
                      between(options_.first, before > Duration::max() / 3 ? Duration::max() : 3 * before, random));
    case Jitter::plus_minus:
      return between(times(top, 1 - options_.plus_minus, top), times(top, 1 + options_.plus_minus, options_.most),
                     random);
  }
  return top;
}

Duration Backoff::mean_wait(int failures) const {
  // Of those without memory exactly; of the decorrelated ones by following a chain of middle draws.
  constexpr std::uint64_t middle = std::uint64_t{1} << 63;
  Duration previous{};
  for (int n = 1; n <= failures; ++n) previous = wait(n, middle, previous);
  return previous;
}

}  // namespace serin::retry
