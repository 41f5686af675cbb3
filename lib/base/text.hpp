#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace serin {

/// The candidate nearest to `word` (edit distance, at most a third of its length and at least 1), for "did you mean".
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> candidates);
/// Pieces between separators; an empty text gives one empty piece. The views point into `text`.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
/// The whole text as a number, or nothing: no trailing characters, no overflow.
[[nodiscard]] std::optional<std::int64_t> to_int(std::string_view text) noexcept;
[[nodiscard]] std::optional<double> to_double(std::string_view text) noexcept;
/// "%41b" -> "Ab"; '+' becomes a blank in queries only. Broken escapes stay as they are.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_blank);
/// Base64 of RFC 4648 with padding, as push deliveries carry it.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// Nothing when the text is not base64. White space is not skipped.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);
/// For XML and HTML, also between quotes; control characters, which neither may hold, become '?'.
[[nodiscard]] std::string escape_markup(std::string_view text);
/// For a workflow command of GitHub ("::error file=...::..."), its message or one of its properties.
[[nodiscard]] std::string escape_annotation(std::string_view text, bool is_property);
/// 64-bit FNV-1a as 16 hex digits: for change detection, not for security.
[[nodiscard]] std::string fingerprint(std::string_view bytes);

}  // namespace serin
