#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "serin/base/error.hpp"

namespace serin::judge {

// A judge that answers as Kayenta's NetflixACAJudge-v1.0 does: each metric is a series of points (usually one a minute)
// of experiment and control; a Mann-Whitney test classifies each, and groups of metrics make a score. For those who
// come from there, and to measure it beside ours. Source: Kayenta's documentation and behaviour.

enum class KayentaDirection : std::uint8_t { increase, decrease, either };  ///< which way is bad
enum class KayentaNan : std::uint8_t { remove, replace };                   ///< points that are no numbers; by 0
enum class KayentaOutliers : std::uint8_t { keep, remove };
enum class KayentaCritical : std::uint8_t { no, yes };  ///< yes: a metric that does not pass makes the whole score 0

struct KayentaMetric {
  std::string name;
  std::vector<std::string> groups;
  KayentaDirection direction = KayentaDirection::increase;
  KayentaNan nan = KayentaNan::remove;
  KayentaOutliers outliers = KayentaOutliers::keep;
  double outlier_factor = 3.0;  ///< times the interquartile range, > 0
  bool must_have_data = false;
  KayentaCritical critical = KayentaCritical::no;
  double allowed_increase = 1.0;  ///< ratio of the means above which High counts
  double allowed_decrease = 1.0;  ///< ratio of the means below which Low counts
  std::vector<double> experiment;
  std::vector<double> control;
};

enum class KayentaClass : std::uint8_t { pass, high, low, nodata, nodata_fail };
/// "Pass", "High", "Low", "Nodata", "NodataFailMetric".
[[nodiscard]] std::string_view kayenta_class_name(KayentaClass classification) noexcept;

struct KayentaResult {
  std::string name;
  KayentaClass classification = KayentaClass::nodata;
  std::string reason;
};

struct KayentaScore {
  double score = 0;  ///< 0 to 100
  std::map<std::string, double> groups;
  std::vector<KayentaResult> results;
};

/// Where a score stands.
enum class KayentaVerdict : std::uint8_t { pass, marginal, fail };

/// One metric. Pure.
[[nodiscard]] KayentaResult kayenta_classify(const KayentaMetric& metric);
/// All of them. `group_weights` are percentages; groups without one share what is left equally. Half of the
/// metrics or more without data make 0. Pure.
[[nodiscard]] KayentaScore kayenta_judge(const std::vector<KayentaMetric>& metrics,
                                         const std::map<std::string, double>& group_weights);
/// Usual thresholds: 95 and 75. Pure.
[[nodiscard]] KayentaVerdict kayenta_verdict(double score, double pass, double marginal) noexcept;

}  // namespace serin::judge
