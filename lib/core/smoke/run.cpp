#include "serin/smoke/run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "answer.hpp"
#include "serin/base/text.hpp"

namespace serin::smoke {
namespace {

/// Everything secret that may come back: the secrets themselves, and how basic authentication writes them.
std::map<std::string, std::string> hidden(const Step& step, const Surroundings& with,
                                          const std::map<std::string, std::string>& variables) {
  std::map<std::string, std::string> out = with.secrets;
  if (const auto basic = filled_in(step.basic, variables, with.secrets); basic && !step.basic.empty())
    out["basic"] = base64_encode(*basic);
  return out;
}

class StepRun {
 public:
  StepRun(const Step& step, const Patience& patience, const Surroundings& with,
          std::map<std::string, std::string>& variables, HttpClient& http, Sleeper& sleeper)
      : step_(step), patience_(patience), with_(with), variables_(variables), http_(http), sleeper_(sleeper) {}

  StepResult run() {
    result_.line = step_.line;
    result_.request = step_.method + " " + step_.path;
    const Result<HttpRequest> request = prepare();
    if (!request) return tell(Outcome::unknown, request.error().detail());
    const Deadline until = Deadline::after(sleeper_.now(), patience_.deadline);
    Duration wait = patience_.first;
    for (;;) {
      const bool sure = attempt(*request, until);
      if (sure || until.left(sleeper_.now()) <= wait) return tidy();
      if (!sleeper_.sleep_for(wait)) return tell(Outcome::unknown, "a stop was requested");
      wait = std::min(2 * wait, patience_.most);
    }
  }

 private:
  Result<HttpRequest> prepare() {
    const auto origin = with_.origins.find(step_.service);
    if (origin == with_.origins.end())
      return fail(Errc::not_found, fmt::format("there is no address of {}; --url {}=http://... gives one",
                                               step_.service, step_.service));
    origin_ = origin->second;
    HttpRequest request{.method = step_.method};
    SERIN_TRY(request.target, fill(step_.path));
    SERIN_TRY(request.body, fill(step_.body));
    for (const auto& [name, value] : step_.headers) {
      SERIN_TRY(const std::string text, fill(value));
      request.headers.set(name, text);
    }
    if (!step_.basic.empty()) {
      SERIN_TRY(const std::string pair, fill(step_.basic));
      request.headers.set("Authorization", "Basic " + base64_encode(pair));
    }
    result_.request = fmt::format("{} {}{}", request.method, origin_, request.target);
    return request;
  }

  /// One try. True when there is nothing to try again.
  bool attempt(const HttpRequest& request, Deadline until) {
    const Instant began = sleeper_.now();
    ++result_.tries;
    // A first try has its whole time; later ones end with the patience.
    const Deadline own = Deadline::after(began, patience_.try_timeout);
    const auto answer = http_.send(origin_, request, result_.tries == 1 ? own : own.sooner(until));
    result_.took = sleeper_.now() - began;
    if (!answer) {
      set(answer.error().code() == Errc::cancelled ? Outcome::unknown : Outcome::fail, answer.error().text());
      return answer.error().code() == Errc::cancelled;
    }
    const bool refused = answer->status == 401 || answer->status == 403;
    if (refused && std::ranges::find(step_.expect.statuses, answer->status) == step_.expect.statuses.end()) {
      set(Outcome::unknown, fmt::format("status is {}: we may not ask this, so nothing is known", answer->status));
      return true;
    }
    if (const std::string wrong = wrong_with(step_.expect, *answer, result_.took); !wrong.empty()) {
      set(Outcome::fail, wrong);
      return false;
    }
    for (const auto& [name, place] : step_.capture) {
      const auto found = found_at(place, *answer);
      if (!found) {
        set(Outcome::fail, fmt::format("there is nothing at {} to capture as {}", place, name));
        return false;
      }
      variables_[name] = *found;
    }
    set(Outcome::pass, "");
    return true;
  }

  Result<std::string> fill(const std::string& text) const { return filled_in(text, variables_, with_.secrets); }
  void set(Outcome outcome, std::string said) {
    result_.outcome = outcome;
    result_.said = std::move(said);
  }
  StepResult tell(Outcome outcome, std::string said) {
    set(outcome, std::move(said));
    return tidy();
  }
  StepResult tidy() {
    const auto secret = hidden(step_, with_, variables_);
    result_.request = redacted(std::move(result_.request), secret);
    result_.said = redacted(std::move(result_.said), secret);
    return std::move(result_);
  }

  const Step& step_;
  const Patience& patience_;
  const Surroundings& with_;
  std::map<std::string, std::string>& variables_;
  HttpClient& http_;
  Sleeper& sleeper_;
  std::string origin_;
  StepResult result_;
};

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::pass: return "pass";
    case Outcome::fail: return "fail";
    case Outcome::unknown: return "unknown";
  }
  return "unknown";
}

TestResult run_test(const Test& test, const Surroundings& with, HttpClient& http, Sleeper& sleeper) {
  TestResult out{.name = test.name, .service = test.steps.front().service, .outcome = Outcome::pass, .line = test.line};
  const Instant began = sleeper.now();
  std::map<std::string, std::string> variables = with.variables;
  for (const Step& step : test.steps) {
    out.steps.push_back(StepRun(step, test.patience, with, variables, http, sleeper).run());
    out.outcome = out.steps.back().outcome;
    if (out.outcome != Outcome::pass) break;
  }
  out.took = sleeper.now() - began;
  return out;
}

}  // namespace serin::smoke
