#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serin/ports/http.hpp"
#include "serin/ports/platform.hpp"
#include "serin/ports/router.hpp"
#include "serin/ports/traffic.hpp"
#include "serin/sim/outside.hpp"
#include "serin/sim/world.hpp"

namespace serin::sim {

/// How a release behaves once it is started.
struct Behaviour {
  Duration ready_after = 1s;
  std::optional<Duration> crash_after;        ///< of every start
  double error_rate = 0;                      ///< share of requests that end in an error
  Duration errors_after{};                    ///< since its start
  std::optional<std::string> claims_service;  ///< what its /health says
  bool breaks_contract = false;               ///< claims the health contract, and answers only /health as it says
  Duration takes = 20ms;                      ///< the median of its requests; they spread as a lognormal of 0.5
  double stalls = 0;                          ///< share of requests that take ten times as long
  bool deep_fails = false;                    ///< its /health/deep is 503 while it is ready
  std::optional<Duration> not_ready_after;    ///< loses its readiness
};

/// One service with a router, replicas and users, in memory. Requests come at `rate` a second, with a binomial number
/// of errors; counts of a second are complete two seconds later. Threads: one.
class Fleet final : public Router, public Platform, public Traffic, public HttpClient {
 public:
  /// \param world  outlives it
  Fleet(World& world, ServiceName service);
  void behave(const ReleaseName& release, Behaviour behaviour) { behaviours_[release.str()] = std::move(behaviour); }
  void set_rate(double rate) { rate_ = rate; }
  /// From now on every request to anybody takes so much longer.
  void set_slowness(Duration longer) { slowness_ = longer; }
  /// From now on nobody knows how long requests take.
  void hide_latency(bool hidden) { latency_hidden_ = hidden; }
  /// From now on every request to anybody fails with this probability on top.
  void set_outage(double rate) { outage_ = rate; }
  void set_split(Split split) { split_ = std::move(split); }
  /// The router answers, but does not do as it is told.
  void jam(bool jammed) { jammed_ = jammed; }
  [[nodiscard]] const Split& split() const noexcept { return split_; }
  [[nodiscard]] bool is_running(const ReleaseName& release) const { return started_.contains(release.str()); }
  [[nodiscard]] const std::vector<Split>& splits() const noexcept { return history_; }
  [[nodiscard]] std::int64_t user_failures() const noexcept { return failures_; }
  Outside outside;

  Result<Split> read(const ServiceName& service, Deadline deadline) override;
  Status apply(const ServiceName& service, const Split& split, Deadline deadline) override;
  Status start(const ServiceName& service, const ReleaseSpec& release, Deadline deadline) override;
  Status stop(const ServiceName& service, const ReleaseName& release, Deadline deadline) override;
  Result<std::vector<Replica>> replicas(const ServiceName& service, const ReleaseName& release,
                                        Deadline deadline) override;
  Result<TrafficWindow> read(const ServiceName& service, std::int64_t after, Deadline deadline) override;
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline,
                            std::stop_token stop) override;

 private:
  struct Started {
    Instant at;
    int replicas = 1;
  };
  void count_second();
  [[nodiscard]] LatencyHistogram times_of(std::int64_t requests, const Behaviour& behaviour);
  [[nodiscard]] Replica replica(const std::string& release, int index) const;

  World& world_;
  ServiceName service_;
  Split split_;
  std::vector<Split> history_;
  std::map<std::string, Started> started_;
  std::map<std::string, Behaviour> behaviours_;
  std::vector<TrafficSecond> seconds_;
  double rate_ = 100;
  double outage_ = 0;
  Duration slowness_{};
  bool latency_hidden_ = false;
  SeededRandom times_;  // its own, so that nothing else depends on how many are drawn
  bool jammed_ = false;
  std::int64_t failures_ = 0;
};

}  // namespace serin::sim
