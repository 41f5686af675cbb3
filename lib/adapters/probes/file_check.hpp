#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"
#include "serin/ports/check.hpp"

namespace serin::probes {

struct FileOptions {
  std::string path;                     ///< of a plain file
  std::size_t size_limit = 256u << 20;  ///< bytes; larger is down; >= 1
};
/// Whether a file, such as a model, really loads: `load` gets its bytes and says what is wrong with them. Read again
/// only when the file changed (device, inode, size, time), so damage that changes none of them is not seen. Details:
/// path, size, sha256. Down when not. Cannot be interrupted while it reads or loads. Errors: invalid_argument.
Result<health::CheckFunction> file_check(FileOptions options, std::function<Status(std::string_view bytes)> load);

}  // namespace serin::probes
