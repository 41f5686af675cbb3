#pragma once
#include <vector>

#include "store.hpp"

// Private to the module.
namespace serin::google_emulator {

/// Cloud Logging v2: entries are written, listed by filter, and deleted by log.
class Logging {
 public:
  Logging(Store& store, Random& random) : store_(store), random_(random) {}
  [[nodiscard]] std::vector<Route> routes();

 private:
  Reply write(Call& call);
  Reply list(Call& call);
  Reply list_logs(Call& call);
  Reply delete_log(Call& call);
  Store& store_;
  Random& random_;
};

}  // namespace serin::google_emulator
