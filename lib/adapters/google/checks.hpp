#pragma once
#include <string>

#include "serin/google/cloud_logging.hpp"
#include "serin/google/cloud_monitoring.hpp"
#include "serin/google/cloud_run.hpp"
#include "serin/google/secret_manager.hpp"
#include "serin/ports/check.hpp"

// Health checks of Google's services: each asks once, in time, changes nothing, costs nothing, and never reads a
// secret's content. The client outlives the check.
namespace serin::google {

/// Whether a secret's version is there and enabled; its metadata is read, not its content.
[[nodiscard]] health::CheckFunction secret_check(SecretManager& secrets, std::string secret,
                                                 std::string version = "latest");
/// Whether a service of Cloud Run is what it is to be: degraded while it changes, down when the change failed.
[[nodiscard]] health::CheckFunction run_check(CloudRun& run, std::string service);
/// Whether the service answers a reader: asks for one metric's descriptor.
[[nodiscard]] health::CheckFunction monitoring_check(CloudMonitoring& monitoring);
/// Whether the service answers a reader: asks for one log's name.
[[nodiscard]] health::CheckFunction logging_check(CloudLogging& logging);
/// Whether any service answers a GET with 2xx. \param path  escaped, with a leading '/'
[[nodiscard]] health::CheckFunction api_check(Api& api, std::string path, Query query = {});

/// What an error means for a check: down, but unknown where nobody was asked (given up, or one of our own limits).
[[nodiscard]] health::CheckAnswer answer_of(const Error& error);

}  // namespace serin::google
