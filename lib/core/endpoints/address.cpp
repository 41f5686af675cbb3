#include "address.hpp"

#include <algorithm>
#include <vector>

#include "serin/base/text.hpp"

namespace serin::endpoints {
namespace {

std::optional<unsigned> digits(std::string_view text, unsigned limit) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= limit ? std::optional(value) : std::nullopt;
}

std::optional<std::array<std::uint8_t, 4>> version_4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::array<std::uint8_t, 4> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto byte = digits(parts[i], 255);
    if (!byte) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(*byte);
  }
  return out;
}

/// Groups of four hex digits, the last two perhaps as version 4: "", "1:2", "ffff:1.2.3.4".
bool append_groups(std::string_view text, std::vector<std::uint8_t>& out) {
  if (text.empty()) return true;
  const auto parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
      const auto tail = version_4(parts[i]);
      if (!tail) return false;
      out.insert(out.end(), tail->begin(), tail->end());
      return true;
    }
    if (parts[i].empty() || parts[i].size() > 4) return false;
    unsigned group = 0;
    for (const char c : parts[i]) {
      const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!letter && (c < '0' || c > '9')) return false;
      group = group * 16 + static_cast<unsigned>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
    }
    out.push_back(static_cast<std::uint8_t>(group >> 8));
    out.push_back(static_cast<std::uint8_t>(group & 0xff));
  }
  return true;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  constexpr std::size_t longest = 64;
  if (text.size() > longest) return std::nullopt;
  Address out{};
  if (text.find(':') == std::string_view::npos) {
    const auto four = version_4(text);
    if (!four) return std::nullopt;
    out[10] = out[11] = 0xff;
    std::ranges::copy(*four, out.begin() + 12);
    return out;
  }
  text = text.substr(0, text.find('%'));
  const std::size_t gap = text.find("::");
  std::vector<std::uint8_t> front;
  std::vector<std::uint8_t> back;
  if (!append_groups(text.substr(0, gap), front)) return std::nullopt;
  if (gap == std::string_view::npos) {
    if (front.size() != out.size()) return std::nullopt;
  } else {
    const std::string_view head = text.substr(0, gap);
    if (head.find('.') != std::string_view::npos || !append_groups(text.substr(gap + 2), back)) return std::nullopt;
    if (front.size() + back.size() > out.size() - 2) return std::nullopt;
  }
  std::ranges::copy(front, out.begin());
  std::ranges::copy(back, out.end() - static_cast<std::ptrdiff_t>(back.size()));
  return out;
}

bool Network::contains(const Address& address) const noexcept {
  for (unsigned bit = 0; bit < bits; bit += 8) {
    const unsigned left = bits - bit;
    const auto mask = static_cast<std::uint8_t>(left >= 8 ? 0xffU : 0xffU << (8 - left));
    if (((address[bit / 8] ^ base[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned offset = text.find(':') == std::string_view::npos ? 96 : 0;
  Network network{.base = *address};
  if (slash != std::string_view::npos) {
    const auto bits = digits(text.substr(slash + 1), 128 - offset);
    if (!bits) return std::nullopt;
    network.bits = offset + *bits;
  }
  // "10.0.0.1/8" is more often a mistake than a wish.
  Address rest = network.base;
  for (unsigned bit = 0; bit < network.bits; ++bit)
    rest[bit / 8] = static_cast<std::uint8_t>(rest[bit / 8] & ~(0x80U >> (bit % 8)));
  if (std::ranges::any_of(rest, [](std::uint8_t byte) { return byte != 0; })) return std::nullopt;
  return network;
}

}  // namespace serin::endpoints
