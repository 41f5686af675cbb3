#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "serin/base/error.hpp"

namespace serin {

/// The whole file. Errors: not_found, permission_denied, exhausted (over `most` bytes), each naming the path.
Result<std::string> read_file(const std::string& path, std::size_t most = 256u << 20);
/// Who may read a file that is written: its owner alone, or everybody, as a server with a user of its own.
enum class Readers : std::uint8_t { owner, everybody };
/// Replaces the file or leaves it as it was: temporary file, fsync, rename. Errors: exhausted (disk full), ...
Status write_file(const std::string& path, std::string_view content, Readers readers = Readers::owner);
/// All of it to a descriptor. A reader that went away ends it silently: the exit code still says what happened.
void write_all(int descriptor, std::string_view text) noexcept;
/// Makes the folder and those above it. Errors: permission_denied, exhausted, conflict (a file is in the way).
Status make_folders(const std::string& path);
/// "sha256:..." of the file's bytes. Errors: as read_file.
Result<std::string> file_digest(const std::string& path);
/// The error for an errno: "<what>: <the system's words>".
[[nodiscard]] std::unexpected<Error> fail_errno(int error, std::string_view what);

}  // namespace serin
