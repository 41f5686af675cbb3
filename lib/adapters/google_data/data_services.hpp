#pragma once
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "serin/google/clients.hpp"
#include "serin/ports/bus.hpp"
#include "serin/ports/documents.hpp"
#include "serin/ports/sql.hpp"

namespace serin::google {

/// "bigquery://project/dataset?location=EU" in its parts.
struct DataAddress {
  std::string scheme;  ///< "bigquery", "pubsub" or "firestore"
  std::string project;
  std::string name;  ///< the dataset or the database; empty: none is named
  std::map<std::string, std::string, std::less<>> options;
};
/// Errors: invalid_argument, saying what can be written: another scheme, no project, no dataset for bigquery, an option
/// that the scheme does not have. Pure.
Result<DataAddress> parse_data_address(std::string_view url);
/// Whether it has one of the three schemes, right or wrong otherwise.
[[nodiscard]] bool is_data_address(std::string_view url) noexcept;

enum class DataAccess : std::uint8_t { read_write, read_only };

/// Opens what an address names:
///   bigquery://PROJECT/DATASET  location, max_bytes_billed, max_bytes_read
///   pubsub://PROJECT            ordering (the attribute whose value is the ordering key)
///   firestore://PROJECT[/DATABASE]
/// and for each endpoint (http://127.0.0.1:8085: an emulator) and credentials (a file), as in
/// "pubsub://p?endpoint=http://127.0.0.1:8085". Without them <SERVICE>_EMULATOR_HOST and the default credentials are
/// used. What is opened shares tokens and retries by project, and is used no longer than this. Threads: any.
class DataServices {
 public:
  /// \param world  outlives it and all that it opened
  DataServices(const AuthWorld& world, Environment environment) : clients_(world, std::move(environment)) {}
  /// Sends nothing. Statements are in the words that SQLite and PostgreSQL share; for reading only, in BigQuery's own.
  /// \param stop  ends every call at once, and cancels what runs for it
  /// Errors: invalid_argument (address), those of credentials.
  Result<std::unique_ptr<Sql>> open_sql(std::string_view url, DataAccess access = DataAccess::read_write,
                                        std::stop_token stop = {});
  Result<std::unique_ptr<Bus>> open_bus(std::string_view url);
  Result<std::unique_ptr<Documents>> open_documents(std::string_view url);

 private:
  Result<std::shared_ptr<Api>> api(ApiOptions options, const DataAddress& address);
  Clients clients_;
};

}  // namespace serin::google
