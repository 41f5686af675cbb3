#pragma once
#include "serin/fleet_runtime/runtime.hpp"
#include "serin/fleet_validation/validator.hpp"

namespace serin::fleet {

/// Runs the check file that FLEET_CHECKS names on the warehouse, every FLEET_CHECKS_EVERY (default 1m), from now on and
/// until the service ends; keeps the results in checks.db of the state folder, where `serin check history --store`
/// finds them; adds the health check "data_checks". Null without FLEET_CHECKS. Errors: invalid_argument with every
/// mistake of the file; of the file and the database.
Result<Validator*> start_data_checks(Runtime& runtime);

}  // namespace serin::fleet
