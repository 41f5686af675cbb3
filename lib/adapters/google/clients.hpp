#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "serin/google/api.hpp"
#include "serin/google/credentials.hpp"
#include "serin/google/place.hpp"
#include "serin/system/environment.hpp"

namespace serin::google {

struct ClientsOptions {
  AuthOptions auth;  ///< its file is the default one
  /// Where a service is, by its name ("secretmanager"); what is not named is at its own address.
  std::map<std::string, std::string, std::less<>> endpoints = {};
  /// Every service that has no endpoint of its own is here, as "http://127.0.0.1:8085"; empty: none
  std::string emulator = {};
  Duration find_within = 15s;  ///< looking for credentials; the metadata server takes it where there is none
};
/// What one client wants otherwise.
struct ClientWishes {
  std::string credentials_file = {};  ///< empty: the default credentials
  std::string endpoint = {};          ///< empty: as the options say
};

/// Hands out clients and keeps them: one for each (service, project, location, credentials, endpoint), so that tokens,
/// budgets and connections are shared. After a fork the child makes its own, and leaves what it inherited untouched:
/// its threads and locks are the parent's. An address that is http:// gets the token "owner", which emulators take, and
/// no credentials are looked for: real ones never go over an open wire. Threads: any.
class Clients {
 public:
  /// \param world  outlives it and every client  \param environment  <SERVICE>_EMULATOR_HOST and then
  /// SERIN_GOOGLE_EMULATOR are endpoints too, below the options
  Clients(const AuthWorld& world, Environment environment, ClientsOptions options = {});
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// A client, made when it is asked for the first time; it keeps all it stands on but the world.
  /// \tparam Client  has `service`, defaults() and a constructor from (shared_ptr<Api>, Place)
  /// Errors: those of Credentials::find() and Api::make().
  template <class Client>
  Result<std::shared_ptr<Client>> get(const Place& place, const ClientWishes& wishes = {}) {
    return cached<Client>(Client::defaults(), place, wishes,
                          [&](std::shared_ptr<Api> api) { return Result<Client>(Client(std::move(api), place)); });
  }
  /// The same for a client that is made otherwise. \param make  takes shared_ptr<Api>, returns Result<Client>
  /// \param options  endpoint and quota project may be replaced; `service` tells the clients apart: one type a name
  template <class Client, class Make>
  Result<std::shared_ptr<Client>> cached(ApiOptions options, const Place& place, const ClientWishes& wishes,
                                         const Make& make) {
    SERIN_TRY(const Key key, key_of(options, place, wishes));
    if (std::shared_ptr<void> known = find(key)) return std::static_pointer_cast<Client>(std::move(known));
    SERIN_TRY(std::shared_ptr<Api> api, make_api(key, std::move(options)));
    SERIN_TRY(Client made, make(std::move(api)));
    return std::static_pointer_cast<Client>(keep(key, std::make_shared<Client>(std::move(made))));
  }
  /// The credentials of a file (empty: the default ones), found once.
  Result<std::shared_ptr<Credentials>> credentials(const std::string& file = {});
  /// How many clients there are.
  [[nodiscard]] std::size_t size();

 private:
  struct Key {
    std::string service;
    Place place;
    std::string credentials;
    std::string endpoint;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct State;
  State& here();
  [[nodiscard]] Result<Key> key_of(const ApiOptions& options, const Place& place, const ClientWishes& wishes) const;
  [[nodiscard]] std::string emulator_of(std::string_view service) const;
  std::shared_ptr<void> find(const Key& key);
  std::shared_ptr<void> keep(const Key& key, std::shared_ptr<void> made);
  Result<std::shared_ptr<Api>> make_api(const Key& key, ApiOptions options);

  AuthWorld world_;
  Environment environment_;
  ClientsOptions options_;
  std::atomic<State*> state_;  // of this process; what a child inherited is left to the parent
};

}  // namespace serin::google
