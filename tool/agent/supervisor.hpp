#pragma once
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/control/control_store.hpp"
#include "serin/process/process.hpp"

namespace serin::agent {

/// What one look at a replica's readiness said.
struct Probe {
  Instant began;
  bool ready = false;
  bool answered = false;  ///< false: refused, reset or too slow
  std::string reason;     ///< "HTTP 503", "connect: refused"; empty when ready
};

/// The machine as the supervisor needs it. Threads: the supervisor's.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual Result<std::uint16_t> free_port() = 0;
  virtual Result<ProcessId> start(const ServiceName& service, const ReleaseSpec& release, const std::string& replica,
                                  std::uint16_t port, const std::string& log) = 0;
  virtual std::optional<ProcessEnd> end_of(const ProcessId& process) = 0;
  virtual void signal(const ProcessId& process, int number) = 0;
  /// Begins a look at a replica and returns at once. A look that still runs is not begun again.
  virtual void begin_probe(const std::string& key, const std::string& address, const std::string& path) = 0;
  /// The newest finished look, if there is one.
  virtual std::optional<Probe> last_probe(const std::string& key) = 0;
  virtual std::string log_of(const ServiceName& service, const std::string& replica) = 0;
  /// The last line that it wrote, for the reason of its end.
  virtual std::string last_words(const std::string& log) = 0;
};

struct SupervisorOptions {
  Duration probe_every = 250ms;
  int missed_probes = 3;               ///< in a row without an answer: not ready
  Duration restart_backoff = 250ms;    ///< doubles each time ...
  Duration restart_backoff_most = 5s;  ///< ... up to here
  int ends_before_ready = 3;           ///< that many without ever having been ready: given up
  int ends_in_window = 5;              ///< that many within `window`: given up
  Duration window = 60s;
  Duration stop_timeout = 20s;  ///< from SIGTERM to SIGKILL
};

/// Keeps replicas as they are desired: starts, watches, starts again, gives up on what keeps dying, ends what is not
/// wanted any more (first out of rotation, then SIGTERM, then SIGKILL). Threads: one.
class Supervisor {
 public:
  Supervisor(Machine& machine, SupervisorOptions options = {}) : machine_(machine), options_(options) {}
  /// Takes over what an earlier agent started.
  void adopt(const std::vector<control::ObservedReplica>& seen, const std::vector<control::DesiredRelease>& desired,
             Instant now);
  /// One round. Afterwards replicas() says how it is.
  void tick(const std::vector<control::DesiredRelease>& desired, Instant now);
  [[nodiscard]] std::vector<control::ObservedReplica> replicas() const;
  /// Whether anything still runs.
  [[nodiscard]] bool is_idle() const noexcept { return slots_.empty(); }

 private:
  struct Key {
    ServiceName service;
    ReleaseName release;
    int index;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Slot {
    ReleaseSpec spec;
    control::ObservedReplica seen;
    std::optional<ProcessId> process;
    std::string key;  // of its probes; new for each process, so that an old look is not taken for a new one
    Instant started;
    Instant probed = Instant::min();
    Instant judged = Instant::min();  // begin of the newest look that was taken into account
    Instant next_start = Instant::min();
    int misses = 0;
    bool was_ready = false;
    std::deque<Instant> ends;
    std::optional<Instant> leaving;     // out of rotation since
    std::optional<Instant> terminated;  // SIGTERM was sent
    bool killed = false;
  };
  void look_for_end(Slot& slot, Instant now);
  void start(Slot& slot, Instant now);
  void watch(Slot& slot, Instant now);
  void end(Slot& slot, Instant now);
  void set_process(Slot& slot, const ProcessId& process, Instant now);

  Machine& machine_;
  SupervisorOptions options_;
  std::map<Key, Slot> slots_;
};

}  // namespace serin::agent
