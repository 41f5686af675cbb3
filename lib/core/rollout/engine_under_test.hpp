#pragma once
// What every test of the engine has: a service with users in a seeded world, a journal in memory, a seat that may be
// lost.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "serin/rollout/engine.hpp"
#include "serin/rollout/split.hpp"
#include "serin/sim/fleet.hpp"

namespace serin::rollout {

inline ServiceName service() { return ServiceName::make("worker").value(); }
inline ReleaseName release(std::string_view name) { return ReleaseName::make(name).value(); }
inline ReleaseSpec spec(std::string_view name) {
  return {.name = release(name), .replicas = 2, .digest = "sha256:" + std::string(name)};
}

using sim::killed_at;

class MemoryJournal final : public Journal {
 public:
  explicit MemoryJournal(const sim::Outside& outside) : outside_(outside) {}
  Result<std::int64_t> create(const Record& record) override {
    return outside_.call("journal.create", [&]() -> Result<std::int64_t> {
      for (const Record& known : records)
        if (!is_final(known.progress.state)) return fail(Errc::conflict, "not ended");
      records.push_back(record);
      records.back().id = static_cast<std::int64_t>(records.size());
      return records.back().id;
    });
  }
  Status write(std::int64_t id, const Event& event, const Progress& progress) override {
    return outside_.call("journal.write", [&]() -> Status {
      Record& record = records.at(static_cast<std::size_t>(id) - 1);
      const auto known = std::ranges::find(record.events, event.seq, &Event::seq);
      if (known == record.events.end())
        record.events.push_back(event);
      else
        *known = event;
      record.progress = progress;
      return {};
    });
  }
  Status add(std::int64_t id, std::span<const Bucket> buckets) override {
    return outside_.call("journal.add", [&]() -> Status {
      Record& record = records.at(static_cast<std::size_t>(id) - 1);
      for (const Bucket& bucket : buckets)
        if (record.buckets.empty() || record.buckets.back().second < bucket.second) record.buckets.push_back(bucket);
      return {};
    });
  }
  Result<Record> load(std::int64_t id) override {
    return outside_.call("journal.load",
                         [&]() -> Result<Record> { return records.at(static_cast<std::size_t>(id) - 1); });
  }
  Result<std::vector<Record>> history(const std::optional<ServiceName>&, int) override {
    return outside_.call("journal.history", [&]() -> Result<std::vector<Record>> {
      return std::vector<Record>(records.rbegin(), records.rend());
    });
  }
  std::vector<Record> records;

 private:
  const sim::Outside& outside_;
};

/// Orders that a test gives, and what they were answered.
class MemoryOrders final : public Orders {
 public:
  explicit MemoryOrders(const sim::Outside& outside) : outside_(outside) {}
  /// To the first rollout, by anna.
  void give(OrderKind kind, std::string reason = "because") {
    given.push_back({.id = static_cast<std::int64_t>(given.size()) + 1,
                     .rollout = 1,
                     .kind = kind,
                     .by = "anna@host",
                     .reason = std::move(reason)});
    answers.emplace_back();
  }
  Result<std::vector<Order>> waiting(std::int64_t rollout) override {
    return outside_.call("orders.waiting", [&]() -> Result<std::vector<Order>> {
      std::vector<Order> open;
      for (const Order& order : given)
        if (order.rollout == rollout && !answers.at(static_cast<std::size_t>(order.id) - 1)) open.push_back(order);
      return open;
    });
  }
  Status answer(std::int64_t id, const OrderAnswer& answer) override {
    return outside_.call("orders.answer", [&]() -> Status {
      std::optional<OrderAnswer>& known = answers.at(static_cast<std::size_t>(id) - 1);
      EXPECT_FALSE(known) << "order " << id << " is answered twice";
      known = answer;
      return {};
    });
  }
  std::vector<Order> given;
  std::vector<std::optional<OrderAnswer>> answers;

 private:
  const sim::Outside& outside_;
};

class Seat final : public Guard {
 public:
  Status check() override {
    if (taken) return fail(Errc::conflict, "held by process 8");
    return {};
  }
  bool taken = false;
};

class Notes final : public RolloutObserver {
 public:
  void on_stage(const Record&, double percent) override { lines.push_back(fmt::format("stage {}", percent)); }
  void on_evidence(const Record&, const Bucket&) override { ++seconds; }
  void on_verdict(const Record&, std::string_view text) override { lines.push_back("verdict " + std::string(text)); }
  void on_note(std::string_view text) override { lines.push_back("note " + std::string(text)); }
  [[nodiscard]] std::string text() const { return fmt::format("{}", fmt::join(lines, "\n")); }
  std::vector<std::string> lines;
  int seconds = 0;
};

/// Answers as it is told, the last one again and again, and remembers where it was asked.
class DataSays final : public Gate {
 public:
  explicit DataSays(std::string its_file = "checks.yaml") : file(std::move(its_file)) {}
  GateAnswer ask(const GateQuestion& question, Deadline) override {
    EXPECT_EQ(question.file, file);
    asked.push_back(question.point);
    candidate = question.candidate;
    return {answers.size() < asked.size() ? answers.back() : answers[asked.size() - 1], "3 checks"};
  }
  std::vector<GateVerdict> answers = {GateVerdict::pass};
  std::vector<GatePoint> asked;
  std::vector<std::string> candidate;  ///< as asked last
  std::string file;
};

/// The service with v1 alone, users, and an engine for v2.
struct Scene {
  explicit Scene(std::uint64_t seed = 1)
      : world({.seed = seed}), fleet(world, service()), journal(fleet.outside), orders(fleet.outside) {
    static_cast<void>(fleet.start(service(), spec("v1"), Deadline::never()));
    fleet.set_split({{release("v1"), 100}});
    world.advance(10s);
  }
  Engine engine() {
    return Engine({.router = fleet,
                   .platform = fleet,
                   .traffic = fleet,
                   .http = fleet,
                   .sleeper = world.sleeper(),
                   .patient = patient,
                   .journal = journal,
                   .guard = seat,
                   .observer = notes,
                   .gate = gate,
                   .smoke = smoke,
                   .orders = &orders});
  }
  Result<Report> deploy(std::string_view name = "v2", bool force = false) {
    return engine().run(
        {.service = service(), .release = spec(name), .plan = Plan::make(options).value(), .force = force});
  }
  Result<Report> rollback() {
    return engine().rollback(
        service(), [](const ReleaseName& name) -> Result<ReleaseSpec> { return spec(name.str()); }, false);
  }
  [[nodiscard]] std::string split() const { return split_text(fleet.split()); }
  [[nodiscard]] std::string story(const Result<Report>& result) const {
    return fmt::format(
        "{}\nsplit {}\n{}",
        result ? fmt::format("{}: {}", state_name(result->outcome), result->reason) : result.error().text(), split(),
        notes.text());
  }

  /// The world's time, deaf to Ctrl-C.
  struct Patient final : Sleeper {
    explicit Patient(sim::World& owner) : world(owner) {}
    Instant now() const override { return world.now(); }
    WallTime wall() const override { return world.sleeper().wall(); }
    Status sleep_until(Instant until) override {
      world.advance(until - world.now());
      return {};
    }
    Result<bool> wait(serin::Event& event, Instant until) override {
      SERIN_CHECK(sleep_until(until));
      return event.is_set();
    }
    sim::World& world;
  };
  sim::World world;
  Patient patient{world};
  sim::Fleet fleet;
  MemoryJournal journal;
  MemoryOrders orders;
  Seat seat;
  Notes notes;
  Gate* gate = nullptr;
  Gate* smoke = nullptr;
  PlanOptions options{.stages = {5, 50},
                      .monitoring_duration = 30s,
                      .min_stage = 5s,
                      .ready_timeout = 10s,
                      .restore_timeout = 5s,
                      .judge = {.healthy = {2.0, 0.01}}};
};

inline std::string expect_outcome(const Scene& scene, const Result<Report>& result, State outcome,
                                  std::string_view split) {
  EXPECT_TRUE(result.has_value() && result->outcome == outcome) << scene.story(result);
  EXPECT_EQ(scene.split(), split) << scene.story(result);
  return result ? result->reason : result.error().text();
}

}  // namespace serin::rollout
