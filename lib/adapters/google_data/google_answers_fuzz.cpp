// Goal: whatever a service of Google's, or somebody in between, answers, no client of ours crashes, waits past its
// deadline, or makes something of nothing. Method: libFuzzer; the first byte chooses the call, the next ones the status
// of each answer, and the rest, cut at bytes 0xFF, is what the service says to one request after the other; the last
// answer repeats. Time is the world's.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../google/scripted_http.hpp"
#include "serin/google/clients.hpp"
#include "serin/google/cloud_logging.hpp"
#include "serin/google/cloud_monitoring.hpp"
#include "serin/google/cloud_run.hpp"
#include "serin/google/secret_manager.hpp"
#include "serin/google_data/data_services.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {
namespace {

constexpr std::string_view endpoint = "http://127.0.0.1:1";

void script(ScriptedHttp& http, std::uint8_t statuses, std::string_view answers) {
  constexpr int known[] = {200, 200, 200, 404, 409, 429, 503, 200};
  for (int number = 0; number < 16; ++number) {
    const std::size_t end = std::min(answers.find('\xff'), answers.size());
    http.then(known[(statuses >> (number % 8)) & 7], std::string(answers.substr(0, end)));
    if (end == answers.size()) return;
    answers.remove_prefix(end + 1);
  }
}

class Play {
 public:
  Play(std::uint8_t call, std::uint8_t statuses, std::string_view answers) : call_(call) {
    script(http_, statuses, answers);
  }
  void run() {
    const Instant began = world_.now();
    switch (call_ % 16) {
      case 0: must(services_.open_sql(at("bigquery://p/d")))->query("SELECT 1", {}, soon()); break;
      case 1: must(services_.open_sql(at("bigquery://p/d")))->execute("INSERT INTO t(a) VALUES(1)", {}, soon()); break;
      case 2: must(services_.open_bus(at("pubsub://p")))->pull("s", 10, soon()); break;
      case 3: must(services_.open_bus(at("pubsub://p")))->subscriptions(soon()); break;
      case 4: must(services_.open_bus(at("pubsub://p")))->publish("t", {{.data = "x"}}, soon()); break;
      case 5: must(services_.open_documents(at("firestore://p")))->get("c", "x", soon()); break;
      case 6: must(services_.open_documents(at("firestore://p")))->list("c", soon()); break;
      case 7: must(services_.open_documents(at("firestore://p")))->put("c", "x", "{}", 0, soon()); break;
      case 8: client<CloudRun>()->get_service("s", within()); break;
      case 9: client<CloudRun>()->revisions("s", within()); break;
      case 10: client<CloudRun>()->wait("projects/p/locations/l/operations/o", within()); break;
      case 11: client<CloudMonitoring>()->list({}, within()); break;
      case 12: client<CloudLogging>()->list({}, within()); break;
      case 13: client<SecretManager>()->access("s", "1", within()); break;
      case 14: client<SecretManager>()->versions("s", "", within()); break;
      default: client<CloudRun>()->services(within()); break;
    }
    if (world_.now() - began > 31s) std::abort();
  }

 private:
  template <class Port>
  Port must(Result<Port> opened) {
    if (!opened) std::abort();
    return std::move(*opened);
  }
  template <class Client>
  std::shared_ptr<Client> client() {
    return must(clients_.get<Client>({.project = "p", .location = "l"}));
  }
  static std::string at(const char* address) { return std::string(address) + "?endpoint=" + std::string(endpoint); }
  Deadline soon() { return Deadline::after(world_.now(), 30s); }
  Within within() { return soon(); }

  std::uint8_t call_;
  sim::World world_;
  ScriptedHttp http_{world_.sleeper()};
  AuthWorld auth_{.http = http_, .sleeper = world_.sleeper(), .random = world_.random()};
  DataServices services_{auth_, Environment()};
  Clients clients_{auth_, Environment(), {.emulator = std::string(endpoint)}};
};

}  // namespace
}  // namespace serin::google

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  serin::google::Play(data[0], data[1], {reinterpret_cast<const char*>(data) + 2, size - 2}).run();
  return 0;
}
