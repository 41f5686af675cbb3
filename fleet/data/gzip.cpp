#include "serin/fleet_data/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

namespace serin::fleet {
namespace {

struct Stream {
  z_stream z{};
  bool ready = false;
  Stream() { ready = inflateInit2(&z, 15 + 16) == Z_OK; }  // 16: gzip header and trailer, with its checksum
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (ready) inflateEnd(&z);
  }
};

}  // namespace

bool is_gzip(std::string_view bytes) noexcept { return bytes.starts_with("\x1f\x8b"); }

Result<std::string> gunzip(std::string_view bytes, std::size_t most) {
  if (!is_gzip(bytes)) return fail(Errc::data_loss, "not a gzip file");
  if (bytes.size() > std::numeric_limits<uInt>::max()) return fail(Errc::exhausted, "a gzip file above 4 GiB");
  Stream stream;
  if (!stream.ready) return fail(Errc::exhausted, "no memory to unpack a gzip file");
  // zlib reads through a pointer that is not const for old compilers' sake; it does not write there.
  std::string input(bytes);
  stream.z.next_in = static_cast<Bytef*>(static_cast<void*>(input.data()));
  stream.z.avail_in = static_cast<uInt>(input.size());

  std::string content;
  std::array<char, 65536> block;
  for (;;) {
    stream.z.next_out = static_cast<Bytef*>(static_cast<void*>(block.data()));
    stream.z.avail_out = static_cast<uInt>(block.size());
    const int code = inflate(&stream.z, Z_NO_FLUSH);
    content.append(block.data(), block.size() - stream.z.avail_out);
    if (content.size() > most) return fail(Errc::exhausted, fmt::format("unpacks to more than {} bytes", most));
    if (code == Z_STREAM_END) {
      if (stream.z.avail_in == 0) return content;
      if (*stream.z.next_in != 0x1f) return fail(Errc::data_loss, "bytes after the end of the gzip file");
      if (inflateReset(&stream.z) != Z_OK) return fail(Errc::internal, "zlib would not start the next member");
    } else if (code != Z_OK || (stream.z.avail_in == 0 && stream.z.avail_out != 0)) {
      const std::string_view why = stream.z.msg != nullptr ? stream.z.msg : "the file is cut off";
      return fail(Errc::data_loss, fmt::format("damaged gzip file: {}", why));
    }
  }
}

Result<std::string> text_of_file(std::string bytes) {
  if (is_gzip(bytes)) return gunzip(bytes);
  return bytes;
}

}  // namespace serin::fleet
