#pragma once
#include <sqlite3.h>

#include "serin/base/error.hpp"

// Private to the module.
namespace serin::sqlite {

/// Makes the functions of ports/scan.hpp known to a connection. Errors: internal, when SQLite does not take them.
Status add_scan_functions(sqlite3* database);

}  // namespace serin::sqlite
