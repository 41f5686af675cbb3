#include "serin/google_data/data_services.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "serin/base/text.hpp"
#include "serin/bigquery/big_query.hpp"
#include "serin/firestore/firestore.hpp"
#include "serin/pubsub/pub_sub.hpp"

namespace serin::google {
namespace {

struct Scheme {
  std::string_view name;
  std::string_view form;
  std::vector<std::string_view> options;
};

const std::array<Scheme, 3>& schemes() {
  static const std::array<Scheme, 3> list{
      {{"bigquery",
        "bigquery://PROJECT/DATASET",
        {"credentials", "endpoint", "location", "max_bytes_billed", "max_bytes_read"}},
       {"pubsub", "pubsub://PROJECT", {"credentials", "endpoint", "ordering"}},
       {"firestore", "firestore://PROJECT or firestore://PROJECT/DATABASE", {"credentials", "endpoint"}}}};
  return list;
}

std::string option(const DataAddress& address, std::string_view name, std::string_view otherwise = {}) {
  const auto found = address.options.find(name);
  return found == address.options.end() ? std::string(otherwise) : found->second;
}

Result<std::int64_t> bytes_option(const DataAddress& address, std::string_view name) {
  const auto number = to_int(option(address, name, "0"));
  if (!number || *number < 0)
    return fail(Errc::invalid_argument, fmt::format("{} of a bigquery:// address must be a number of bytes", name));
  return *number;
}

Status check_parts(const DataAddress& address, const Scheme& scheme) {
  const bool named = !address.name.empty();
  const bool fits = scheme.name == "bigquery" ? named : scheme.name == "firestore" || !named;
  if (address.project.empty() || !fits || address.name.find('/') != std::string::npos)
    return fail(Errc::invalid_argument, fmt::format("a {} address is written {}", scheme.name, scheme.form));
  for (const auto& [name, value] : address.options)
    if (std::ranges::find(scheme.options, name) == scheme.options.end())
      return fail(Errc::invalid_argument, fmt::format("a {} address has no option '{}'; it has {}", scheme.name, name,
                                                      fmt::join(scheme.options, ", ")));
  return {};
}

/// An address of another scheme. Its own words are not repeated: they may hold a password.
std::unexpected<Error> other_scheme(const DataAddress& address, std::string_view wanted) {
  return fail(Errc::invalid_argument, fmt::format("a {}:// address where {}:// is wanted", address.scheme, wanted));
}

}  // namespace

bool is_data_address(std::string_view url) noexcept {
  return std::ranges::any_of(schemes(), [&](const Scheme& scheme) {
    return url.starts_with(scheme.name) && url.substr(scheme.name.size()).starts_with("://");
  });
}

Result<DataAddress> parse_data_address(std::string_view url) {
  const std::size_t colon = url.find("://");
  const auto scheme = std::ranges::find(schemes(), url.substr(0, colon), &Scheme::name);
  if (colon == std::string_view::npos || scheme == schemes().end())
    return fail(Errc::invalid_argument,
                "an address of Google's data services begins with bigquery://, pubsub:// or "
                "firestore://");
  const std::string_view rest = url.substr(colon + 3);
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  const std::string_view path = rest.substr(0, mark);
  const std::size_t slash = std::min(path.find('/'), path.size());
  DataAddress address{.scheme = std::string(scheme->name),
                      .project = std::string(path.substr(0, slash)),
                      .name = std::string(path.substr(std::min(slash + 1, path.size()))),
                      .options = {}};
  if (mark < rest.size())
    for (const std::string_view pair : split(rest.substr(mark + 1), '&')) {
      const std::size_t equals = std::min(pair.find('='), pair.size());
      address.options.insert_or_assign(percent_decode(pair.substr(0, equals), true),
                                       percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    }
  SERIN_CHECK(check_parts(address, *scheme));
  return address;
}

Result<std::shared_ptr<Api>> DataServices::api(ApiOptions options, const DataAddress& address) {
  struct Kept {
    std::shared_ptr<Api> api;
  };
  const ClientWishes wishes{.credentials_file = option(address, "credentials"),
                            .endpoint = option(address, "endpoint")};
  SERIN_TRY(
      const std::shared_ptr<Kept> kept,
      clients_.cached<Kept>(std::move(options), {.project = address.project, .location = option(address, "location")},
                            wishes, [](std::shared_ptr<Api> made) { return Result<Kept>(Kept{std::move(made)}); }));
  return kept->api;
}

Result<std::unique_ptr<Sql>> DataServices::open_sql(std::string_view url, DataAccess access, std::stop_token stop) {
  SERIN_TRY(const DataAddress address, parse_data_address(url));
  if (address.scheme != "bigquery") return other_scheme(address, "bigquery");
  const bool reads = access == DataAccess::read_only;
  BigQueryOptions options{.project = address.project,
                          .dataset = address.name,
                          .location = option(address, "location"),
                          .words = reads ? SqlWords::google_sql : SqlWords::portable,
                          .read_only = reads,
                          .stop = std::move(stop)};
  SERIN_TRY(options.max_bytes_billed, bytes_option(address, "max_bytes_billed"));
  SERIN_TRY(options.max_bytes_read, bytes_option(address, "max_bytes_read"));
  SERIN_TRY(std::shared_ptr<Api> over, api(BigQuery::defaults(), address));
  SERIN_TRY(std::unique_ptr<Sql> sql, BigQuery::open(std::move(options), std::move(over)));
  return sql;
}

Result<std::unique_ptr<Bus>> DataServices::open_bus(std::string_view url) {
  SERIN_TRY(const DataAddress address, parse_data_address(url));
  if (address.scheme != "pubsub") return other_scheme(address, "pubsub");
  SERIN_TRY(std::shared_ptr<Api> over, api(PubSub::defaults(), address));
  // An emulator alone knows what waits in it; a place of Pub/Sub's own says nothing of where Monitoring is.
  const std::string& there = over->options().endpoint;
  SERIN_TRY(auto counts, clients_.get<CloudMonitoring>({.project = address.project},
                                                       {.credentials_file = option(address, "credentials"),
                                                        .endpoint = there.starts_with("http://") ? there : ""}));
  SERIN_TRY(std::unique_ptr<Bus> bus,
            PubSub::open({.project = address.project, .ordering_attribute = option(address, "ordering")},
                         std::move(over), std::move(counts)));
  return bus;
}

Result<std::unique_ptr<Documents>> DataServices::open_documents(std::string_view url) {
  SERIN_TRY(const DataAddress address, parse_data_address(url));
  if (address.scheme != "firestore") return other_scheme(address, "firestore");
  SERIN_TRY(std::shared_ptr<Api> over, api(Firestore::defaults(), address));
  SERIN_TRY(std::unique_ptr<Documents> documents,
            Firestore::open({.project = address.project, .database = address.name.empty() ? "(default)" : address.name},
                            std::move(over)));
  return documents;
}

}  // namespace serin::google
