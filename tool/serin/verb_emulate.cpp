#include "verb_emulate.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "serin/beast/http_server.hpp"
#include "serin/google_emulator/emulator.hpp"
#include "serin/system/files.hpp"

namespace serin::tool {
namespace {

struct EmulateVerb {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string data = "memory";
  std::string project = "local";
  std::string credentials;
  std::string ready_file;
  std::string session_idle = "60s";
  int workers = 16;
};

/// The folder of the state; of "memory" one that goes with the process.
class StateFolder {
 public:
  static Result<StateFolder> make(const std::string& data, Random& random) {
    StateFolder out;
    out.is_temporary_ = data == "memory";
    out.path_ = data;
    if (out.is_temporary_) {
      std::error_code error;
      const auto base = std::filesystem::temp_directory_path(error);
      if (error) return fail(Errc::not_found, "no folder for temporary files: " + error.message());
      out.path_ = base / fmt::format("serin-google-{:016x}", random.next());
    }
    SERIN_CHECK(make_folders(out.path_.string()));
    return out;
  }
  StateFolder(StateFolder&& other) noexcept
      : path_(std::move(other.path_)), is_temporary_(std::exchange(other.is_temporary_, false)) {}
  StateFolder& operator=(StateFolder&&) = delete;
  ~StateFolder() {
    std::error_code ignored;
    if (is_temporary_) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  StateFolder() = default;
  std::filesystem::path path_;
  bool is_temporary_ = false;
};

Status emulate(VerbContext& context, const EmulateVerb& verb) {
  SERIN_TRY(const Duration session_idle, parse_duration(verb.session_idle));
  std::string credentials;
  if (!verb.credentials.empty()) {
    SERIN_TRY(credentials, context.read_file(verb.credentials));
  }
  SERIN_TRY(const StateFolder folder, StateFolder::make(verb.data, context.random()));
  const google_emulator::EmulatorOptions options{.folder = folder.path(),
                                                 .project = verb.project,
                                                 .credentials = std::move(credentials),
                                                 .session_idle = session_idle};
  SERIN_TRY(const auto emulator, google_emulator::GoogleEmulator::make(options, context.sleeper(), context.random()));
  const HttpServerOptions server{.address = verb.address,
                                 .port = verb.port,
                                 .workers = verb.workers,
                                 .queue = 1024,
                                 .header_limit = 64u << 10,
                                 .body_limit = 64u << 20};
  SERIN_TRY(const auto http, HttpServer::start(server, *emulator, context.sleeper()));
  const std::string host = fmt::format("{}:{}", verb.address, http->port());
  context.out(fmt::format("google emulator listens on http://{} (data: {})\n", host, verb.data));
  for (const std::string& line : google_emulator::environment_of(host, verb.project))
    context.out(fmt::format("export {}\n", line));
  if (!verb.ready_file.empty()) SERIN_CHECK(write_file(verb.ready_file, "http://" + host + "\n"));
  // Until Ctrl-C or SIGTERM: the sleeper answers cancelled then.
  static_cast<void>(context.sleeper().sleep_until(Instant::max()));
  return http->drain(Deadline::after(context.sleeper().now(), 2s));
}

}  // namespace

void add_emulate_verb(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("emulate", "Serve what somebody else serves, for development and tests");
  verb->require_subcommand(1);
  auto options = std::make_shared<EmulateVerb>();
  CLI::App* google = verb->add_subcommand(
      "google", "BigQuery, Pub/Sub, Firestore, Secret Manager, Monitoring, Logging and Cloud Run on loopback");
  google->add_option("--address", options->address, "Address to listen on")->capture_default_str();
  google->add_option("--port", options->port, "Port; 0: the kernel chooses")->capture_default_str();
  google->add_option("--data", options->data, "Folder that keeps the state, or memory")->capture_default_str();
  google->add_option("--project", options->project, "Project of names without one")->capture_default_str();
  google->add_option("--credentials", options->credentials,
                     "A service account's key file or a PEM: every call then needs a token that is signed or given "
                     "out here");
  google->add_option("--ready-file", options->ready_file, "File that gets the address when it serves");
  google->add_option("--session-idle", options->session_idle, "A BigQuery session unused for so long is ended")
      ->capture_default_str();
  google->add_option("--workers", options->workers, "Requests served at once")->capture_default_str();
  google->callback([&context, options] {
    if (const Status done = emulate(context, *options); !done) context.fail_with(done.error());
  });
}

}  // namespace serin::tool
