#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "detail_loop.hpp"
#include "serin/http/options.hpp"

namespace serin::http {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const noexcept;
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
  [[nodiscard]] std::string text() const;
};
/// "127.0.0.1", "::1"; nothing for a name.
[[nodiscard]] std::optional<Address> parse_address(const std::string& text, std::uint16_t port);
/// IPv6 and IPv4 in turn, beginning with what came first (RFC 8305, 4). Pure.
[[nodiscard]] std::vector<Address> interleaved(std::vector<Address> addresses);

/// Names to addresses on two threads of its own, remembered for a while. Any number of lookups of one name at a time
/// are one. Threads: any.
class Names {
 public:
  using Addresses = std::vector<Address>;  // port 0
  using Found = std::move_only_function<void(const Result<Addresses>&)>;
  Names(const SessionOptions& options, const Clock& clock);
  /// Waits for the lookups under way: the system's resolver cannot be stopped. Nobody is told of them.
  ~Names();
  /// Nothing when it must be looked up; `found` is called then, on a thread of this.
  [[nodiscard]] std::optional<Addresses> find(const std::string& host, Found found);

 private:
  struct Entry {
    Addresses addresses;
    Instant until{};
    std::vector<Found> waiting;  // somebody looks it up
  };
  void run(const std::stop_token& stop);
  [[nodiscard]] Result<Addresses> look_up(const std::string& host) const;

  const SessionOptions& options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_
  std::deque<std::string> wanted_;        // guarded by mutex_
  std::size_t resting_ = 0;               // threads that wait for a name; guarded by mutex_
  std::vector<std::jthread> threads_;     // guarded by mutex_
};

}  // namespace serin::http
