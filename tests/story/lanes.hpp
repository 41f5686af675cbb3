#pragma once
#include <atomic>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// What a program that plays many releases on many fleets needs: its options, and its threads.
namespace serin::story {

/// Reads "--name value" pairs. False for a name that is in neither list, a number that is none, an empty value, and a
/// value too few.
inline bool parse_options(int count, char** words, const std::map<std::string_view, int*>& numbers,
                          const std::map<std::string_view, std::string*>& texts) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view value = words[i + 1];
    if (value.empty()) return false;
    if (const auto number = numbers.find(words[i]); number != numbers.end()) {
      if (std::from_chars(value.data(), value.data() + value.size(), *number->second).ec != std::errc()) return false;
    } else if (const auto text = texts.find(words[i]); text != texts.end()) {
      *text->second = value;
    } else {
      return false;
    }
  }
  return count % 2 == 1;
}

/// Calls work(lane, i) for every i below `count`, each in the first of `lanes` threads that is free; lanes are numbered
/// from `first`. Returns when all are done.
template <class Work>
void in_lanes(int first, int lanes, std::size_t count, const Work& work) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (int lane = first; lane < first + lanes; ++lane)
    threads.emplace_back([&, lane] {
      for (std::size_t i; (i = next++) < count;) work(lane, i);
    });
}

}  // namespace serin::story
