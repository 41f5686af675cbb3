#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "serin/google/cloud_run.hpp"
#include "serin/ports/platform.hpp"
#include "serin/ports/router.hpp"

// Private to the module: a Cloud Run service as shares and targets. All pure.
namespace serin::cloud_run {

using Targets = std::vector<google::TrafficTarget>;

/// Why the service does not serve yet what is wanted of it; empty: it does. A newest revision that failed is no reason,
/// as long as the routes are as wanted: it has no part in who serves.
[[nodiscard]] std::string unsettled(const google::RunService& service);
/// Percent by revision, without those that get nothing, in order of their names.
[[nodiscard]] Split split_of(const Targets& targets);
/// The wanted targets by names of revisions: a later deploy takes no traffic. Tags stay what they were, also one that
/// follows the latest revision.
[[nodiscard]] Targets pinned(const google::RunService& service);
/// The same targets with these shares. Those with neither a share nor a tag are gone.
[[nodiscard]] Targets with_split(Targets targets, const Split& split);
/// Errors: invalid_argument, when a share is not a whole number or they do not add up to 100.
[[nodiscard]] Status check_whole(const Split& split);
/// In order of names and without the shares of 0: equal ones are the same split.
[[nodiscard]] Split normal(Split split);
/// "api-v1=95 api-v2=5"
[[nodiscard]] std::string text_of_split(const Split& split);

/// The tag under which we give a revision its own address: "serin-v2" of "api-v2".
/// Errors: invalid_argument, unless the release is called "SERVICE-something", as Cloud Run wants its revisions called.
[[nodiscard]] Result<std::string> tag_of(const ServiceName& service, const ReleaseName& release);
/// The host of a tag's address; empty while there is none.
[[nodiscard]] std::string host_of(const google::RunService& service, std::string_view revision, std::string_view tag);
/// The service's template with a release in it: {"template": {...}, "traffic": [...]}.
/// Errors: data_loss, when the service's JSON has no container.
[[nodiscard]] Result<std::string> body_of(const google::RunService& service, const ReleaseSpec& release,
                                          const Targets& targets);

/// Annotation of a revision that we made: its content's digest.
inline constexpr std::string_view digest_annotation = "serin.dev/digest";

}  // namespace serin::cloud_run
