#include "detail_dns.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace serin::http {
namespace {

constexpr std::size_t most_threads = 2;
constexpr std::size_t most_names = 4096;

}  // namespace

const sockaddr* Address::get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }

std::string Address::text() const {
  std::array<char, NI_MAXHOST> host{};
  if (getnameinfo(get(), size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) return "?";
  return host.data();
}

std::optional<Address> parse_address(const std::string& text, std::uint16_t port) {
  Address address;
  sockaddr_in four{};
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&address.storage, &four, sizeof four);
    address.size = sizeof four;
    return address;
  }
  sockaddr_in6 six{};
  if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) != 1) return {};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  std::memcpy(&address.storage, &six, sizeof six);
  address.size = sizeof six;
  return address;
}

std::vector<Address> interleaved(std::vector<Address> addresses) {
  std::vector<Address> first;
  std::vector<Address> second;
  for (const Address& one : addresses) (one.family() == addresses.front().family() ? first : second).push_back(one);
  std::vector<Address> out;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < second.size()) out.push_back(second[i]);
  }
  return out;
}

Names::Names(const SessionOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

Names::~Names() {
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
    wanted_.clear();
  }
  for (std::jthread& one : threads) one.request_stop();
}

std::optional<Names::Addresses> Names::find(const std::string& host, Found found) {
  const Instant now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto [entry, added] = entries_.try_emplace(host);
  const bool under_way = !entry->second.waiting.empty();
  if (!added && !under_way && now < entry->second.until) return entry->second.addresses;
  entry->second.waiting.push_back(std::move(found));
  if (under_way) return {};
  wanted_.push_back(host);
  if (resting_ < wanted_.size() && threads_.size() < most_threads) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  changed_.notify_one();
  // Names that nobody asks for any more are forgotten, some at a time.
  if (entries_.size() > most_names)
    std::erase_if(entries_, [now](const auto& one) { return one.second.waiting.empty() && one.second.until <= now; });
  return {};
}

void Names::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++resting_;
    changed_.wait(lock, stop, [this] { return !wanted_.empty(); });
    --resting_;
    if (stop.stop_requested()) return;
    const std::string host = std::move(wanted_.front());
    wanted_.pop_front();
    lock.unlock();
    const Result<Addresses> result = look_up(host);
    const Instant until = Deadline::after(clock_.now(), options_.dns_ttl).at();
    lock.lock();
    if (stop.stop_requested()) return;
    Entry& entry = entries_[host];
    std::vector<Found> waiting = std::exchange(entry.waiting, {});
    // That a name is not known is not remembered: it may be the network.
    if (result) {
      entry.addresses = *result;
      entry.until = until;
    } else {
      entries_.erase(host);
    }
    lock.unlock();
    for (Found& one : waiting) one(result);
    waiting.clear();
    lock.lock();
  }
}

Result<Names::Addresses> Names::look_up(const std::string& host) const {
  Addresses addresses;
  if (options_.resolve) {
    SERIN_TRY(const auto texts, options_.resolve(host));
    for (const std::string& text : texts)
      if (auto address = parse_address(text, 0)) addresses.push_back(*address);
    if (addresses.empty()) return fail(Errc::unavailable, "no address");
    return interleaved(std::move(addresses));
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0)
    return fail(Errc::unavailable, error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error));
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    Address address;
    if (one->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(list);
  if (addresses.empty()) return fail(Errc::unavailable, "no address");
  return interleaved(std::move(addresses));
}

}  // namespace serin::http
