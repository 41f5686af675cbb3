#pragma once
#include <list>
#include <memory>
#include <vector>

#include "detail_connection.hpp"
#include "detail_opening.hpp"
#include "detail_shared.hpp"

namespace serin::http {

/// The connections of one origin, and the line of those who wait for one. Threads: its loop.
class Pool {
 public:
  Pool(Hub& hub, Origin origin, std::shared_ptr<Tally> tally);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  [[nodiscard]] Hub& hub() noexcept { return hub_; }
  [[nodiscard]] const Origin& origin() const noexcept { return origin_; }
  [[nodiscard]] const std::optional<Proxy>& proxy() const noexcept { return proxy_; }
  [[nodiscard]] Tally& tally() noexcept { return *tally_; }
  [[nodiscard]] Tickets& tickets() noexcept { return tickets_; }

  /// Gives it a connection now, or puts it into the line. Errors: rejected (the line is full).
  Status admit(Call& call);
  /// It waits no longer: what is being opened for it alone is given up.
  void withdraw(Call& call);
  /// When the connection that a waiting call will get must have been opened; nothing when none is under way for it.
  [[nodiscard]] std::optional<Instant> opening_until(const Call& call) const;
  /// In place of a connection that broke before the answer began. The call keeps its lease.
  void reopen(Call& call);
  void give_up_reopening(Call& call);

  /// The connection's request is over. `reason`: why it cannot carry another one; nothing: it can.
  void returned(Connection& connection, std::optional<CloseReason> reason);
  /// One nobody uses ends.
  void drop_idle(Connection& connection, CloseReason reason);
  void opened(Opening& opening, Result<std::unique_ptr<Connection>> result);
  /// One that was found dead is seldom alone.
  void sweep_idle();
  [[nodiscard]] Connection* oldest_idle() const noexcept { return idle_.empty() ? nullptr : idle_.front(); }
  /// There may be a place among the session's connections again.
  void open_more();
  void warm_up(std::size_t count, std::move_only_function<void(Status)> done);
  [[nodiscard]] bool is_unused() const noexcept {
    return all_.empty() && openings_.empty() && waiting_.empty() && warming_.empty();
  }
  void end();

 private:
  struct Warming {
    std::size_t count = 0;
    std::move_only_function<void(Status)> done;
  };
  [[nodiscard]] Connection* take_idle(const Call& call);
  void grant(Call& call, Connection& connection);
  void grant_front(Connection& connection);
  void keep(Connection& connection);
  void drop(Connection& connection, CloseReason reason, bool keep_place);
  void open(Call* bound);
  [[nodiscard]] bool has_place();
  [[nodiscard]] std::size_t unbound() const noexcept { return openings_.size() - bound_; }
  void check_warming(const Status& status);

  Hub& hub_;
  const Origin origin_;
  const std::optional<Proxy> proxy_;
  std::shared_ptr<Tally> tally_;  // shared with stats()
  Tickets tickets_;
  std::list<Call*> waiting_;
  std::vector<std::unique_ptr<Connection>> all_;
  std::vector<Connection*> idle_;  // the one used last is the last one
  std::vector<std::unique_ptr<Opening>> openings_;
  std::size_t bound_ = 0;  // of them, those that are for one call
  std::vector<Warming> warming_;
  bool ending_ = false;
};

/// A request's hold on a connection. Given back when it goes: the only way there is. Threads: its loop.
class Lease {
 public:
  Lease() = default;
  Lease(Pool& pool, Connection& connection) : pool_(&pool), connection_(&connection) { pool.tally().leases.add(1); }
  Lease(Lease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), connection_(std::exchange(other.connection_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~Lease() { give_back(CloseReason::cancelled); }
  [[nodiscard]] Connection* connection() const noexcept { return connection_; }
  [[nodiscard]] bool is_held() const noexcept { return pool_ != nullptr; }
  /// \param reason  why the connection cannot be used again; nothing: it can
  void give_back(std::optional<CloseReason> reason) {
    Pool* pool = std::exchange(pool_, nullptr);
    if (pool == nullptr) return;
    pool->tally().leases.add(-1);
    if (Connection* connection = std::exchange(connection_, nullptr)) pool->returned(*connection, reason);
  }
  /// The connection is replaced by another one; in between there is none.
  Connection* take_out() { return std::exchange(connection_, nullptr); }
  void put_in(Connection& connection) { connection_ = &connection; }

 private:
  Pool* pool_ = nullptr;
  Connection* connection_ = nullptr;
};

}  // namespace serin::http
