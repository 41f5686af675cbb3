// Goal: what is drawn has the distributions it claims, a rollout is the same for a seed, files are read strictly, and
// judges behave in play as they do in theory. Method: moments of many draws, fixed seeds.
#include <gtest/gtest.h>

#include <cmath>

#include "serin/trials/power.hpp"
#include "serin/trials/trial.hpp"

namespace serin::trials {
namespace {

struct Moments {
  double mean = 0;
  double variance = 0;
};
template <class Draw>
Moments moments(int n, const Draw& draw) {
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    const auto value = static_cast<double>(draw());
    sum += value;
    squares += value * value;
  }
  const double mean = sum / n;
  return {mean, squares / n - mean * mean};
}

TEST(Sampler, draws_counts_with_the_right_mean_and_variance) {
  Sampler sampler(1);
  for (const double mean : {0.2, 5.0, 9.9, 10.1, 80.0, 5000.0}) {
    const Moments poisson = moments(100'000, [&] { return sampler.poisson(mean); });
    EXPECT_NEAR(poisson.mean, mean, 5 * std::sqrt(mean / 100'000)) << mean;
    EXPECT_NEAR(poisson.variance / mean, 1, 0.03) << mean;
  }
  for (const auto& [n, p] :
       {std::pair{10, 0.3}, {1000, 0.002}, {1000, 0.02}, {1000, 0.5}, {1000, 0.9}, {100'000, 0.37}}) {
    const Moments binomial = moments(100'000, [&] { return sampler.binomial(n, p); });
    const double variance = n * p * (1 - p);
    EXPECT_NEAR(binomial.mean, n * p, 5 * std::sqrt(variance / 100'000)) << n << " " << p;
    EXPECT_NEAR(binomial.variance / variance, 1, 0.03) << n << " " << p;
  }
  const Moments geometric = moments(100'000, [&] { return sampler.geometric(6); });
  EXPECT_NEAR(geometric.mean, 6, 0.1);
  EXPECT_NEAR(geometric.variance, 30, 1);
}

TEST(Sampler, has_the_exact_probabilities_where_it_changes_its_method) {
  // Chi squared of 200,000 draws against Binomial(30, 0.4): 24 cells that are expected at least 5 times.
  Sampler sampler(2);
  std::vector<int> seen(31);
  for (int i = 0; i < 200'000; ++i) ++seen[static_cast<std::size_t>(sampler.binomial(30, 0.4))];
  double chi = 0;
  int cells = 0;
  for (int k = 0; k <= 30; ++k) {
    const double p = std::exp(std::lgamma(31) - std::lgamma(k + 1) - std::lgamma(31 - k) + k * std::log(0.4) +
                              (30 - k) * std::log(0.6));
    if (p * 200'000 < 5) continue;
    ++cells;
    chi += std::pow(seen[static_cast<std::size_t>(k)] - p * 200'000, 2) / (p * 200'000);
  }
  EXPECT_LT(chi, cells + 4 * std::sqrt(2.0 * cells)) << cells << " cells";
}

TEST(Sampler, takes_the_edges) {
  Sampler sampler(3);
  EXPECT_EQ(sampler.binomial(10, 0), 0);
  EXPECT_EQ(sampler.binomial(10, 1), 10);
  EXPECT_EQ(sampler.binomial(0, 0.5), 0);
  EXPECT_EQ(sampler.poisson(0), 0);
  EXPECT_EQ(sampler.geometric(1), 1);
}

constexpr std::string_view five_times = R"(
scenario: five
rate: 100
errors: 0.002
canary: {times: 5}
stages:
  - {percent: 5, for: 5m}
  - {percent: 50, for: 5m}
)";

TEST(Scenario, is_read_strictly) {
  const auto file = parse_scenario(five_times, "x.yaml");
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->scenario.times, 5);
  EXPECT_EQ(file->scenario.stages.size(), 2u);
  EXPECT_EQ(file->scenario.seconds(), 600);
  EXPECT_FALSE(file->scenario.healthy());
  const auto refused = [](std::string_view text, std::string_view expected) {
    const auto read = parse_scenario(text, "x.yaml");
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().detail().find(expected), std::string::npos) << read.error().detail();
  };
  refused("scenario: a\nrats: 5\n", "x.yaml:2:1");
  refused("scenario: a\nrats: 5\n", "rate");
  refused("scenario: a\nerrors: 2\n", "x.yaml:2:9: errors is 2, it has to be from 0 to 1");
  refused("scenario: a\nstages: [{percent: 100, for: 5m}]\n", "x.yaml:2");
  refused("scenario: a\nstages: [{percent: 5, for: 100ms}]\n", "for is 0");
  refused("scenario: a\njudge: {alpha: 3}\n", "alpha is 3");
  refused("rate: 5\n", "scenario");
}

TEST(Scenario, has_the_rates_it_describes) {
  Scenario scenario;
  scenario.errors = 0.002;
  scenario.times = 5;
  scenario.from = 100;
  scenario.ramp = 100;
  scenario.incidents = {{.at = 300, .seconds = 60, .errors = 0.06}};
  EXPECT_DOUBLE_EQ(scenario.canary_rate(99), 0.002);
  EXPECT_DOUBLE_EQ(scenario.canary_rate(150), 0.006);
  EXPECT_DOUBLE_EQ(scenario.canary_rate(250), 0.01);
  EXPECT_DOUBLE_EQ(scenario.baseline_rate(310), 0.06);
  EXPECT_DOUBLE_EQ(scenario.canary_rate(310), 0.3);
  scenario.drift = 2;
  EXPECT_DOUBLE_EQ(scenario.baseline_rate(900), 0.004);
}

Characteristics many(const Scenario& scenario, const ContenderKind& kind, int runs, std::uint64_t seed = 7) {
  std::vector<Trial> trials(static_cast<std::size_t>(runs));
  play_some(scenario, kind, seed, 0, trials);
  return characterise(trials);
}

TEST(Trials, are_the_same_for_a_seed_however_they_are_divided) {
  const Scenario scenario = parse_scenario(five_times, "x.yaml")->scenario;
  const ContenderKind kind = serin_judge({});
  std::vector<Trial> whole(20);
  play_some(scenario, kind, 9, 0, whole);
  std::vector<Trial> second_half(10);
  play_some(scenario, kind, 9, 10, second_half);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(second_half[i].second, whole[10 + i].second);
    EXPECT_EQ(second_half[i].canary_failures, whole[10 + i].canary_failures);
  }
}

TEST(Trials, find_five_times_the_errors_and_leave_the_healthy_alone) {
  const Scenario bad = parse_scenario(five_times, "x.yaml")->scenario;
  Scenario good = bad;
  good.times = 1;
  const Characteristics found = many(bad, serin_judge({}), 100);
  EXPECT_GE(found.rolled_back, 99);
  EXPECT_LT(*found.median_second, 400);
  EXPECT_LT(found.canary_failures, 60);
  EXPECT_LE(many(good, serin_judge({}), 300).rolled_back, 3);
}

TEST(Trials, show_what_the_fields_rules_do) {
  Scenario close = parse_scenario(five_times, "x.yaml")->scenario;
  close.errors = 0.009;
  close.times = 1;
  EXPECT_GE(many(close, argo_rule(0), 50).rolled_back, 40) << "0.9 % is healthy, and above 1 % once in ten minutes";
  EXPECT_EQ(many(close, serin_judge({}), 50).rolled_back, 0);
  EXPECT_EQ(many(close, script_rule(), 50).rolled_back, 50) << "270 errors in five minutes, all of them as ever";
  Scenario silent = close;
  silent.rate = 1e-6;
  EXPECT_EQ(many(silent, flagger_rule(1), 5).rolled_back, 5) << "no value is a miss";
  EXPECT_EQ(many(silent, argo_rule(0), 5).rolled_back, 5) << "five errors in a row";
  EXPECT_EQ(many(silent, serin_judge({}), 5).rolled_back, 0);
  EXPECT_EQ(many(silent, serin_judge({}), 5).proved, 0) << "and nothing is not health";
}

TEST(Trials, hold_an_incident_of_both) {
  Scenario scenario = parse_scenario(five_times, "x.yaml")->scenario;
  scenario.times = 1;
  scenario.incidents = {{.at = 400, .seconds = 60, .errors = 0.06}};
  const Characteristics met = many(scenario, serin_judge({}), 100);
  EXPECT_LE(met.rolled_back, 1);
  EXPECT_GE(met.held, 95);
  EXPECT_EQ(many(scenario, argo_rule(0), 20).rolled_back, 20);
}

TEST(Trials, a_flaky_client_is_found_out_where_clients_are_known) {
  Scenario scenario = parse_scenario(five_times, "x.yaml")->scenario;
  scenario.times = 1;
  scenario.rate = 50;
  scenario.history_seconds = 300;
  scenario.clients = Clients{.count = 300, .broken = 0.01};
  EXPECT_LE(many(scenario, serin_judge({}), 40).rolled_back, 2);
}

TEST(Trials, see_slowness) {
  Scenario scenario = parse_scenario(five_times, "x.yaml")->scenario;
  scenario.times = 1;
  scenario.history_seconds = 300;
  scenario.latency = Times{};
  EXPECT_EQ(many(scenario, serin_judge({}), 30).rolled_back, 0);
  scenario.latency->slower = 1.5;
  EXPECT_FALSE(scenario.healthy());
  EXPECT_GE(many(scenario, serin_judge({}), 30).rolled_back, 29);
}

PlanSight plan_at(double rate, double errors, std::vector<StageOfPlay> stages) {
  const Player alone = [](const Scenario& scenario, const ContenderKind& kind, std::int64_t runs, std::uint64_t seed,
                          Promotion promotion) {
    std::vector<Trial> trials(static_cast<std::size_t>(runs));
    play_some(scenario, kind, seed, 0, trials, promotion);
    return trials;
  };
  return look_at_plan({.rate = rate, .errors = errors, .stages = std::move(stages), .judge = {}, .runs = 60}, alone);
}

TEST(Power, grows_with_the_traffic) {
  const PlanSight little = plan_at(10, 0.001, {{5, 300}});
  const PlanSight more = plan_at(1000, 0.001, {{5, 300}});
  ASSERT_TRUE(little.stages[0].smallest && more.stages[0].smallest);
  EXPECT_GT(*little.stages[0].smallest, 3 * *more.stages[0].smallest);
  EXPECT_GE(more.stages[0].found, 0.8);
  EXPECT_LT(*more.stages[0].smallest, 0.006) << "about four times 0.1 %";
  EXPECT_LE(more.stages[0].seconds, 300);
  EXPECT_GT(more.stages[0].proved, 0.9) << "15,000 requests prove health";
  EXPECT_FALSE(little.blind());
}

TEST(Power, without_traffic_is_none) {
  const PlanSight none = plan_at(0.05, 0.001, {{5, 300}, {50, 60}});
  EXPECT_TRUE(none.blind());
  EXPECT_FALSE(none.stages[0].smallest);
  EXPECT_EQ(none.stages[1].proved, 0);
  EXPECT_FALSE(plan_at(0.05, 0.001, {{5, 300}, {95, 1000}}).blind()) << "one of its stages sees something";
}

TEST(Contenders, are_found_by_name) {
  EXPECT_EQ(find_contender("kayenta", {})->name, "kayenta");
  const auto wrong = find_contender("kayentu", {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail().find("did you mean 'kayenta'?"), std::string::npos) << wrong.error().detail();
}

}  // namespace
}  // namespace serin::trials
