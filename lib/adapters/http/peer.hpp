// A server without manners, for tests: what it does with a connection is a script's.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "serin/http/session.hpp"
#include "serin/system/clock.hpp"

namespace serin::http {

constexpr std::string_view ok_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
inline std::string answer_of(std::string_view body, std::string_view more = "", int status = 200) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// One connection, as the script sees it.
class Line {
 public:
  Line(int number, SSL* ssl, int connection) : count(connection), number_(number), ssl_(ssl) {}
  /// A whole request, with a body of Content-Length; empty when the client left.
  std::string request() {
    while (got_.find("\r\n\r\n") == std::string::npos)
      if (!receive()) return {};
    const std::size_t head = got_.find("\r\n\r\n") + 4;
    std::size_t body = 0;
    if (const std::size_t at = got_.find("Content-Length: "); at < head) body = std::stoul(got_.substr(at + 16));
    while (got_.size() < head + body)
      if (!receive()) return {};
    std::string out = got_.substr(0, head + body);
    got_.erase(0, head + body);
    return out;
  }
  /// Whatever comes next; false at the end.
  bool receive() {
    char buffer[16384];
    const auto size = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                      : static_cast<int>(::recv(number_, buffer, sizeof buffer, 0));
    if (size <= 0) return false;
    got_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  void say(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto size = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                        : static_cast<int>(::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (size <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  /// A byte at a time, each in a packet of its own.
  void trickle(std::string_view bytes) const {
    for (const char& byte : bytes) {
      say({&byte, 1});
      std::this_thread::yield();
    }
  }
  /// The connection ends by RST when the script does.
  void reset() const {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(number_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  void until_closed() {
    while (receive()) {
    }
  }
  [[nodiscard]] std::string& got() { return got_; }
  [[nodiscard]] int number() const { return number_; }
  const int count;  // of connections so far, this one included

 private:
  int number_;
  SSL* ssl_;
  std::string got_;
};

/// Counts up, and waits for a number.
class Gate {
 public:
  void pass() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ >= count; });
  }
  [[nodiscard]] int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

class Peer {
 public:
  using Script = std::function<void(Line&)>;
  /// \param tls  a server's context, for a peer that speaks TLS; outlives it
  explicit Peer(Script script, SSL_CTX* tls = nullptr, const char* address = "127.0.0.1", std::uint16_t on = 0)
      : script_(std::move(script)), tls_(tls), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(on);
    inet_pton(AF_INET, address, &where.sin_addr);
    socklen_t size = sizeof where;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&where), size), 0);
    EXPECT_EQ(listen(listener_, 1024), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
    port = ntohs(where.sin_port);
    origin = (tls != nullptr ? "https://" : "http://") + std::string(address) + ":" + std::to_string(port);
    thread_ = std::jthread([this] { accept_all(); });
  }
  ~Peer() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_ = {};
    {
      const std::lock_guard lock(mutex_);
      for (const int one : open_) ::shutdown(one, SHUT_RDWR);
    }
    lines_.clear();
    ::close(listener_);
  }
  Peer(const Peer&) = delete;
  std::string origin;
  std::uint16_t port = 0;
  std::atomic<int> connections = 0;
  std::atomic<int> resumed = 0;  // of TLS

 private:
  void accept_all() {
    while (!ending_) {
      const int number = accept(listener_, nullptr, nullptr);
      if (number < 0) continue;
      const int count = ++connections;
      const std::lock_guard lock(mutex_);
      open_.insert(number);
      lines_.emplace_back([this, number, count] { serve(number, count); });
    }
  }
  void serve(int number, int count) {
    SSL* ssl = nullptr;
    bool good = true;
    if (tls_ != nullptr) {
      ssl = SSL_new(tls_);
      SSL_set_fd(ssl, number);
      good = SSL_accept(ssl) == 1;
      if (good && SSL_session_reused(ssl) == 1) ++resumed;
    }
    if (good) {
      Line line(number, ssl, count);
      script_(line);
    }
    if (ssl != nullptr) SSL_free(ssl);
    ERR_clear_error();
    const std::lock_guard lock(mutex_);
    open_.erase(number);
    ::close(number);
  }

  Script script_;
  SSL_CTX* tls_;
  int listener_;
  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  std::set<int> open_;               // guarded by mutex_
  std::vector<std::jthread> lines_;  // guarded by mutex_ until the end
  std::jthread thread_;
};

/// Answers every request with the same.
inline Peer::Script always(std::string answer = std::string(ok_answer)) {
  return [answer = std::move(answer)](Line& line) {
    while (!line.request().empty()) line.say(answer);
  };
}

/// An answer that comes later.
class Later {
 public:
  [[nodiscard]] Done done() {
    return [this](Result<Answer> result) {
      const std::lock_guard lock(mutex_);
      results_.push_back(std::move(result));
      changed_.notify_all();
    };
  }
  /// The n-th to end.
  [[nodiscard]] Result<Answer> wait(std::size_t count = 1) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return results_.size() >= count; }))
      return fail(Errc::internal, "the test waited 30 s for an answer");
    return results_[count - 1];
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock(mutex_);
    return results_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Result<Answer>> results_;
};

struct Live : testing::Test {
  [[nodiscard]] Deadline soon(Duration wait = 20s) const { return Deadline::after(clock.now(), wait); }
  [[nodiscard]] std::unique_ptr<Session> session(SessionOptions options = {}) const {
    auto made = Session::make(std::move(options), clock);
    EXPECT_TRUE(made) << made.error().text();
    return made ? std::move(*made) : nullptr;
  }
  [[nodiscard]] Request get(const std::string& origin, std::string target = "/") const {
    return {.origin = origin, .message = {.target = std::move(target)}, .deadline = soon()};
  }
  [[nodiscard]] Request post(const std::string& origin, std::string body = "pay") const {
    return {.origin = origin, .message = {.method = "POST", .body = std::move(body)}, .deadline = soon()};
  }
  /// Asks until `good` holds; for what another thread is about to do.
  template <class Condition>
  [[nodiscard]] bool becomes(Condition good) const {
    const Deadline until = soon();
    while (!until.passed(clock.now())) {
      if (good()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  [[nodiscard]] static OriginStats sum(const Session& session) {
    OriginStats out;
    for (const OriginStats& one : session.stats()) {
      out.requests += one.requests;
      out.opened += one.opened;
      out.failed += one.failed;
      out.reused += one.reused;
      out.handshakes += one.handshakes;
      out.resumed += one.resumed;
      out.resends += one.resends;
      out.ambiguous += one.ambiguous;
      out.refused += one.refused;
      out.waiting += one.waiting;
      out.opening += one.opening;
      out.in_use += one.in_use;
      out.leases += one.leases;
      out.idle += one.idle;
      for (std::size_t i = 0; i < close_reasons; ++i) out.closed[i] += one.closed[i];
    }
    return out;
  }
  /// Nothing is held and nobody waits.
  [[nodiscard]] bool is_at_rest(const Session& session) const {
    return becomes([&] {
      const OriginStats now = sum(session);
      return now.leases == 0 && now.in_use == 0 && now.waiting == 0 && now.opening == 0;
    });
  }
  SystemClock clock;
};

}  // namespace serin::http
