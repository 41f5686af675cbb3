#include "detail_inflate.hpp"

#include <zlib.h>

#include <array>
#include <string>

#include "serin/base/text.hpp"

namespace serin::http {

struct Inflater::State {
  z_stream stream{};
  bool gzip = false;
  bool ready = false;
  bool complete = false;
  bool begun = false;
  std::string first;  // two bytes tell the two kinds of "deflate" apart

  ~State() {
    if (ready) inflateEnd(&stream);
  }
  [[nodiscard]] bool start(int window) {
    ready = inflateInit2(&stream, window) == Z_OK;
    return ready;
  }
};

Inflater::Inflater(std::unique_ptr<State> state) : state_(std::move(state)) {}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

std::optional<Inflater> Inflater::of(const HttpHeaders& headers) {
  const auto value = headers.find("Content-Encoding");
  if (!value) return {};
  const std::string_view name = trim(*value);
  auto state = std::make_unique<State>();
  state->gzip = equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip");
  if (!state->gzip && !equal_ignoring_case(name, "deflate")) return {};
  return Inflater(std::move(state));
}

Status Inflater::put(std::string_view packed, const Taker& take) {
  State& state = *state_;
  state.begun = state.begun || !packed.empty();
  if (!state.ready) {
    state.first += packed;
    if (state.first.size() < 2) return {};
    // "deflate" is zlib's format (RFC 9110, 8.4.1.2), but some servers send it bare.
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(state.first[at]); };
    const bool zlib = (byte(0) & 0x0f) == 8 && (byte(0) * 256 + byte(1)) % 31 == 0;
    if (!state.start(state.gzip ? 16 + MAX_WBITS : zlib ? MAX_WBITS : -MAX_WBITS))
      return fail(Errc::exhausted, "no memory to unpack the answer");
    packed = state.first;
  }
  std::array<char, 32u << 10> room;
  state.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  state.stream.avail_in = static_cast<uInt>(packed.size());
  do {
    if (state.complete) {
      // gzip may be several members, one after the other (RFC 1952, 2.2); what else follows is padding.
      if (!state.gzip || state.stream.avail_in == 0 || *state.stream.next_in != 0x1f) break;
      if (inflateReset(&state.stream) != Z_OK) return fail(Errc::data_loss, "the answer cannot be unpacked");
      state.complete = false;
    }
    state.stream.next_out = reinterpret_cast<Bytef*>(room.data());
    state.stream.avail_out = static_cast<uInt>(room.size());
    const int result = inflate(&state.stream, Z_NO_FLUSH);
    const std::size_t size = room.size() - state.stream.avail_out;
    if (size != 0) SERIN_CHECK(take({room.data(), size}));
    if (result == Z_STREAM_END) {
      state.complete = true;
      continue;
    }
    if (result == Z_BUF_ERROR) break;  // it needs more
    if (result != Z_OK) return fail(Errc::data_loss, "the answer cannot be unpacked");
  } while (state.stream.avail_in != 0 || state.stream.avail_out == 0);
  state.first.clear();
  return {};
}

Status Inflater::end() const {
  if (state_->complete || !state_->begun) return {};
  return fail(Errc::data_loss, "the packed answer ends in the middle");
}

}  // namespace serin::http
