#include "lane.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <csignal>
#include <fstream>

#include "fleet_under_test.hpp"
#include "one_service.hpp"

namespace serin::faults {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using story::number_at;
using story::object_of;
using story::Outcome;
using story::Process;
using story::text_at;

constexpr const char* service = story::one_service;

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

bool ended_well(const Kind& kind, const End& end) {
  const bool back = end.outcome == "rolled_back";
  const bool stopped = end.outcome == "failed_to_start";
  switch (kind.must) {
    case Must::stop: return stopped && end.restored && end.failed_requests == 0;
    case Must::go_back: return (back || stopped) && end.restored;
    case Must::go_on: return end.outcome == "promoted" && end.restored;
    case Must::stay: return end.outcome == "promoted" || end.outcome == "held";
  }
  return false;
}

}  // namespace

void Lane::disturb(Meanwhile what, const std::string& state) const {
  switch (what) {
    case Meanwhile::nothing: return;
    case Meanwhile::outage: std::ofstream(state + "/faults") << "warehouse=down\n"; return;
    case Meanwhile::router_dies:
      for (const std::string& process : story::processes_mentioning(state))
        if (process.find("haproxy") != std::string::npos) kill(std::stoi(process), SIGKILL);
      return;
  }
}

End Lane::play(const Kind& kind, int round) {
  const story::Folder folder;
  const story::Fleet fleet(folder.write(
      "fleet.yaml", story::one_service_file(fmt::format("lane-{}", number_), kind.replicas, kind.base_fault)));
  if (const Outcome up = fleet.serin({"up"}, 60s); up.code != 0)
    throw std::runtime_error("the fleet does not start: " + up.text());
  const std::string release = fmt::format("x{}", round);
  const std::string file = folder.write(
      "release.yaml", story::release_file(release, round, kind.fault, replaced(kind.command, "%B", story::bin())));
  const std::string target = story::text_of(fleet.service(service).at("url")) + "/status";
  Process load(
      {story::bin() + "/serin", "load", target, "--rps", fmt::format("{}", kind.rps), "--duration", "10m", "--json"});
  const std::string few = kind.rps < 50 ? "--blind" : "--json";
  Process deploy(fleet.command({"deploy", service, "--release", file, "--json", few, "--stages", "20,50,80",
                                "--monitoring-duration", "10s", "--min-stage", "2s", "--ready-timeout", "6s",
                                "--healthy-absolute", "0.02", "--on-undecided", "hold"}));
  if (kind.meanwhile != Meanwhile::nothing) {
    story::eventually(30s, [&] { return deploy.err_so_far().find("20 %") != std::string::npos; });
    disturb(kind.meanwhile, fleet.state());
  }
  const Outcome told = deploy.wait(180s);
  load.signal(SIGINT);
  const json::object users = object_of(load.wait(30s).out);
  const json::object report = object_of(told.out);
  End end{.kind = kind.name, .outcome = text_at(report, "outcome"), .reason = text_at(report, "reason")};
  if (end.outcome.empty()) {
    end.outcome = "none";
    end.reason = told.text();
  }
  end.seconds = number_at(report, "seconds").value_or(0);
  end.failed_requests = static_cast<long long>(number_at(report, "failed_user_requests").value_or(0));
  end.to_restore = number_at(report, "verdict_to_restored_seconds");
  end.from_bad = number_at(report, "first_bad_to_restored_seconds");
  end.sent = static_cast<long long>(number_at(users, "sent").value_or(0));
  end.missed = static_cast<long long>(number_at(users, "failed").value_or(0));
  const std::string now = fleet.split(service);
  end.restored = now == (end.outcome == "promoted" ? release : "r1") + "=100";
  end.as_it_must = ended_well(kind, end);
  if (!end.as_it_must) end.reason += fmt::format(" [split afterwards: {}]", now);
  return end;
}

}  // namespace serin::faults
