#include "serin/retry/budget.hpp"

#include <algorithm>
#include <cmath>

namespace serin::retry {
namespace {

constexpr double millionths = 1e6;

/// Adds up to a limit, exactly, whoever else adds or takes at the same time.
void add_up_to(std::atomic<std::int64_t>& tokens, std::int64_t add, std::int64_t most) noexcept {
  std::int64_t now = tokens.load(std::memory_order_relaxed);
  while (now < most && !tokens.compare_exchange_weak(now, std::min(most, now + add), std::memory_order_relaxed)) {
  }
}

bool take(std::atomic<std::int64_t>& tokens, std::int64_t cost) noexcept {
  std::int64_t now = tokens.load(std::memory_order_relaxed);
  while (now >= cost)
    if (tokens.compare_exchange_weak(now, now - cost, std::memory_order_relaxed)) return true;
  return false;
}

}  // namespace

Status TokenBudget::check(const TokenBudgetOptions& options) { return wrongs(options).status("budget."); }

TokenBudget::TokenBudget(TokenBudgetOptions options)
    : Budget(Hears::begins, std::llround(options.most * millionths), std::llround(options.most * millionths)),
      deposit_(std::llround(options.ratio * millionths)) {
  SERIN_ASSERT(check(options).has_value());
}

void TokenBudget::call_began() noexcept { add_up_to(tokens_, deposit_, most_); }
bool TokenBudget::try_retry(bool) noexcept { return take(tokens_, static_cast<std::int64_t>(millionths)); }
double TokenBudget::left() const noexcept {
  return static_cast<double>(tokens_.load(std::memory_order_relaxed)) / static_cast<double>(most_);
}

Status InFlightBudget::check(const InFlightBudgetOptions& options) { return wrongs(options).status("budget."); }

// It has no tokens: never full, so that it hears of every call.
InFlightBudget::InFlightBudget(InFlightBudgetOptions options) : Budget(Hears::both, 0, 1), options_(options) {
  SERIN_ASSERT(check(options).has_value());
}

std::int64_t InFlightBudget::limit() const noexcept {
  const auto share =
      static_cast<std::int64_t>(options_.ratio * static_cast<double>(calls_.load(std::memory_order_relaxed)));
  return std::max(options_.min_retries, share);
}

bool InFlightBudget::try_retry(bool) noexcept {
  std::int64_t now = retries_.load(std::memory_order_relaxed);
  while (now < limit())
    if (retries_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return true;
  return false;
}

double InFlightBudget::left() const noexcept {
  const auto most = static_cast<double>(std::max<std::int64_t>(1, limit()));
  return std::max(0.0, 1 - static_cast<double>(retries_.load(std::memory_order_relaxed)) / most);
}

Status Quota::check(const QuotaOptions& options) { return wrongs(options).status("budget."); }

Quota::Quota(QuotaOptions options) : Budget(Hears::ends, options.most, options.most), options_(options) {
  SERIN_ASSERT(check(options).has_value());
}

bool Quota::try_retry(bool after_timeout) noexcept {
  return take(tokens_, after_timeout ? options_.cost_of_timeout : options_.cost);
}
void Quota::on_retry_end(bool succeeded) noexcept {
  if (succeeded) put(options_.cost);
}
void Quota::call_ended(bool succeeded_at_once) noexcept {
  if (succeeded_at_once) put(1);
}
void Quota::put(std::int64_t tokens) noexcept { add_up_to(tokens_, tokens, options_.most); }
double Quota::left() const noexcept {
  return static_cast<double>(tokens_.load(std::memory_order_relaxed)) / static_cast<double>(options_.most);
}

}  // namespace serin::retry
