// Goal: a gRPC client learns what the source knows, every change of it and nothing else, however many watch.
// Method: a source made for the test, the real server, and gRPC's own client with the stub of the protocol.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "health.grpc.pb.h"
#include "serin/grpc/grpc_health.hpp"
#include "serin/process/process.hpp"
#include "serin/system/clock.hpp"
#include "serin/system/environment.hpp"

namespace serin {
namespace {

namespace proto = ::grpc::health::v1;
using health::HealthReport;
using health::HealthStatus;
using health::Kind;
using Response = proto::HealthCheckResponse;

/// Says what it is told to say.
class Told final : public health::HealthSource {
 public:
  std::optional<HealthReport> report(const health::Selection& selection) const override {
    const std::lock_guard lock(mutex_);
    if (!selection.group.empty() && std::ranges::find(groups_, selection.group) == groups_.end()) return std::nullopt;
    return HealthReport{.status = status_, .kind = selection.kind, .draining = draining_};
  }
  void ask(const health::Selection& selection, Deadline,
           std::function<void(std::optional<HealthReport>)> done) override {
    done(report(selection));
  }
  [[nodiscard]] std::uint64_t version() const noexcept override { return 0; }
  [[nodiscard]] std::vector<std::string> groups() const override {
    const std::lock_guard lock(mutex_);
    return groups_;
  }
  void on_change(std::function<void()> listener) override { listener_ = std::move(listener); }
  void say(HealthStatus status, bool draining = false) {
    change([&] {
      status_ = status;
      draining_ = draining;
    });
  }
  void set_groups(std::vector<std::string> groups) {
    change([&] { groups_ = std::move(groups); });
  }

 private:
  void change(const std::function<void()>& how) {
    {
      const std::lock_guard lock(mutex_);
      how();
    }
    if (listener_) listener_();
  }
  mutable std::mutex mutex_;
  HealthStatus status_ = HealthStatus::up;
  bool draining_ = false;
  std::vector<std::string> groups_{"data"};
  std::function<void()> listener_;
};

struct GrpcHealth : testing::Test {
  Told source;
  std::unique_ptr<GrpcHealthServer> server = std::move(*GrpcHealthServer::start({}, source));
  std::string address = "127.0.0.1:" + std::to_string(server->port());
  std::unique_ptr<proto::Health::Stub> stub =
      proto::Health::NewStub(::grpc::CreateChannel(address, ::grpc::InsecureChannelCredentials()));
  SystemClock clock;

  /// The status as text, or the code of the call.
  std::string check(const std::string& service) {
    ::grpc::ClientContext context;
    proto::HealthCheckRequest request;
    request.set_service(service);
    Response response;
    const ::grpc::Status status = stub->Check(&context, request, &response);
    if (!status.ok()) return "code " + std::to_string(status.error_code());
    return Response::ServingStatus_Name(response.status());
  }
};

TEST_F(GrpcHealth, check_translates_every_status) {
  EXPECT_EQ(check(""), "SERVING");
  const std::vector<std::pair<HealthStatus, std::string>> all{{HealthStatus::degraded, "SERVING"},
                                                              {HealthStatus::unknown, "UNKNOWN"},
                                                              {HealthStatus::out_of_service, "NOT_SERVING"},
                                                              {HealthStatus::down, "NOT_SERVING"}};
  for (const auto& [status, text] : all) {
    source.say(status);
    for (const char* service : {"", "liveness", "readiness", "startup", "data"}) EXPECT_EQ(check(service), text);
  }
}

TEST_F(GrpcHealth, draining_takes_traffic_away_and_leaves_liveness_alone) {
  source.say(HealthStatus::up, true);
  for (const char* service : {"", "readiness", "data"}) EXPECT_EQ(check(service), "NOT_SERVING") << service;
  for (const char* service : {"liveness", "startup"}) EXPECT_EQ(check(service), "SERVING") << service;
}

TEST_F(GrpcHealth, an_unknown_service_is_not_found_and_a_name_that_is_too_long_is_refused) {
  EXPECT_EQ(check("nobody"), "code 5");
  EXPECT_EQ(check(std::string(200, 'x')), "code 5");
  EXPECT_EQ(check(std::string(201, 'x')), "code 3");
  ::grpc::ClientContext context;
  proto::HealthCheckRequest request;
  request.set_service(std::string(201, 'x'));
  const auto stream = stub->Watch(&context, request);
  Response response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), ::grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcHealth, list_tells_all_services_and_more_than_a_hundred_are_too_many) {
  const auto list = [this](proto::HealthListResponse& response) {
    ::grpc::ClientContext context;
    return stub->List(&context, {}, &response);
  };
  proto::HealthListResponse response;
  ASSERT_TRUE(list(response).ok());
  EXPECT_EQ(response.statuses().size(), 5u);
  EXPECT_EQ(response.statuses().at("data").status(), Response::SERVING);
  std::vector<std::string> groups;
  for (int i = 0; i < 96; ++i) groups.push_back("g" + std::to_string(i));
  source.set_groups(groups);
  EXPECT_TRUE(list(response).ok());
  groups.push_back("one more");
  source.set_groups(groups);
  EXPECT_EQ(list(response).error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcHealth, watch_tells_at_once_and_then_only_what_changes) {
  ::grpc::ClientContext context;
  proto::HealthCheckRequest request;
  const auto stream = stub->Watch(&context, request);
  Response response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), Response::SERVING);
  source.say(HealthStatus::degraded);  // still SERVING: no message
  source.say(HealthStatus::down);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), Response::NOT_SERVING);
  source.say(HealthStatus::up);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), Response::SERVING);
  context.TryCancel();
  while (stream->Read(&response)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), ::grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcHealth, watch_of_an_unknown_service_stays_until_there_is_one) {
  ::grpc::ClientContext context;
  proto::HealthCheckRequest request;
  request.set_service("later");
  const auto stream = stub->Watch(&context, request);
  Response response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), Response::SERVICE_UNKNOWN);
  source.set_groups({"later"});
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), Response::SERVING);
  context.TryCancel();
  static_cast<void>(stream->Finish());
}

TEST_F(GrpcHealth, shut_down_is_for_good_and_the_end_of_the_server_ends_the_streams) {
  ::grpc::ClientContext context;
  const auto stream = stub->Watch(&context, {});
  Response response;
  ASSERT_TRUE(stream->Read(&response));
  server->shut_down();
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), Response::NOT_SERVING);
  source.say(HealthStatus::down);
  source.say(HealthStatus::up);
  for (const char* service : {"", "liveness", "data"}) EXPECT_EQ(check(service), "NOT_SERVING");
  server.reset();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_FALSE(stream->Finish().ok());
  source.say(HealthStatus::down);  // nobody is there to be told
}

TEST_F(GrpcHealth, options_and_taken_addresses_are_refused) {
  EXPECT_EQ(GrpcHealthServer::start({.max_watchers = 0}, source).error().code(), Errc::invalid_argument);
  EXPECT_EQ(GrpcHealthServer::start({.port = server->port()}, source).error().code(), Errc::unavailable);
}

/// Counts what a crowd of watchers heard.
struct Crowd {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t serving = 0;
  std::size_t not_serving = 0;
  std::size_t ended = 0;
  bool wait(const std::size_t& which, std::size_t many) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return which >= many; });
  }
};

class Listener final : public ::grpc::ClientReadReactor<Response> {
 public:
  Listener(proto::Health::Stub& stub, Crowd& crowd) : crowd_(crowd) {
    stub.async()->Watch(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      const std::lock_guard lock(crowd_.mutex);
      ++(response_.status() == Response::SERVING ? crowd_.serving : crowd_.not_serving);
      crowd_.changed.notify_all();
    }
    StartRead(&response_);
  }
  void OnDone(const ::grpc::Status&) override {
    const std::lock_guard lock(crowd_.mutex);
    ++crowd_.ended;
    crowd_.changed.notify_all();
  }
  void cancel() { context_.TryCancel(); }

 private:
  Crowd& crowd_;
  ::grpc::ClientContext context_;
  proto::HealthCheckRequest request_;
  Response response_;
};

TEST_F(GrpcHealth, a_thousand_watchers_hear_of_a_change) {
  constexpr std::size_t many = 1000;
  Crowd crowd;
  std::vector<std::unique_ptr<Listener>> listeners;
  for (std::size_t i = 0; i < many; ++i) listeners.push_back(std::make_unique<Listener>(*stub, crowd));
  ASSERT_TRUE(crowd.wait(crowd.serving, many)) << crowd.serving;
  EXPECT_EQ(server->watchers(), many);
  const Instant began = clock.now();
  source.say(HealthStatus::down);
  ASSERT_TRUE(crowd.wait(crowd.not_serving, many)) << crowd.not_serving;
  const double took = seconds_of(clock.now() - began);
  RecordProperty("milliseconds", std::to_string(took * 1000));
  // Ten times what a quiet machine needs: a machine under load or a sanitizer must not fail it.
  EXPECT_LT(took, 5.0);
  for (const auto& one : listeners) one->cancel();
  ASSERT_TRUE(crowd.wait(crowd.ended, many));
}

TEST_F(GrpcHealth, the_example_ends_with_0_only_when_it_serves) {
  const std::string programs = Environment::of_process().value_or("SERIN_BIN_DIR", "");
  ASSERT_FALSE(programs.empty()) << "run it through ctest, or set SERIN_BIN_DIR";
  const auto probe = [&](const std::string& service) {
    const auto started = spawn({.command = {programs + "/grpc_health", address, service}});
    EXPECT_TRUE(started);
    std::optional<ProcessEnd> end;
    const Deadline deadline = Deadline::after(clock.now(), 20s);
    while (!(end = poll_end(*started)) && !deadline.passed(clock.now())) {
    }
    return end && end->code ? *end->code : -1;
  };
  EXPECT_EQ(probe(""), 0);
  EXPECT_EQ(probe("nobody"), 3);
  source.say(HealthStatus::down);
  EXPECT_EQ(probe("readiness"), 4);
  server.reset();
  EXPECT_EQ(probe(""), 2);
}

}  // namespace
}  // namespace serin
