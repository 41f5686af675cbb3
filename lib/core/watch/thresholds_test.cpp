// Goal: findings count on both edges, unknown is never health, and flapping is seen. Method: sequences written as
// letters (o ok, u unknown, f failing) with what counts after each; then seeded ones against what the whole past says.
#include "serin/watch/thresholds.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "serin/sim/world.hpp"

namespace serin::watch {
namespace {

Finding of(char letter) { return letter == 'o' ? Finding::ok : letter == 'u' ? Finding::unknown : Finding::failing; }
Counts after(std::string_view findings, const ThresholdOptions& options, Counts counts = {}) {
  for (const char letter : findings) counts = count(std::move(counts), of(letter), options);
  return counts;
}
/// What counts after each finding: 'o', 'u', 'f', or '-' for nothing yet.
std::string conditions(std::string_view findings, const ThresholdOptions& options = {}) {
  std::string out;
  Counts counts;
  for (const char letter : findings) {
    counts = count(std::move(counts), of(letter), options);
    out += !counts.condition ? '-' : finding_name(*counts.condition)[0];
  }
  return out;
}

TEST(Thresholds, fail_after_three_and_are_well_after_two) {
  EXPECT_EQ(conditions("offofffofoo"), "ooooooffffo");
  EXPECT_EQ(conditions("offoff"), "oooooo") << "one ok between them starts the count again";
  EXPECT_EQ(conditions("f"), "-") << "nothing is known yet, which is not ok";
  EXPECT_EQ(conditions("ffo"), "--o");
}

TEST(Thresholds, never_take_unknown_for_health) {
  EXPECT_EQ(conditions("uuu"), "--u");
  EXPECT_EQ(conditions("ouuuoo"), "ooouuo");
  EXPECT_EQ(conditions("offuf"), "oooof") << "unknown neither counts as failing nor ends a row of it";
  EXPECT_EQ(conditions("offfuuuuuu"), "ooofffffff") << "what is failing stays so";
  EXPECT_EQ(conditions("offfouoo"), "oooffffo") << "unknown ends a row of ok";
  EXPECT_EQ(conditions("ouuufff"), "ooouuuf") << "unknown turns into failing when that is found";
}

TEST(Thresholds, see_flapping_as_k_of_the_last_n) {
  EXPECT_EQ(conditions("ofofofofof"), "oooooooooo") << "rows alone never see it";
  const ThresholdOptions flapping{.k = 3, .n = 8};
  EXPECT_EQ(conditions("ofofof", flapping), "ooooof");
  EXPECT_EQ(conditions("ofofofoooo", flapping), "oooooffffo") << "two ok in a row, but three of eight are bad";
  EXPECT_EQ(conditions("ofouof", flapping), "ooooou") << "only together they are three";
}

TEST(Thresholds, refuse_what_makes_no_sense) {
  EXPECT_TRUE(check_thresholds({}));
  EXPECT_TRUE(check_thresholds({.k = 6, .n = 10}));
  for (const ThresholdOptions bad : {ThresholdOptions{.fail_after = 0},
                                     {.unknown_after = 1001},
                                     {.ok_after = -1},
                                     {.k = 3, .n = 2},
                                     {.k = 1, .n = 2},
                                     {.k = 0, .n = 5},
                                     {.k = 2, .n = 0},
                                     {.k = 2, .n = 2000}})
    EXPECT_FALSE(check_thresholds(bad)) << bad.fail_after << bad.unknown_after << bad.ok_after << bad.k << bad.n;
}

/// Whether the past, read as a whole, has enough of what is bad: another way to say what count() counts.
bool is_bad(std::string_view past, const ThresholdOptions& options) {
  const auto row = past.substr(past.find_last_of('o') == std::string_view::npos ? 0 : past.find_last_of('o') + 1);
  if (std::ranges::count(row, 'f') >= options.fail_after || std::ranges::count(row, 'u') >= options.unknown_after)
    return true;
  const auto size = std::min(past.size(), static_cast<std::size_t>(options.n));
  const auto last = past.substr(past.size() - size);
  return options.k > 0 && std::ranges::count(last, 'f') + std::ranges::count(last, 'u') >= options.k;
}

TEST(ThresholdsProperty, agree_with_the_whole_past) {
  sim::SeededRandom random(7);
  const auto pick = [&](int from, int to) {
    return from + static_cast<int>(random.next() % static_cast<std::uint64_t>(to - from + 1));
  };
  for (int round = 0; round < 2000; ++round) {
    ThresholdOptions options{.fail_after = pick(1, 5), .unknown_after = pick(1, 5), .ok_after = pick(1, 5)};
    if (pick(0, 1) != 0) {
      options.n = pick(2, 12);
      options.k = pick(2, options.n);
    }
    std::string past;
    Counts counts;
    for (int i = 0; i < 60; ++i) {
      const Counts before = counts;
      const char letter = "ouf"[pick(0, 2)];
      past += letter;
      counts = count(counts, of(letter), options);
      const std::string at = past + " round " + std::to_string(round);
      const bool bad = is_bad(past, options);
      if (bad) ASSERT_NE(counts.condition.value_or(Finding::ok), Finding::ok) << at;
      if (letter != 'o' && before.condition != Finding::ok) ASSERT_NE(counts.condition, Finding::ok) << at;
      if (before.condition == Finding::ok && !bad) ASSERT_EQ(counts.condition, Finding::ok) << at;
      if (before.condition == Finding::failing && counts.condition != Finding::failing) {
        ASSERT_EQ(counts.condition, Finding::ok) << at;
        ASSERT_FALSE(bad) << at;
        ASSERT_TRUE(past.ends_with(std::string(static_cast<std::size_t>(options.ok_after), 'o'))) << at;
      }
      ASSERT_LE(counts.last.size(), static_cast<std::size_t>(options.n)) << at;
    }
    // Enough of ok always ends it, and what is stored is all that counts.
    EXPECT_EQ(after(std::string(20, 'o'), options, counts).condition, Finding::ok);
  }
}

}  // namespace
}  // namespace serin::watch
