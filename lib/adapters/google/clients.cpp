#include "serin/google/clients.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

namespace serin::google {

struct Clients::State {
  explicit State(pid_t pid) : process(pid) {}
  const pid_t process;
  std::mutex mutex;
  std::map<Key, std::shared_ptr<void>> clients;                            // guarded by mutex
  std::map<std::string, std::shared_ptr<Credentials>, std::less<>> found;  // guarded by mutex
};

Clients::Clients(const AuthWorld& world, Environment environment, ClientsOptions options)
    : world_(world),
      environment_(std::move(environment)),
      options_(std::move(options)),
      state_(std::make_unique<State>(::getpid()).release()) {}

Clients::~Clients() {
  State* const state = state_.load();
  if (state->process == ::getpid()) const std::unique_ptr<State> mine(state);
}

Clients::State& Clients::here() {
  State* known = state_.load();
  if (known->process == ::getpid()) return *known;
  // A child: nothing of the parent's is touched, nor destroyed: a lock may be held by a thread that is not here.
  auto fresh = std::make_unique<State>(::getpid());
  if (state_.compare_exchange_strong(known, fresh.get())) return *fresh.release();
  return *known;
}

Result<Clients::Key> Clients::key_of(const ApiOptions& options, const Place& place, const ClientWishes& wishes) const {
  Key key{.service = options.service,
          .place = place,
          .credentials = wishes.credentials_file.empty() ? options_.auth.file : wishes.credentials_file,
          .endpoint = wishes.endpoint};
  if (place.project.empty()) return fail(Errc::invalid_argument, key.service + ": no project is named");
  if (key.endpoint.empty())
    if (const auto named = options_.endpoints.find(key.service); named != options_.endpoints.end())
      key.endpoint = named->second;
  if (key.endpoint.empty()) key.endpoint = options_.emulator;
  if (key.endpoint.empty()) key.endpoint = emulator_of(key.service);
  if (key.endpoint.empty()) key.endpoint = options.endpoint;
  if (key.endpoint.starts_with("http://")) key.credentials.clear();
  return key;
}

std::string Clients::emulator_of(std::string_view service) const {
  std::string name = fmt::format("{}_EMULATOR_HOST", service);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string out = environment_.value_or(name, "");
  if (out.empty()) out = environment_.value_or("SERIN_GOOGLE_EMULATOR", "");
  if (out.empty()) return out;
  if (out.find("://") == std::string::npos) out.insert(0, "http://");
  // Some are given with the path of the service, which calls bring along.
  if (const std::size_t path = out.find('/', out.find("://") + 3); path != std::string::npos) out.resize(path);
  return out;
}

std::shared_ptr<void> Clients::find(const Key& key) {
  State& state = here();
  const std::scoped_lock lock(state.mutex);
  const auto known = state.clients.find(key);
  return known == state.clients.end() ? nullptr : known->second;
}

std::shared_ptr<void> Clients::keep(const Key& key, std::shared_ptr<void> made) {
  State& state = here();
  const std::scoped_lock lock(state.mutex);
  // Two may have made one at the same time: the first one stays.
  return state.clients.emplace(key, std::move(made)).first->second;
}

Result<std::shared_ptr<Api>> Clients::make_api(const Key& key, ApiOptions options) {
  struct Both {
    std::shared_ptr<TokenSource> tokens;
    std::unique_ptr<Api> api;
  };
  auto both = std::make_shared<Both>();
  if (key.endpoint.starts_with("http://")) {
    both->tokens = std::make_shared<FixedToken>("owner");
  } else {
    SERIN_TRY(both->tokens, credentials(key.credentials));
  }
  options.endpoint = key.endpoint;
  SERIN_TRY(both->api, Api::make(world_.http, *both->tokens, world_.sleeper, world_.random, std::move(options)));
  return std::shared_ptr<Api>(both, both->api.get());
}

Result<std::shared_ptr<Credentials>> Clients::credentials(const std::string& file) {
  AuthOptions options = options_.auth;
  if (!file.empty()) options.file = file;
  {
    State& state = here();
    const std::scoped_lock lock(state.mutex);
    if (const auto known = state.found.find(options.file); known != state.found.end()) return known->second;
  }
  // Not under the lock: it may take seconds, which are not those of others.
  const std::string name = options.file;
  const Deadline deadline = Deadline::after(world_.sleeper.now(), options_.find_within);
  SERIN_TRY(std::shared_ptr<Credentials> found, Credentials::find(environment_, world_, std::move(options), deadline));
  State& state = here();
  const std::scoped_lock lock(state.mutex);
  return state.found.emplace(name, std::move(found)).first->second;
}

std::size_t Clients::size() {
  State& state = here();
  const std::scoped_lock lock(state.mutex);
  return state.clients.size();
}

}  // namespace serin::google
