// Any bytes: parse_retrosheet and gunzip answer with a value or with an error, and nothing else happens.
#include <cstdlib>
#include <string>

#include "serin/fleet_data/gzip.hpp"
#include "serin/fleet_data/retrosheet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string bytes(data, data + size);
  const auto file = serin::fleet::parse_retrosheet(bytes, "gl.txt");
  if (!file && !file.error().detail().starts_with("gl.txt:")) std::abort();
  if (file && file->rows.empty()) std::abort();
  // The same line with as many fields as a game has, so that the fields themselves are reached.
  std::string line = bytes;
  for (int i = 0; i < 161; ++i) line += ",1";
  if (const auto wide = serin::fleet::parse_retrosheet(line, "gl.txt"); wide && wide->rows.empty()) std::abort();
  if (const auto text = serin::fleet::gunzip(bytes, 1 << 20); text && text->size() > (1 << 20)) std::abort();
  return 0;
}
