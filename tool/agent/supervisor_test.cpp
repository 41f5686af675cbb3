// Goal: replicas are kept as desired, what dies is started again but not for ever, what leaves leaves in order.
// Method: a machine of memory, time as a number.
#include "serin/agent/supervisor.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>

namespace serin::agent {
namespace {

struct FakeMachine final : Machine {
  Result<std::uint16_t> free_port() override { return static_cast<std::uint16_t>(40000 + next); }
  Result<ProcessId> start(const ServiceName&, const ReleaseSpec&, const std::string& replica, std::uint16_t,
                          const std::string&) override {
    if (!refusal.empty()) return fail(Errc::not_found, refusal);
    started.push_back(replica);
    return ProcessId{.pid = ++next, .started = next};
  }
  std::optional<ProcessEnd> end_of(const ProcessId& process) override {
    const auto found = ends.find(process.pid);
    return found == ends.end() ? std::nullopt : std::optional(found->second);
  }
  void signal(const ProcessId& process, int number) override {
    signals.push_back(fmt::format("{} {}", process.pid, number));
  }
  void begin_probe(const std::string& key, const std::string&, const std::string&) override { probes[key] = answer; }
  std::optional<Probe> last_probe(const std::string& key) override {
    const auto found = probes.find(key);
    if (found == probes.end()) return std::nullopt;
    found->second.began = now;
    return found->second;
  }
  std::string log_of(const ServiceName&, const std::string& replica) override { return "/log/" + replica; }
  std::string last_words(const std::string&) override { return "MODEL_PATH is not set"; }

  int next = 100;
  Instant now;
  std::string refusal;
  Probe answer{.ready = true, .answered = true};
  std::vector<std::string> started;
  std::map<int, ProcessEnd> ends;
  std::vector<std::string> signals;
  std::map<std::string, Probe> probes;
};

class Supervising : public testing::Test {
 protected:
  void tick(int times = 1) {
    for (int i = 0; i < times; ++i) {
      now += 100ms;
      machine.now = now;
      supervisor.tick(desired, now);
    }
  }
  const Replica& replica(std::size_t index = 0) {
    seen = supervisor.replicas();
    return seen.at(index).replica;
  }
  Instant now{std::chrono::hours(1)};
  FakeMachine machine;
  Supervisor supervisor{machine};
  std::vector<control::ObservedReplica> seen;
  std::vector<control::DesiredRelease> desired{{.service = ServiceName::make("shop").value(),
                                                .spec = {.name = ReleaseName::make("v1").value(),
                                                         .command = {"/x"},
                                                         .environment = {},
                                                         .directory = "/",
                                                         .labels = {},
                                                         .replicas = 2,
                                                         .digest = "d"},
                                                .running = true}};
};

TEST_F(Supervising, starts_what_is_desired_and_lets_it_in_when_ready) {
  machine.answer = {.ready = false, .answered = true, .reason = "HTTP 503"};
  tick(3);
  EXPECT_EQ(machine.started, (std::vector<std::string>{"v1-0", "v1-1"}));
  EXPECT_EQ(replica().state, ReplicaState::starting);
  EXPECT_EQ(replica().reason, "GET /ready: HTTP 503") << "one sees what it waits for";
  machine.answer = {.ready = true, .answered = true};
  tick(5);
  EXPECT_EQ(replica().state, ReplicaState::ready);
  EXPECT_EQ(replica(1).state, ReplicaState::ready);
  EXPECT_EQ(machine.started.size(), 2u);
}

TEST_F(Supervising, starts_again_what_died) {
  tick(5);
  machine.ends[101] = {.signal = SIGSEGV};
  tick();
  EXPECT_EQ(replica().state, ReplicaState::exited);
  EXPECT_EQ(replica().restarts, 1);
  EXPECT_NE(replica().reason.find("signal 11"), std::string::npos) << replica().reason;
  tick(6);
  EXPECT_EQ(replica().state, ReplicaState::ready);
  EXPECT_EQ(machine.started.size(), 3u);
}

TEST_F(Supervising, gives_up_on_what_never_becomes_ready_and_says_its_last_words) {
  machine.answer = {};
  for (int pid = 101; pid < 200; ++pid) machine.ends[pid] = {.code = 3};
  tick(200);
  EXPECT_EQ(replica().state, ReplicaState::crash_looping);
  EXPECT_EQ(replica().reason, "exit code 3: MODEL_PATH is not set");
  EXPECT_EQ(machine.started.size(), 6u) << "three attempts each";
}

TEST_F(Supervising, a_program_that_cannot_be_started_is_given_up_too) {
  machine.refusal = "cannot run /x: No such file or directory";
  tick(100);
  EXPECT_EQ(replica().state, ReplicaState::crash_looping);
  EXPECT_NE(replica().reason.find("cannot run /x"), std::string::npos);
}

TEST_F(Supervising, one_slow_answer_does_not_take_it_out_but_a_no_does) {
  tick(5);
  machine.answer = {.ready = false, .answered = false, .reason = "too slow"};
  tick(2);
  EXPECT_EQ(replica().state, ReplicaState::ready);
  tick(10);
  EXPECT_EQ(replica().state, ReplicaState::not_ready);
  machine.answer = {.ready = true, .answered = true};
  tick(4);
  EXPECT_EQ(replica().state, ReplicaState::ready) << "and back again";
  machine.answer = {.ready = false, .answered = true, .reason = "HTTP 503"};
  tick(4);
  EXPECT_EQ(replica().state, ReplicaState::not_ready) << "it said so itself";
}

TEST_F(Supervising, ends_in_order) {
  tick(5);
  desired[0].running = false;
  tick();
  EXPECT_EQ(replica().state, ReplicaState::stopped) << "out of rotation first";
  EXPECT_TRUE(machine.signals.empty());
  tick();
  EXPECT_EQ(machine.signals, (std::vector<std::string>{"101 15", "102 15"}));
  machine.ends[101] = {.code = 0};
  tick();
  EXPECT_EQ(supervisor.replicas().size(), 1u);
  tick(250);
  EXPECT_EQ(machine.signals.back(), "102 9") << "a deaf one is killed after 20 s";
  EXPECT_EQ(machine.signals.size(), 3u) << "once";
  machine.ends[102] = {.signal = SIGKILL};
  tick();
  EXPECT_TRUE(supervisor.is_idle());
}

TEST_F(Supervising, a_new_agent_takes_over_what_lives) {
  tick(5);
  const std::vector<control::ObservedReplica> before = supervisor.replicas();
  machine.ends[102] = {};
  Supervisor next(machine);
  next.adopt(before, desired, now);
  EXPECT_EQ(next.replicas().at(0).replica.state, ReplicaState::ready) << "not taken out of rotation";
  now += 100ms;
  machine.now = now;
  next.tick(desired, now);
  EXPECT_EQ(machine.started.size(), 2u) << "nothing is started twice";
  EXPECT_EQ(next.replicas().at(1).replica.state, ReplicaState::exited) << "this one died meanwhile";
}

TEST_F(Supervising, wanted_again_while_it_leaves_means_a_new_one) {
  tick(5);
  desired[0].running = false;
  tick(2);
  desired[0].running = true;
  machine.ends[101] = {.code = 0};
  machine.ends[102] = {.code = 0};
  tick(8);
  EXPECT_EQ(machine.started.size(), 4u);
  EXPECT_EQ(replica().state, ReplicaState::ready);
}

}  // namespace
}  // namespace serin::agent
