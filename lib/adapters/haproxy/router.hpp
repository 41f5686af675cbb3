#pragma once
#include <functional>
#include <string>
#include <vector>

#include "serin/haproxy/runtime_socket.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/router.hpp"

namespace serin {

struct HaproxyRouterOptions {
  std::string socket;     ///< path of the runtime socket
  std::string lock_file;  ///< keeps a rollout and the agent from setting weights at the same time
  /// What is to be so, kept where it survives HAProxy and this process.
  std::function<Result<Split>(const ServiceName&)> load_split;
  std::function<Status(const ServiceName&, const Split&)> save_split;
};

/// A replica as it should stand in the router.
struct WantedServer {
  std::string name;     ///< "<release>-<index>"
  std::string address;  ///< "127.0.0.1:41234"
  bool ready = false;   ///< in rotation
};

/// HAProxy behind the Router port, and what the agent does to it. Threads: any. Processes: any.
class HaproxyRouter final : public Router {
 public:
  /// \param clock  outlives it
  HaproxyRouter(HaproxyRouterOptions options, const Clock& clock)
      : options_(std::move(options)), socket_(options_.socket, clock) {}
  Result<Split> read(const ServiceName& service, Deadline deadline) override;
  /// The weights first, then the memory of them: a full disk does not keep a rollback from happening. Its error is
  /// returned all the same.
  Status apply(const ServiceName& service, const Split& split, Deadline deadline) override;

  /// Makes the service's servers these: adds, readdresses, takes in and out of rotation, removes those that are idle;
  /// then sets the weights of the saved split. Returns how many that are not wanted are still busy.
  Result<int> reconcile(const ServiceName& service, const std::vector<WantedServer>& wanted, Deadline deadline);
  /// Errors: not_found (service).
  Result<std::vector<haproxy::Server>> servers(const ServiceName& service, Deadline deadline) const;
  [[nodiscard]] const haproxy::RuntimeSocket& socket() const noexcept { return socket_; }

 private:
  Status set_weights(const ServiceName& service, const Split& split, Deadline deadline) const;
  HaproxyRouterOptions options_;
  haproxy::RuntimeSocket socket_;
};

}  // namespace serin
