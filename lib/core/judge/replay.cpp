#include "serin/judge/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "serin/base/text.hpp"

namespace serin::judge {
namespace {

constexpr std::array<std::string_view, 5> names = {"second", "canary_requests", "canary_errors", "baseline_requests",
                                                   "baseline_errors"};
using Columns = std::array<std::size_t, names.size()>;

std::unexpected<Error> wrong(std::string_view file, std::size_t line, std::string_view sentence) {
  return fail(Errc::invalid_argument, fmt::format("{}:{}: {}", file, line, sentence));
}

Result<Columns> read_header(std::string_view text, std::string_view file, std::size_t line) {
  const std::vector<std::string_view> cells = split(text, ',');
  Columns columns{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find_if(cells, [&](std::string_view cell) { return trim(cell) == names[i]; });
    if (found == cells.end())
      return wrong(file, line,
                   fmt::format("no column '{}'; the first line has to name {}", names[i], fmt::join(names, ",")));
    columns[i] = static_cast<std::size_t>(found - cells.begin());
  }
  return columns;
}

Result<RecordedSecond> read_line(std::string_view text, const Columns& columns, std::string_view file,
                                 std::size_t line) {
  const std::vector<std::string_view> cells = split(text, ',');
  std::array<std::int64_t, names.size()> numbers{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (columns[i] >= cells.size()) return wrong(file, line, fmt::format("no value for {}", names[i]));
    const std::string_view cell = trim(cells[columns[i]]);
    const std::optional<std::int64_t> number = to_int(cell);
    if (!number || *number < 0)
      return wrong(file, line, fmt::format("{} is '{}', it has to be a whole number, 0 or more", names[i], cell));
    numbers[i] = *number;
  }
  const RecordedSecond row{.second = numbers[0],
                           .bucket = {.canary_requests = numbers[1],
                                      .canary_errors = numbers[2],
                                      .baseline_requests = numbers[3],
                                      .baseline_errors = numbers[4]}};
  if (row.bucket.canary_errors > row.bucket.canary_requests)
    return wrong(file, line, "more canary_errors than canary_requests");
  if (row.bucket.baseline_errors > row.bucket.baseline_requests)
    return wrong(file, line, "more baseline_errors than baseline_requests");
  return row;
}

/// The recording's usual step in seconds: the judge counts in buckets, whatever their length.
std::int64_t step_of(const std::vector<RecordedSecond>& recording) {
  std::vector<std::int64_t> steps;
  for (std::size_t i = 1; i < recording.size(); ++i) steps.push_back(recording[i].second - recording[i - 1].second);
  if (steps.empty()) return 1;
  std::ranges::nth_element(steps, steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2));
  return std::max<std::int64_t>(1, steps[steps.size() / 2]);
}

}  // namespace

Result<std::vector<RecordedSecond>> parse_recording(std::string_view csv, std::string_view file) {
  std::vector<RecordedSecond> recording;
  std::optional<Columns> columns;
  std::size_t number = 0;
  for (std::string_view line : split(csv, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty() || line.front() == '#') continue;
    if (!columns) {
      SERIN_TRY(columns, read_header(line, file, number));
      continue;
    }
    SERIN_TRY(const RecordedSecond row, read_line(line, *columns, file, number));
    if (!recording.empty() && row.second <= recording.back().second)
      return wrong(file, number,
                   fmt::format("second {} after {}: they have to grow", row.second, recording.back().second));
    recording.push_back(row);
  }
  if (!columns) return wrong(file, number, fmt::format("empty; the first line has to name {}", fmt::join(names, ",")));
  return recording;
}

Result<Replay> replay(const std::vector<RecordedSecond>& recording, const ReplayOptions& options) {
  for (const std::int64_t length : options.stage_seconds)
    if (length <= 0)
      return fail(Errc::invalid_argument, fmt::format("a stage of {} seconds: it has to be more than 0", length));
  ErrorJudgeOptions judge = options.judge;
  const std::int64_t step = step_of(recording);
  judge.planned_buckets = std::max<std::int64_t>(1, judge.planned_buckets / step);
  judge.restart_every = std::max<std::int64_t>(1, judge.restart_every / step);
  SERIN_TRY(ErrorJudge worse, ErrorJudge::make(judge));
  ErrorJudge stage_judge = worse;

  Replay result;
  result.steps.reserve(recording.size());
  std::size_t stage = 0;
  std::int64_t stage_end =
      recording.empty() || options.stage_seconds.empty() ? 0 : recording.front().second + options.stage_seconds.front();
  for (const RecordedSecond& row : recording) {
    while (stage + 1 < options.stage_seconds.size() && row.second >= stage_end) {
      stage_end += options.stage_seconds[++stage];
      SERIN_TRY(stage_judge, ErrorJudge::make(judge));
      result.verdict = Verdict::undecided;  // health at a smaller share proves little at a larger one
      result.second.reset();
    }
    worse.add(row.bucket);
    stage_judge.add(row.bucket);
    const Verdict now = worse.verdict() == Verdict::worse           ? Verdict::worse
                        : stage_judge.verdict() == Verdict::healthy ? Verdict::healthy
                                                                    : Verdict::undecided;
    ReplayStep taken{
        .second = row.second, .stage = static_cast<int>(stage), .verdict = now, .evidence = worse.evidence()};
    taken.evidence.healthy = stage_judge.evidence().healthy;
    result.steps.push_back(taken);
    if (now != result.verdict) {
      result.verdict = now;
      result.second = row.second;
    }
    if (now == Verdict::worse) break;  // a rollout would have turned back here
  }
  result.reason =
      recording.empty() ? "there is no line to judge" : explain(result.verdict == Verdict::worse ? worse : stage_judge);
  return result;
}

}  // namespace serin::judge
