#pragma once
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "detail_inflate.hpp"
#include "detail_parser.hpp"
#include "detail_pool.hpp"
#include "detail_timer.hpp"

namespace serin::http {

/// How a blocking caller gets bodies on its own thread: called on the loop's thread, they only pass things over.
struct Passing {
  /// A piece for the sink; resume() when it has been taken.
  std::function<void(std::shared_ptr<Call>, const HttpResponse& head, std::string piece)> give;
  /// The source is to be asked; supply() with what it said.
  std::function<void(std::shared_ptr<Call>)> ask;
};

/// One request on its way, from the line to the end of the answer. Threads: its loop.
class Call final : public Receiver, public std::enable_shared_from_this<Call> {
 public:
  /// What is known before its first byte is sent, or carried over a redirect.
  struct Start {
    Request request;
    Origin origin;
    Done done;
    std::shared_ptr<Passing> passing;  // with the blocking form's source or sink; shared over redirects
    Trip trip;
    std::optional<Instant> total_until;  // when the clock runs already
  };
  Call(Hub& hub, Start start);
  ~Call() override;
  /// Once. Never tells of the end while it runs.
  static void begin(const std::shared_ptr<Call>& call);

  // For the pool.
  void granted(Lease lease);
  void reopened(Connection& connection);
  void failed(const Error& why);
  [[nodiscard]] Lease& lease() noexcept { return lease_; }
  [[nodiscard]] Hub& hub() noexcept { return hub_; }
  [[nodiscard]] bool may_resend() const noexcept { return may_resend_; }
  std::list<Call*>::iterator place;  // in the line
  std::size_t index = 0;             // in the hub's list

  // For the connection.
  struct Outgoing {
    std::string_view bytes;
    std::string_view rest;
    bool waits = false;  // for the source
  };
  struct Broken {
    const Error& why;
    bool got_some = false;
  };
  [[nodiscard]] Outgoing outgoing();
  void on_sent(std::size_t size);
  void on_arrival();
  void on_complete(std::optional<CloseReason> reason);
  void on_broken(const Broken& broken);
  [[nodiscard]] bool sent_some() const noexcept { return sent_some_; }
  [[nodiscard]] bool is_paused() const noexcept { return paused_; }
  [[nodiscard]] bool has_no_body() const noexcept { return request_.message.method == "HEAD"; }
  [[nodiscard]] std::size_t body_limit() const noexcept;
  /// Whether its own part lets the connection be used again: all was sent, and nobody said "close".
  [[nodiscard]] bool may_keep_connection() const noexcept;
  [[nodiscard]] Error lost(std::string_view why, bool got_some) const;
  Status on_head(HttpResponse head) override;
  Status on_body(std::string_view piece) override;

  // For the blocking caller.
  void resume(const Status& taken);
  void supply(Result<std::string> piece);

 private:
  enum class Where : std::uint8_t { line, reopening, exchange, settling, over };
  void admit();
  void send_now();
  void compose();
  [[nodiscard]] bool refill();
  void set_phase(Duration limit);
  [[nodiscard]] Instant due() const noexcept { return std::min(phase_until_, total_until_); }
  void on_time();
  void watch_hold();
  void end_hold();
  Status deliver(std::string_view piece);
  [[nodiscard]] Result<std::optional<Url>> next_url(const HttpResponse& head) const;
  void follow();
  void settle();
  void finish(Result<Answer> result, bool now);
  [[nodiscard]] Error timed_out() const;

  Hub& hub_;
  Request request_;
  Origin origin_;
  Done done_;
  std::shared_ptr<Passing> passing_;
  Trip trip_;
  Timeouts timeouts_;
  Timer timer_;
  std::optional<std::stop_callback<std::function<void()>>> stop_;
  Pool* pool_ = nullptr;
  Lease lease_;
  Where where_ = Where::line;
  Instant began_{};
  Instant granted_{};
  Instant phase_until_ = Instant::max();
  Instant total_until_ = Instant::max();
  std::optional<Timer> hold_;
  bool hold_told_ = false;

  // Out.
  std::string out_;  // the head and a small body, or a piece from the source
  std::size_t out_at_ = 0;
  std::size_t body_at_ = 0;  // of a large body, which stays where it is
  bool body_apart_ = false;
  bool sent_some_ = false;
  bool source_begun_ = false;
  bool source_ended_ = false;
  bool asking_ = false;
  std::uint64_t source_sent_ = 0;
  bool may_resend_ = false;
  bool says_close_ = false;

  // In.
  HttpResponse response_;
  std::optional<Inflater> inflater_;
  std::optional<Url> next_;  // where a redirect leads
  std::size_t discarded_ = 0;
  std::size_t delivered_ = 0;
  std::string pending_;  // for a sink that is still busy with what it got before
  bool paused_ = false;
};

}  // namespace serin::http
