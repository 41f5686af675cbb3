#include "serin/grpc/grpc_health.hpp"

#include <fmt/format.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "health.grpc.pb.h"

namespace serin {
namespace {

namespace proto = ::grpc::health::v1;
using health::HealthReport;
using health::HealthStatus;
using health::Kind;
using Serving = proto::HealthCheckResponse::ServingStatus;

constexpr std::size_t longest_name = 200;
constexpr std::size_t longest_list = 100;

Serving serving_of(const HealthReport& report) {
  const bool asks_for_traffic = report.kind != Kind::liveness && report.kind != Kind::startup;
  if (report.draining && asks_for_traffic) return proto::HealthCheckResponse::NOT_SERVING;
  switch (report.status) {
    case HealthStatus::up:
    case HealthStatus::degraded: return proto::HealthCheckResponse::SERVING;
    case HealthStatus::unknown: return proto::HealthCheckResponse::UNKNOWN;
    case HealthStatus::out_of_service:
    case HealthStatus::down: break;
  }
  return proto::HealthCheckResponse::NOT_SERVING;
}

health::Selection selection_of(const std::string& service) {
  if (service.empty() || service == "readiness") return {.kind = Kind::readiness};
  if (service == "liveness") return {.kind = Kind::liveness};
  if (service == "startup") return {.kind = Kind::startup};
  return {.kind = Kind::deep, .group = service};
}

class Watcher;

/// What the streams share. Shared because a stream may end after the server was told to.
class Core {
 public:
  Core(health::HealthSource& source, std::size_t max_watchers) : source_(source), max_watchers_(max_watchers) {}

  /// Nothing: there is no such service.
  [[nodiscard]] std::optional<Serving> status(const std::string& service) const {
    const std::optional<HealthReport> report = source_.report(selection_of(service));
    if (!report) return std::nullopt;
    return is_down_ ? proto::HealthCheckResponse::NOT_SERVING : serving_of(*report);
  }
  [[nodiscard]] std::vector<std::string> services() const {
    std::vector<std::string> names{"", "liveness", "readiness", "startup"};
    for (std::string& group : source_.groups()) names.push_back(std::move(group));
    return names;
  }
  bool add(const std::shared_ptr<Watcher>& watcher) {
    const std::lock_guard lock(mutex_);
    if (is_stopped_ || watchers_.size() >= max_watchers_) return false;
    watchers_.emplace(watcher.get(), watcher);
    return true;
  }
  void forget(const Watcher* watcher) {
    const std::lock_guard lock(mutex_);
    watchers_.erase(watcher);
  }
  [[nodiscard]] std::size_t watchers() const {
    const std::lock_guard lock(mutex_);
    return watchers_.size();
  }
  void tell_all();
  void shut_down() {
    is_down_ = true;
    tell_all();
  }
  void stop();

 private:
  [[nodiscard]] std::vector<std::shared_ptr<Watcher>> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Watcher>> found;
    found.reserve(watchers_.size());
    for (const auto& [key, watcher] : watchers_) found.push_back(watcher);
    return found;
  }

  health::HealthSource& source_;
  const std::size_t max_watchers_;
  std::atomic<bool> is_down_ = false;
  mutable std::mutex mutex_;
  bool is_stopped_ = false;                                                // guarded by mutex_
  std::unordered_map<const Watcher*, std::shared_ptr<Watcher>> watchers_;  // guarded by mutex_
};

/// One stream. At most one message is on its way; what changes meanwhile is one message afterwards, the newest.
class Watcher final : public ::grpc::ServerWriteReactor<proto::HealthCheckResponse> {
 public:
  Watcher(std::shared_ptr<Core> core, std::string service) : core_(std::move(core)), service_(std::move(service)) {}

  /// gRPC keeps a pointer until OnDone: until then it holds itself.
  static Watcher* begin(const std::shared_ptr<Core>& core, std::string service) {
    const auto watcher = std::make_shared<Watcher>(core, std::move(service));
    watcher->self_ = watcher;
    // Listed before it looks: a change between the two is told twice rather than not at all.
    if (core->add(watcher)) {
      watcher->refresh();
    } else {
      watcher->end({::grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watchers"});
    }
    return watcher.get();
  }
  static Watcher* refuse(const std::shared_ptr<Core>& core, const ::grpc::Status& why) {
    const auto watcher = std::make_shared<Watcher>(core, "");
    watcher->self_ = watcher;
    watcher->end(why);
    return watcher.get();
  }
  void refresh() {
    const std::lock_guard lock(mutex_);
    // Read under the lock, so that the one who looked last also says it last.
    wanted_ = core_->status(service_).value_or(proto::HealthCheckResponse::SERVICE_UNKNOWN);
    write();
  }
  void end(const ::grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = status;
    if (!is_writing_) Finish(*ending_);
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    is_writing_ = false;
    if (!ok && !ending_) ending_ = ::grpc::Status(::grpc::StatusCode::CANCELLED, "the watcher went away");
    if (ending_) {
      Finish(*ending_);
    } else {
      write();
    }
  }
  void OnCancel() override { end({::grpc::StatusCode::CANCELLED, "the watcher went away"}); }
  void OnDone() override {
    core_->forget(this);
    const std::shared_ptr<Watcher> last = std::move(self_);
  }

 private:
  void write() {
    if (is_writing_ || ending_ || sent_ == wanted_) return;
    is_writing_ = true;
    sent_ = wanted_;
    message_.set_status(wanted_);
    StartWrite(&message_);
  }

  const std::shared_ptr<Core> core_;
  const std::string service_;
  std::shared_ptr<Watcher> self_;
  std::mutex mutex_;
  Serving wanted_ = proto::HealthCheckResponse::UNKNOWN;  // guarded by mutex_, as all below
  std::optional<Serving> sent_;
  std::optional<::grpc::Status> ending_;
  bool is_writing_ = false;
  proto::HealthCheckResponse message_;
};

void Core::tell_all() {
  for (const std::shared_ptr<Watcher>& watcher : all()) watcher->refresh();
}
void Core::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  for (const std::shared_ptr<Watcher>& watcher : all())
    watcher->end({::grpc::StatusCode::UNAVAILABLE, "the server is ending"});
}

::grpc::Status check_name(const std::string& service) {
  if (service.size() <= longest_name) return ::grpc::Status::OK;
  return {::grpc::StatusCode::INVALID_ARGUMENT, fmt::format("a service name has at most {} bytes", longest_name)};
}

class Service final : public proto::Health::CallbackService {
 public:
  explicit Service(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  ::grpc::ServerUnaryReactor* Check(::grpc::CallbackServerContext* context, const proto::HealthCheckRequest* request,
                                    proto::HealthCheckResponse* response) override {
    ::grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    ::grpc::Status status = check_name(request->service());
    if (status.ok()) {
      const std::optional<Serving> serving = core_->status(request->service());
      if (serving) {
        response->set_status(*serving);
      } else {
        status = {::grpc::StatusCode::NOT_FOUND, "there is no such service"};
      }
    }
    reactor->Finish(status);
    return reactor;
  }

  ::grpc::ServerUnaryReactor* List(::grpc::CallbackServerContext* context, const proto::HealthListRequest*,
                                   proto::HealthListResponse* response) override {
    ::grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const std::vector<std::string> names = core_->services();
    if (names.size() > longest_list) {
      reactor->Finish({::grpc::StatusCode::RESOURCE_EXHAUSTED,
                       fmt::format("there are {} services, List tells at most {}", names.size(), longest_list)});
      return reactor;
    }
    for (const std::string& name : names)
      // A group that was removed between the two questions is left out.
      if (const auto serving = core_->status(name)) (*response->mutable_statuses())[name].set_status(*serving);
    reactor->Finish(::grpc::Status::OK);
    return reactor;
  }

  ::grpc::ServerWriteReactor<proto::HealthCheckResponse>* Watch(::grpc::CallbackServerContext*,
                                                                const proto::HealthCheckRequest* request) override {
    if (const ::grpc::Status status = check_name(request->service()); !status.ok())
      return Watcher::refuse(core_, status);
    return Watcher::begin(core_, request->service());
  }

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace

struct GrpcHealthServer::Parts {
  explicit Parts(std::shared_ptr<Core> shared) : core(std::move(shared)), service(core) {}
  std::shared_ptr<Core> core;
  Service service;
  std::unique_ptr<::grpc::Server> server;
  int port = 0;
};

GrpcHealthServer::GrpcHealthServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<GrpcHealthServer>> GrpcHealthServer::start(GrpcHealthOptions options,
                                                                  health::HealthSource& source) {
  if (options.max_watchers < 1) return fail(Errc::invalid_argument, "max_watchers is not 1 or more");
  if (options.host.empty()) return fail(Errc::invalid_argument, "host is empty");
  auto parts = std::make_unique<Parts>(std::make_shared<Core>(source, options.max_watchers));
  const std::string address = fmt::format("{}:{}", options.host, options.port);
  ::grpc::ServerBuilder builder;
  // Two servers on one port would share its connections silently.
  builder.AddChannelArgument("grpc.so_reuseport", 0);
  builder.AddListeningPort(address, ::grpc::InsecureServerCredentials(), &parts->port);
  builder.RegisterService(&parts->service);
  parts->server = builder.BuildAndStart();
  if (!parts->server || parts->port == 0) return fail(Errc::unavailable, "cannot listen on " + address);
  // The source keeps the listener for good; the server may end before it.
  source.on_change([weak = std::weak_ptr<Core>(parts->core)] {
    if (const auto core = weak.lock()) core->tell_all();
  });
  return std::unique_ptr<GrpcHealthServer>(new GrpcHealthServer(std::move(parts)));
}

GrpcHealthServer::~GrpcHealthServer() {
  parts_->core->stop();
  parts_->server->Shutdown();
  parts_->server->Wait();
}

std::uint16_t GrpcHealthServer::port() const noexcept { return static_cast<std::uint16_t>(parts_->port); }
void GrpcHealthServer::shut_down() { parts_->core->shut_down(); }
std::size_t GrpcHealthServer::watchers() const { return parts_->core->watchers(); }

}  // namespace serin
