// Goal: connections are shared fairly, within their limits, and die without anybody noticing. Method: a peer that holds
// its answers back, closes, resets; the session's own counters, which must come back to nothing.
#include <sys/resource.h>

#include "peer.hpp"

namespace serin::http {
namespace {

struct Pooled : Live {};

TEST_F(Pooled, a_connection_serves_many_requests_and_the_counters_say_so) {
  const Peer peer(always());
  const auto client = session();
  for (int i = 0; i < 10; ++i) {
    const auto answer = client->send(get(peer.origin));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->response.body, "ok");
    EXPECT_EQ(answer->trip.reused, i != 0);
  }
  const OriginStats now = sum(*client);
  EXPECT_EQ(peer.connections, 1);
  EXPECT_EQ(now.opened, 1);
  EXPECT_EQ(now.requests, 10);
  EXPECT_EQ(now.reused, 9);
  EXPECT_EQ(now.idle, 1);
  EXPECT_EQ(now.leases, 0);
}

TEST_F(Pooled, without_reuse_every_request_has_a_connection_of_its_own_and_says_so) {
  std::atomic<int> closing = 0;
  const Peer peer([&](Line& line) {
    for (std::string request; !(request = line.request()).empty();) {
      if (request.find("\r\nConnection: close\r\n") != std::string::npos) ++closing;
      line.say(ok_answer);
    }
  });
  const auto client = session({.reuse = false});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client->send(get(peer.origin)));
  EXPECT_EQ(peer.connections, 5);
  EXPECT_EQ(closing, 5);
  EXPECT_TRUE(is_at_rest(*client));
}

TEST_F(Pooled, who_finds_none_waits_and_is_served_in_order_of_arrival) {
  Gate arrived;
  Gate open;
  std::mutex mutex;
  std::vector<std::string> order;
  const Peer peer([&](Line& line) {
    for (std::string request; !(request = line.request()).empty();) {
      {
        const std::lock_guard lock(mutex);
        order.push_back(request.substr(5, request.find(' ', 5) - 5));
      }
      arrived.pass();
      if (order.size() == 1 && !open.wait(1)) return;
      line.say(ok_answer);
    }
  });
  const auto client = session({.per_origin = 1});
  Later later;
  for (int i = 0; i < 20; ++i) client->send_async(get(peer.origin, "/" + std::to_string(i)), later.done());
  ASSERT_TRUE(arrived.wait(1));
  ASSERT_TRUE(becomes([&] { return sum(*client).waiting == 19; }));
  open.pass();
  for (std::size_t i = 1; i <= 20; ++i) ASSERT_TRUE(later.wait(i)) << later.wait(i).error().text();
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(order[i], std::to_string(i));
  EXPECT_EQ(peer.connections, 1);
  EXPECT_TRUE(is_at_rest(*client));
}

TEST_F(Pooled, a_line_that_is_full_refuses_at_once_and_says_that_nothing_was_sent) {
  Gate arrived;
  const Peer silent([&](Line& line) {
    if (!line.request().empty()) arrived.pass();
    line.until_closed();
  });
  const auto client = session({.per_origin = 1, .queue = 2});
  Later later;
  Later refused;
  std::stop_source stop;
  for (int i = 0; i < 3; ++i) {
    Request request = get(silent.origin);
    request.stop = stop.get_token();
    client->send_async(std::move(request), later.done());
    if (i == 0) ASSERT_TRUE(arrived.wait(1));
  }
  client->send_async(get(silent.origin), refused.done());
  const auto answer = refused.wait();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Errc::rejected) << answer.error().text();
  EXPECT_TRUE(answer.error().detail().contains("nothing was sent")) << answer.error().text();
  EXPECT_EQ(sum(*client).refused, 1);
  stop.request_stop();
  EXPECT_EQ(later.wait(3).error().code(), Errc::cancelled);
  EXPECT_TRUE(is_at_rest(*client));
}

TEST_F(Pooled, the_wait_has_a_limit_of_its_own_and_the_clock_of_the_request_starts_when_it_is_served) {
  Gate arrived;
  const Peer silent([&](Line& line) {
    if (!line.request().empty()) arrived.pass();
    line.until_closed();
  });
  Later first;  // outlives the session, which tells it of its end
  Later second;
  const auto client = session({.per_origin = 1, .timeouts = {.wait = 100ms, .total = 5s}});
  client->send_async({.origin = silent.origin}, first.done());
  ASSERT_TRUE(arrived.wait(1));
  client->send_async({.origin = silent.origin}, second.done());
  const auto answer = second.wait();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Errc::deadline_exceeded);
  EXPECT_TRUE(answer.error().detail().contains("1 in use")) << answer.error().text();
  EXPECT_EQ(first.count(), 0u) << "the one that is served goes on";
  EXPECT_EQ(arrived.count(), 1);
}

TEST_F(Pooled, idle_connections_end_after_their_time_and_the_last_used_is_used_first) {
  Gate arrived;
  Gate open;
  const Peer peer([&](Line& line) {
    while (!line.request().empty()) {
      arrived.pass();
      if (!open.wait(1)) return;
      line.say(ok_answer);
    }
  });
  const auto client = session({.idle_timeout = 400ms, .jitter = 0});
  Later later;
  for (int i = 0; i < 3; ++i) client->send_async(get(peer.origin), later.done());
  ASSERT_TRUE(arrived.wait(3));
  open.pass();
  ASSERT_TRUE(later.wait(3));
  ASSERT_TRUE(becomes([&] { return sum(*client).idle == 3; }));
  // One connection is kept warm, the two others grow old and go.
  EXPECT_TRUE(becomes([&] { return client->send(get(peer.origin)).has_value() && sum(*client).idle == 1; }));
  EXPECT_EQ(sum(*client).closed[static_cast<std::size_t>(CloseReason::idle)], 2);
  EXPECT_EQ(peer.connections, 3);
  EXPECT_TRUE(becomes([&] { return sum(*client).idle == 0; })) << "without any traffic too";
}

TEST_F(Pooled, what_the_server_announces_about_keeping_is_respected_less_a_second) {
  const Peer peer(always(answer_of("ok", "Keep-Alive: timeout=1, max=5\r\n")));
  const auto client = session();
  ASSERT_TRUE(client->send(get(peer.origin)));
  EXPECT_TRUE(becomes([&] { return sum(*client).closed[static_cast<std::size_t>(CloseReason::idle)] == 1; }));
  ASSERT_TRUE(client->send(get(peer.origin)));
  EXPECT_EQ(peer.connections, 2);
}

TEST_F(Pooled, a_connection_ends_with_its_lifetime_when_it_comes_back) {
  const Peer peer(always());
  const auto client = session({.max_lifetime = 50ms, .jitter = 0});
  ASSERT_TRUE(becomes([&] { return client->send(get(peer.origin)).has_value() && peer.connections >= 3; }));
  EXPECT_GE(sum(*client).closed[static_cast<std::size_t>(CloseReason::lifetime)], 2);
}

TEST_F(Pooled, what_died_while_it_was_idle_is_not_used_whether_it_ended_or_was_reset) {
  for (const bool hard : {false, true}) {
    std::atomic<int> posts = 0;
    Gate go;
    Gate gone;
    const Peer peer([&](Line& line) {
      if (line.request().empty()) return;
      ++posts;
      line.say(ok_answer);
      if (line.count != 1) return line.until_closed();
      if (!go.wait(1)) return;
      if (hard) line.reset();
      ::shutdown(line.number(), hard ? SHUT_RD : SHUT_RDWR);
    });
    const auto client = session();
    ASSERT_TRUE(client->send(post(peer.origin)));
    ASSERT_EQ(sum(*client).idle, 1);
    go.pass();
    ASSERT_TRUE(becomes([&] { return sum(*client).idle == 0; })) << "noticed when it happens";
    EXPECT_EQ(sum(*client).closed[static_cast<std::size_t>(CloseReason::peer)], 1);
    const auto answer = client->send(post(peer.origin));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(posts, 2);
    EXPECT_EQ(answer->trip.resends, 0);
  }
}

TEST_F(Pooled, a_post_that_may_have_been_executed_is_not_sent_again_a_get_is_once) {
  std::atomic<int> requests = 0;
  const Peer peer([&](Line& line) {
    // Each connection answers once, reads another request, and closes without a word.
    for (int i = 0; i < 2; ++i) {
      if (line.request().empty()) return;
      ++requests;
      if (i == 0) line.say(ok_answer);
    }
  });
  const auto client = session();
  ASSERT_TRUE(client->send(get(peer.origin)));
  const auto lost = client->send(post(peer.origin));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Errc::unavailable);
  EXPECT_TRUE(lost.error().detail().contains("may have been executed")) << lost.error().text();
  EXPECT_EQ(requests, 2) << "the POST arrived once";
  EXPECT_EQ(sum(*client).ambiguous, 1);
  ASSERT_TRUE(client->send(get(peer.origin)));
  const auto again = client->send(get(peer.origin));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->trip.resends, 1);
  EXPECT_EQ(requests, 5) << "the GET arrived twice";
  Request known = post(peer.origin);
  known.resend = Resend::allowed;
  EXPECT_EQ(client->send(std::move(known))->trip.resends, 1);
  Request key = post(peer.origin);
  key.message.headers.set("Idempotency-Key", "7");
  EXPECT_EQ(client->send(std::move(key))->trip.resends, 1);
  Request once = get(peer.origin);
  once.resend = Resend::never;
  EXPECT_EQ(client->send(std::move(once)).error().code(), Errc::unavailable);
  EXPECT_TRUE(is_at_rest(*client));
}

TEST_F(Pooled, a_fresh_connection_that_closes_without_an_answer_is_an_error_and_no_loop) {
  const Peer peer([](Line& line) { line.request(); });
  const auto client = session();
  EXPECT_EQ(client->send(get(peer.origin)).error().code(), Errc::unavailable);
  EXPECT_EQ(peer.connections, 1);
}

TEST_F(Pooled, two_origins_share_the_total_and_an_idle_connection_makes_room) {
  const Peer one(always());
  const Peer two(always());
  for (const int loops : {1, 3}) {
    const auto client = session({.total = 1, .loops = loops});
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(client->send(get(one.origin)));
      const auto answer = client->send(get(two.origin));
      ASSERT_TRUE(answer) << answer.error().text();
    }
    EXPECT_GE(sum(*client).closed[static_cast<std::size_t>(CloseReason::evicted)], 9);
  }
}

TEST_F(Pooled, a_thousand_requests_at_once_are_served_by_sixteen_connections) {
  const Peer peer(always());
  const auto client = session();
  Later later;
  for (int i = 0; i < 1000; ++i) client->send_async(get(peer.origin), later.done());
  for (std::size_t i = 1; i <= 1000; ++i) ASSERT_TRUE(later.wait(i)) << i << ": " << later.wait(i).error().text();
  EXPECT_LE(peer.connections, 16);
  EXPECT_EQ(sum(*client).requests, 1000);
  EXPECT_TRUE(is_at_rest(*client));
}

TEST_F(Pooled, callers_on_many_threads_and_loops_each_get_their_own_answer) {
  const Peer peer([](Line& line) {
    for (std::string request; !(request = line.request()).empty();)
      line.say(answer_of(request.substr(0, request.find("\r\n"))));
  });
  const auto client = session({.per_origin = 4, .loops = 2});
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 8; ++t)
      callers.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string target = "/" + std::to_string(t) + "/" + std::to_string(i);
          const auto answer = client->send(get(peer.origin, target));
          if (!answer || answer->response.body != "GET " + target + " HTTP/1.1") ++wrong;
        }
      });
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(is_at_rest(*client));
}

TEST_F(Pooled, warming_up_opens_connections_before_they_are_needed) {
  const Peer peer(always());
  const auto client = session();
  const auto warm = client->warm_up(peer.origin, 4, soon());
  ASSERT_TRUE(warm) << warm.error().text();
  EXPECT_EQ(sum(*client).idle, 4);
  EXPECT_EQ(client->warm_up(peer.origin, 17, soon()).error().code(), Errc::exhausted);
  EXPECT_EQ(client->warm_up("http://127.0.0.1:1", 1, soon()).error().code(), Errc::unavailable);
  ASSERT_TRUE(client->send(get(peer.origin)));
  ASSERT_TRUE(becomes([&] { return peer.connections == 4; }));
}

TEST_F(Pooled, a_session_that_goes_ends_what_is_on_its_way) {
  Gate arrived;
  const Peer silent([&](Line& line) {
    if (!line.request().empty()) arrived.pass();
    line.until_closed();
  });
  Later later;
  {
    const auto client = session({.per_origin = 2});
    for (int i = 0; i < 5; ++i) client->send_async(get(silent.origin), later.done());
    ASSERT_TRUE(arrived.wait(2));
  }
  ASSERT_EQ(later.count(), 5u);
  for (std::size_t i = 1; i <= 5; ++i) EXPECT_EQ(later.wait(i).error().code(), Errc::cancelled);
}

TEST_F(Pooled, a_request_may_be_sent_from_where_another_ended) {
  const Peer peer(always());
  const auto client = session();
  Gate over;
  int left = 200;
  std::function<void(Result<Answer>)> next = [&](const Result<Answer>& answer) {
    EXPECT_TRUE(answer) << answer.error().text();
    if (--left == 0) return over.pass();
    client->send_async({.origin = peer.origin}, next);
  };
  client->send_async({.origin = peer.origin}, next);
  ASSERT_TRUE(over.wait(1));
  EXPECT_EQ(peer.connections, 1);
  // One that fails at once does not end inside of send_async().
  bool inside = false;
  client->send_async({.origin = peer.origin}, [&](const Result<Answer>&) {
    inside = true;
    client->send_async({.origin = "nowhere"}, [&](const Result<Answer>& answer) {
      EXPECT_FALSE(inside);
      EXPECT_EQ(answer.error().code(), Errc::invalid_argument);
      over.pass();
    });
    inside = false;
  });
  ASSERT_TRUE(over.wait(2));
}

TEST_F(Pooled, without_a_descriptor_left_a_request_fails_and_the_next_one_need_not) {
  const Peer peer(always());
  const auto client = session();
  const auto unstarted = session();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(client->send(get(peer.origin)));
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  Request other = get(peer.origin);
  other.origin = "http://127.0.0.2:" + std::to_string(peer.port);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto lacking = client->send(other);
  const auto never_begun = unstarted->send(get(peer.origin));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(lacking.error().code(), Errc::unavailable) << lacking.error().text();
  EXPECT_TRUE(lacking.error().detail().contains("Too many open files")) << lacking.error().text();
  EXPECT_EQ(never_begun.error().code(), Errc::exhausted) << never_begun.error().text();
  EXPECT_TRUE(client->send(get(peer.origin)));
  EXPECT_TRUE(unstarted->send(get(peer.origin)));
  EXPECT_TRUE(is_at_rest(*client));
}

TEST_F(Pooled, a_hold_that_is_too_long_is_told_once_and_so_is_its_end) {
  Gate told;
  std::mutex mutex;
  std::vector<Hold> holds;
  Gate open;
  const Peer slow([&](Line& line) {
    if (line.request().empty() || !open.wait(1)) return;
    line.say(ok_answer);
  });
  const auto client = session({.on_hold =
                                   [&](const Hold& hold) {
                                     const std::lock_guard lock(mutex);
                                     holds.push_back(hold);
                                     told.pass();
                                   },
                               .hold_after = 2s});
  Later later;
  Request request = get(slow.origin);
  request.tag = "report";
  client->send_async(std::move(request), later.done());
  ASSERT_TRUE(told.wait(1));
  open.pass();
  ASSERT_TRUE(later.wait());
  ASSERT_TRUE(told.wait(2));
  EXPECT_EQ(holds.size(), 2u);
  EXPECT_EQ(holds[0].tag, "report");
  EXPECT_FALSE(holds[0].returned);
  EXPECT_GE(holds[0].held, 2s);
  EXPECT_TRUE(holds[1].returned);
}

}  // namespace
}  // namespace serin::http
