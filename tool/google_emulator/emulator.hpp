#pragma once
#include <memory>
#include <string>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"
#include "serin/ports/random.hpp"

namespace serin::google_emulator {

struct EmulatorOptions {
  std::string folder;             ///< where the state is kept: bigquery.db and google.db; must exist
  std::string project = "local";  ///< of tables without one, and of the metadata server
  /// A service account's JSON, or a PEM: then every call needs a token. Empty: every call is accepted.
  std::string credentials;
  Duration session_idle =
      60s;  ///< a BigQuery session that is not used for so long is ended, and its transaction undone
};

/// Google's APIs over HTTP for development and tests: BigQuery, Pub/Sub, Firestore, Secret Manager, Monitoring,
/// Logging, Cloud Run, and the tokens that their clients want. What there is and what is not:
/// docs/guide/google-emulator.md. A path that is not there is answered 501 notImplemented. Threads: any.
class GoogleEmulator final : public HttpHandler {
 public:
  /// \param sleeper, random  outlive it; a staged delay waits on the sleeper
  /// Errors: invalid_argument (credentials), not_found, permission_denied (folder), data_loss (files).
  static Result<std::unique_ptr<GoogleEmulator>> make(const EmulatorOptions& options, Sleeper& sleeper, Random& random);
  ~GoogleEmulator() override;
  [[nodiscard]] bool is_immediate(const HttpRequest& request) const noexcept override;
  HttpResponse handle(const HttpRequest& request) override;

 private:
  struct Parts;
  explicit GoogleEmulator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// The environment that makes Google's clients talk to an emulator at "127.0.0.1:PORT": "NAME=value" each.
[[nodiscard]] std::vector<std::string> environment_of(const std::string& host, const std::string& project);

}  // namespace serin::google_emulator
