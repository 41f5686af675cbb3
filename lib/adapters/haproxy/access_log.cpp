#include "serin/haproxy/access_log.hpp"

#include <fmt/format.h>

#include "serin/base/text.hpp"

namespace serin::haproxy {

Result<AccessLine> parse_access_line(std::string_view line) {
  const std::vector<std::string_view> cells = split(trim(line), ' ');
  const auto damaged = [&] {
    return fail(Errc::data_loss, fmt::format("not a line of the access log: '{}'", line.substr(0, 120)));
  };
  if (cells.size() < 8 || cells[3].size() < 2) return damaged();
  const std::optional<std::int64_t> status = to_int(cells[2]);
  if (!status) return damaged();
  // "+12" when the answer was logged before it was all sent.
  std::string_view time = cells[5];
  if (time.starts_with('+')) time.remove_prefix(1);
  const std::optional<std::int64_t> milliseconds = to_int(time);
  if (!milliseconds) return damaged();
  const std::optional<std::int64_t> answer = to_int(cells[6]);
  if (!answer) return damaged();
  return AccessLine{.service = cells[0],
                    .server = cells[1] == "<NOSRV>" ? std::string_view() : cells[1],
                    .status = static_cast<int>(*status < 0 ? 0 : *status),
                    .cause = cells[3][0],
                    .milliseconds = *milliseconds,
                    .answer_milliseconds = *answer < 0 ? std::nullopt : answer,
                    .method = cells[7],
                    .path = cells.size() > 8 ? cells[8] : std::string_view()};
}

bool is_failure(const AccessLine& line) noexcept {
  if (line.cause == 'C' || line.cause == 'c') return line.status >= 500;
  return line.status >= 500 || line.status == 0 || line.cause == 'S' || line.cause == 's';
}

}  // namespace serin::haproxy
