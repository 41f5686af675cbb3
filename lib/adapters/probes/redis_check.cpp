#include "serin/probes/redis_check.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <memory>
#include <mutex>

#include "detail_socket.hpp"
#include "serin/base/text.hpp"

namespace serin::probes {
namespace {

using health::CheckAnswer;

constexpr std::size_t reply_limit = 1u << 20;

std::string command(std::initializer_list<std::string_view> words) {
  std::string bytes = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) bytes += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return bytes;
}

/// A connection to Redis that is kept from run to run.
class Connection {
 public:
  Connection(RedisOptions options, const Clock& clock)
      : options_(std::move(options)), peer_{.host = options_.host, .port = options_.port}, clock_(clock) {}

  CheckAnswer run(const health::CheckContext& context) {
    const Wait wait(context, clock_);
    const std::lock_guard lock(mutex_);
    const bool was_kept = socket_.is_open();
    Status done = ask(wait);
    // Redis closes what was idle for too long: that says nothing about Redis, a new connection does.
    if (!done && was_kept && !socket_.is_open() && done.error().code() == Errc::unavailable) done = ask(wait);
    std::vector<LogField> details{{"peer", peer_.text()}};
    if (!done) return answer_of(done.error(), std::move(details));
    return CheckAnswer::pass(std::move(details));
  }

 private:
  Status ask(const Wait& wait) {
    const Status done = converse(wait);
    // What is half read or half sent cannot be used again.
    if (!done) socket_ = Descriptor();
    return done;
  }

  Status converse(const Wait& wait) {
    if (!socket_.is_open()) {
      SERIN_TRY(socket_, dial(peer_, wait));
      buffer_.clear();
      if (!options_.password.empty()) SERIN_CHECK(log_in(wait));
    }
    SERIN_TRY(const RedisReply pong, exchange(command({"PING"}), wait));
    if (pong.kind == '-') return refused("PING", pong);
    if (pong.text != "PONG") return fail(Errc::data_loss, "PING is not answered with PONG");
    if (!options_.cluster) return {};
    SERIN_TRY(const RedisReply info, exchange(command({"CLUSTER", "INFO"}), wait));
    if (info.kind == '-') return refused("CLUSTER INFO", info);
    for (const std::string_view line : split(info.text, '\n'))
      if (trim(line) == "cluster_state:ok") return {};
    return fail(Errc::unavailable, "cluster_state is not ok");
  }

  Status log_in(const Wait& wait) {
    SERIN_TRY(const RedisReply reply,
              exchange(options_.user.empty() ? command({"AUTH", options_.password})
                                             : command({"AUTH", options_.user, options_.password}),
                       wait));
    if (reply.kind == '-') return fail(Errc::permission_denied, "AUTH is refused");
    return {};
  }

  /// Only the first word: what follows is Redis' own text and may quote what was sent.
  static Status refused(std::string_view what, const RedisReply& reply) {
    const std::string word = reply.text.substr(0, reply.text.find(' '));
    const bool is_auth = word == "NOAUTH" || word == "NOPERM" || word == "WRONGPASS";
    return fail(is_auth ? Errc::permission_denied : Errc::rejected, fmt::format("{} is answered {}", what, word));
  }

  Result<RedisReply> exchange(const std::string& bytes, const Wait& wait) {
    SERIN_CHECK(send_all(socket_, bytes, wait));
    for (;;) {
      SERIN_TRY(std::optional<RedisReply> reply, parse_redis_reply(buffer_));
      if (reply) {
        buffer_.erase(0, reply->size);
        return *std::move(reply);
      }
      SERIN_CHECK(receive_some(socket_, buffer_, wait));
    }
  }

  const RedisOptions options_;
  const Peer peer_;
  const Clock& clock_;
  std::mutex mutex_;
  Descriptor socket_;   // guarded by mutex_
  std::string buffer_;  // guarded by mutex_
};

}  // namespace

Result<std::optional<RedisReply>> parse_redis_reply(std::string_view bytes) {
  if (bytes.empty()) return std::optional<RedisReply>();
  if (std::string_view("+-:$").find(bytes.front()) == std::string_view::npos)
    return fail(Errc::data_loss, "the peer does not speak Redis' protocol");
  const std::size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() > reply_limit) return fail(Errc::data_loss, "Redis' answer is too long");
    return std::optional<RedisReply>();
  }
  const std::string_view line = bytes.substr(1, end - 1);
  if (bytes.front() != '$')
    return std::optional(RedisReply{.kind = bytes.front(), .text = std::string(line), .size = end + 2});
  const auto length = to_int(line);
  if (!length || *length < -1 || *length > static_cast<std::int64_t>(reply_limit))
    return fail(Errc::data_loss, "Redis' answer has no length that makes sense");
  if (*length == -1) return std::optional(RedisReply{.kind = '$', .size = end + 2});
  const auto size = static_cast<std::size_t>(*length);
  if (bytes.size() < end + 2 + size + 2) return std::optional<RedisReply>();
  return std::optional(
      RedisReply{.kind = '$', .text = std::string(bytes.substr(end + 2, size)), .size = end + 2 + size + 2});
}

Result<health::CheckFunction> redis_check(RedisOptions options, const Clock& clock) {
  SERIN_CHECK(check_peer({.host = options.host, .port = options.port}));
  if (!options.user.empty() && options.password.empty()) return fail(Errc::invalid_argument, "user without a password");
  // Shared by the copies of the function: they are one check with one connection.
  auto connection = std::make_shared<Connection>(std::move(options), clock);
  return [connection](const health::CheckContext& context) { return connection->run(context); };
}

}  // namespace serin::probes
