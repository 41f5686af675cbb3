#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "serin/base/error.hpp"
#include "serin/ports/health.hpp"

namespace serin {

struct GrpcHealthOptions {
  std::string host = "127.0.0.1";     ///< address to listen on; "0.0.0.0" for probes from outside
  std::uint16_t port = 0;             ///< 0: any that is free
  std::size_t max_watchers = 10'000;  ///< Watch streams at once; more are refused with RESOURCE_EXHAUSTED; >= 1
};

/// Tells what a HealthSource knows over grpc.health.v1.Health: Check, Watch and List, without TLS. Services: "" and
/// "readiness" (may requests come), "liveness", "startup", and every group. up and degraded are SERVING; down,
/// out_of_service and draining NOT_SERVING (draining leaves liveness and startup alone); unknown is UNKNOWN. Answers
/// from memory: a question runs no check, and a stream costs no thread. Threads: any.
class GrpcHealthServer {
 public:
  /// \param source  outlives it
  /// Errors: invalid_argument (options), unavailable (the address is taken or not ours).
  static Result<std::unique_ptr<GrpcHealthServer>> start(GrpcHealthOptions options, health::HealthSource& source);
  ~GrpcHealthServer();  ///< stops
  GrpcHealthServer(const GrpcHealthServer&) = delete;
  GrpcHealthServer& operator=(const GrpcHealthServer&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Everything is NOT_SERVING from here on, whatever the source says; watchers are told, and cannot be told otherwise.
  void shut_down();
  /// Streams open now.
  [[nodiscard]] std::size_t watchers() const;

 private:
  struct Parts;
  explicit GrpcHealthServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace serin
