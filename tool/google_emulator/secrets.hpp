#pragma once
#include <vector>

#include "store.hpp"

// Private to the module.
namespace serin::google_emulator {

/// Secret Manager v1. Not a place for secrets: they lie in google.db as they are.
class Secrets {
 public:
  explicit Secrets(Store& store, Random& random) : store_(store), random_(random) {}
  [[nodiscard]] std::vector<Route> routes();

 private:
  Reply create(Call& call);
  Reply get(Call& call);
  Reply list(Call& call);
  Reply patch(Call& call);
  Reply remove(Call& call);
  Reply add_version(Call& call);
  Reply get_version(Call& call);
  Reply list_versions(Call& call);
  Reply access(Call& call);
  Reply change_state(Call& call, std::string_view state);
  /// The version that a call names; "latest" is the one made last.
  std::expected<json::object, Failure> version(const Call& call);
  Store& store_;
  Random& random_;
};

}  // namespace serin::google_emulator
