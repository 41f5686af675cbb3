#pragma once
#include <boost/json/object.hpp>

#include "serin/google/cloud_monitoring.hpp"

// Private to the module: series as the service writes them.
namespace serin::google {

/// Errors: invalid_argument, naming the series and what does not fit.
Status check(const TimeSeries& series);
/// Pure; `series` passed check().
[[nodiscard]] boost::json::object json_of(const TimeSeries& series);
/// What has no value that we know is left out. Pure.
[[nodiscard]] TimeSeries series_of(const boost::json::object& object);

}  // namespace serin::google
