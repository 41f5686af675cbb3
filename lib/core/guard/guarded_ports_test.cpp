// Goal: for each function of the bus, the documents and the router it is decided whether it may be made twice, and a
// target's state and options are told. Method: ports that answer as told, on fake time.
#include "serin/guard/guarded_ports.hpp"

#include <gtest/gtest.h>

#include "serin/guard/states.hpp"
#include "serin/sim/world.hpp"

namespace serin::guard {
namespace {

/// Fails the first `failures` calls, whatever is asked.
struct Scripted {
  Status answer() {
    ++calls;
    if (failures-- > 0) return fail(Errc::unavailable, "as told");
    return {};
  }
  int calls = 0;
  int failures = 0;
};

struct ScriptedBus final : Bus, Scripted {
  Status create_topic(std::string_view, Deadline) override { return answer(); }
  Status create_subscription(SubscriptionOptions, Deadline) override { return answer(); }
  Result<std::vector<SubscriptionOptions>> subscriptions(Deadline) override {
    SERIN_CHECK(answer());
    return std::vector<SubscriptionOptions>(1);
  }
  Result<std::vector<std::string>> publish(std::string_view, std::vector<BusMessage> messages, Deadline) override {
    SERIN_CHECK(answer());
    return std::vector<std::string>(messages.size(), "id");
  }
  Result<std::vector<Delivery>> pull(std::string_view, std::size_t, Deadline) override {
    SERIN_CHECK(answer());
    return std::vector<Delivery>(1);
  }
  Status ack(std::string_view, std::string_view, Deadline) override { return answer(); }
  Status nack(std::string_view, std::string_view, std::string_view, Deadline) override { return answer(); }
  Result<Backlog> backlog(std::string_view, Deadline) override {
    SERIN_CHECK(answer());
    return Backlog{.waiting = 3};
  }
};

struct ScriptedDocuments final : Documents, Scripted {
  Result<std::optional<Document>> get(std::string_view, std::string_view, Deadline) override {
    SERIN_CHECK(answer());
    return std::optional<Document>(Document{.id = "d"});
  }
  Result<std::int64_t> put(std::string_view, std::string_view, std::string, std::int64_t, Deadline) override {
    SERIN_CHECK(answer());
    return 2;
  }
  Status erase(std::string_view, std::string_view, std::int64_t, Deadline) override { return answer(); }
  Result<std::vector<Document>> list(std::string_view, Deadline) override {
    SERIN_CHECK(answer());
    return std::vector<Document>(2);
  }
};

struct ScriptedRouter final : Router, Scripted {
  Result<Split> read(const ServiceName&, Deadline) override {
    SERIN_CHECK(answer());
    return Split(1, {.release = ReleaseName::make("v1").value(), .percent = 100});
  }
  Status apply(const ServiceName&, const Split&, Deadline) override { return answer(); }
};

struct GuardedPorts : testing::Test {
  /// How many times the port was asked when its first answer was a failure.
  template <class Call>
  int asked(Scripted& port, const Call& call) {
    port.calls = 0;
    port.failures = 1;
    static_cast<void>(call());
    port.failures = 0;
    return port.calls;
  }
  Deadline soon() { return Deadline::after(world.now(), 1min); }
  sim::World world;
  std::unique_ptr<Target> target = [this] {
    TargetPolicy policy = usual_policy().value();
    policy.breaker = breaker::BreakerOptions{.calls = 1000, .min_calls = 1000};
    return Target::make("x", world.sleeper(), world.random(), policy).value();
  }();
  ScriptedBus bus;
  ScriptedDocuments documents;
  ScriptedRouter router;
  ServiceName service = ServiceName::make("shop").value();
};

TEST_F(GuardedPorts, ask_again_what_may_be_asked_twice) {
  GuardedBus guarded(bus, *target);
  EXPECT_EQ(asked(bus, [&] { return guarded.create_topic("t", soon()); }), 2);
  EXPECT_EQ(asked(bus, [&] { return guarded.create_subscription({}, soon()); }), 2);
  EXPECT_EQ(asked(bus, [&] { return guarded.subscriptions(soon()); }), 2);
  EXPECT_EQ(asked(bus, [&] { return guarded.pull("s", 1, soon()); }), 2);
  EXPECT_EQ(asked(bus, [&] { return guarded.ack("s", "a", soon()); }), 2);
  EXPECT_EQ(asked(bus, [&] { return guarded.nack("s", "a", "why", soon()); }), 2);
  EXPECT_EQ(asked(bus, [&] { return guarded.backlog("s", soon()); }), 2);
  GuardedDocuments docs(documents, *target);
  EXPECT_EQ(asked(documents, [&] { return docs.get("c", "d", soon()); }), 2);
  EXPECT_EQ(asked(documents, [&] { return docs.list("c", soon()); }), 2);
  GuardedRouter traffic(router, *target);
  EXPECT_EQ(asked(router, [&] { return traffic.read(service, soon()); }), 2);
  EXPECT_EQ(asked(router, [&] { return traffic.apply(service, {}, soon()); }), 2);
}

TEST_F(GuardedPorts, do_once_what_may_have_been_done) {
  GuardedBus guarded(bus, *target);
  EXPECT_EQ(asked(bus, [&] { return guarded.publish("t", {{.data = "x"}}, soon()); }), 1);
  GuardedDocuments docs(documents, *target);
  EXPECT_EQ(asked(documents, [&] { return docs.put("c", "d", "{}", 1, soon()); }), 1);
  EXPECT_EQ(asked(documents, [&] { return docs.erase("c", "d", 1, soon()); }), 1);
}

TEST_F(GuardedPorts, pass_answers_on_as_they_are) {
  GuardedBus guarded(bus, *target);
  EXPECT_EQ(guarded.publish("t", {{.data = "x"}, {.data = "y"}}, soon())->size(), 2u);
  EXPECT_EQ(guarded.backlog("s", soon())->waiting, 3);
  EXPECT_EQ(GuardedDocuments(documents, *target).put("c", "d", "{}", 1, soon()).value(), 2);
  EXPECT_EQ(GuardedRouter(router, *target).read(service, soon())->at(0).percent, 100);
}

TEST_F(GuardedPorts, of_a_target_that_only_counts_are_never_refused) {
  target->breaker()->set_override(breaker::Override::metrics_only, world.now());
  GuardedRouter traffic(router, *target);
  router.failures = 1'000'000;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(traffic.apply(service, {}, soon()).error().code(), Errc::unavailable);
  const std::string told = to_json({{.name = target->name(), .state = target->state()}});
  EXPECT_NE(told.find(R"("name":"x")"), std::string::npos) << told;
  EXPECT_NE(told.find(R"("override":"metrics_only")"), std::string::npos) << told;
}

}  // namespace
}  // namespace serin::guard
