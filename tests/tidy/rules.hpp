#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace serin::tidy {

/// One entry of the ban list.
struct Ban {
  std::string name;
  std::string pattern;               ///< regular expression over one line of code, comments and literals removed
  std::string instead;               ///< what to use
  std::vector<std::string> allowed;  ///< prefixes of paths where it is the job
  std::string example;               ///< a line that must be found
  std::string innocent;              ///< a line that must not be found
};
const std::vector<Ban>& bans();

}  // namespace serin::tidy
