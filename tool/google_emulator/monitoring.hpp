#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "filter.hpp"
#include "store.hpp"

// Private to the module.
namespace serin::google_emulator {

/// Cloud Monitoring v3: time series are written and read, with the simple aligners and reducers; descriptors, alert
/// policies and dashboards are kept as they are given.
class Monitoring {
 public:
  Monitoring(Store& store, Random& random) : store_(store), random_(random) {}
  [[nodiscard]] std::vector<Route> routes();
  /// What a service of the emulator measures of itself: series with one point, of now. Asked when somebody reads.
  void measures(std::function<json::array(const Call&)> source) { sources_.push_back(std::move(source)); }

 private:
  Reply create_series(Call& call);
  Reply list_series(Call& call);
  Reply put_descriptor(Call& call);
  Reply get_descriptor(Call& call);
  Reply list_descriptors(Call& call);
  Reply delete_descriptor(Call& call);
  /// Resources that nothing happens with: alertPolicies, dashboards. \param list_name  member of the list's answer
  void add_plain(std::vector<Route>& routes, std::string_view version, std::string_view collection);
  Outcome write_one(const Call& call, const json::object& series);
  Store& store_;
  Random& random_;
  std::vector<std::function<json::array(const Call&)>> sources_;
  std::vector<std::unique_ptr<std::string>> patterns_;  ///< of the plain resources; routes view them
};

/// One point of a series.
struct Point {
  std::int64_t at = 0;  ///< microseconds: the end of its interval
  double value = 0;
};
/// Points in buckets that end at `end`, `end` - period, ...; the newest first. Nothing for an aligner that is not
/// known.
[[nodiscard]] std::optional<std::vector<Point>> align(const std::vector<Point>& points, std::string_view aligner,
                                                      std::int64_t start, std::int64_t end, std::int64_t period);
/// Several series as one, time by time. Nothing for a reducer that is not known.
[[nodiscard]] std::optional<std::vector<Point>> reduce(const std::vector<std::vector<Point>>& series,
                                                       std::string_view reducer);

}  // namespace serin::google_emulator
