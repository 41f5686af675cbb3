// Goal: whatever a server says, in whatever pieces, the caller gets the answer or the reason, in time and within its
// limits. Method: peers that say it: late, in single bytes, cut, packed, elsewhere; through a proxy; in streams.
#include <sys/wait.h>

#include "certificates.hpp"
#include "packed.hpp"
#include "peer.hpp"

namespace serin::http {
namespace {

struct Exchange : Live {
  Errc code_of(Session& client, Request request) {
    const auto answer = client.send(std::move(request));
    EXPECT_TRUE(is_at_rest(client));
    return answer ? Errc::internal : answer.error().code();
  }
};

TEST_F(Exchange, an_answer_in_single_bytes_is_read_also_through_the_last_chunk) {
  const Peer peer([](Line& line) {
    for (int i = 0; i < 2 && !line.request().empty(); ++i) {
      line.trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      line.trickle("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
    }
  });
  const auto client = session();
  for (int i = 0; i < 2; ++i) {
    const auto answer = client->send(get(peer.origin));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->response.body, "hello!");
  }
  EXPECT_EQ(peer.connections, 1);
}

TEST_F(Exchange, each_timeout_ends_what_it_is_for) {
  const Peer silent([](Line& line) { line.until_closed(); });
  const Peer stuck([](Line& line) {
    line.request();
    line.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    line.until_closed();
  });
  std::atomic<bool> ending = false;
  const Peer trickling([&](Line& line) {
    line.request();
    line.say("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");
    pollfd gone{.fd = line.number(), .events = POLLRDHUP, .revents = 0};
    while (!ending && ::poll(&gone, 1, 20) == 0) line.say("x");
  });
  const auto client = session();
  const auto timed = [&](const Peer& peer, const Timeouts& timeouts) {
    const Instant began = clock.now();
    const auto answer = client->send({.origin = peer.origin, .timeouts = timeouts});
    EXPECT_LT(clock.now() - began, 5s);
    EXPECT_TRUE(is_at_rest(*client));
    return answer ? std::string("answered") : answer.error().text();
  };
  EXPECT_TRUE(timed(silent, {.first_byte = 80ms}).contains("no answer in time"));
  EXPECT_TRUE(timed(stuck, {.idle_read = 80ms}).contains("did not end in time"));
  EXPECT_TRUE(timed(trickling, {.idle_read = 10s, .total = 150ms}).contains("did not end in time"));
  ending = true;
}

TEST_F(Exchange, an_answer_that_is_cut_or_too_large_or_no_http_is_none) {
  const auto says = [](std::string text) {
    return [text = std::move(text)](Line& line) {
      if (!line.request().empty()) line.say(text);
    };
  };
  const auto client = session({.head_limit = 4096, .body_limit = 1000});
  const Peer cut(says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
  const Peer chunk(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"));
  const Peer large(says(answer_of(std::string(1001, 'x'))));
  const Peer endless(says("HTTP/1.1 200 OK\r\n\r\n" + std::string(2000, 'x')));
  const Peer head(says("HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'x') + "\r\n\r\n"));
  const Peer other(says("220 smtp ready\r\n\r\n"));
  EXPECT_EQ(code_of(*client, get(cut.origin)), Errc::unavailable);
  EXPECT_EQ(code_of(*client, get(chunk.origin)), Errc::unavailable);
  EXPECT_EQ(code_of(*client, get(large.origin)), Errc::exhausted);
  EXPECT_EQ(code_of(*client, get(endless.origin)), Errc::exhausted);
  EXPECT_EQ(code_of(*client, get(head.origin)), Errc::exhausted);
  EXPECT_EQ(code_of(*client, get(other.origin)), Errc::data_loss);
}

TEST_F(Exchange, head_has_no_body_and_interim_answers_are_left_out) {
  const Peer peer([](Line& line) {
    line.request();
    line.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    line.request();
    line.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n");
    line.say(ok_answer);
    line.until_closed();
  });
  const auto client = session();
  Request head = get(peer.origin);
  head.message.method = "HEAD";
  const auto first = client->send(std::move(head));
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->response.headers.find("Content-Length"), "100");
  const auto second = client->send(get(peer.origin));
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->response.status, 200);
  EXPECT_EQ(peer.connections, 1);
}

TEST_F(Exchange, an_answer_before_the_whole_request_was_sent_counts_and_the_connection_is_not_used_again) {
  const Peer peer([](Line& line) {
    while (line.got().find("\r\n\r\n") == std::string::npos)
      if (!line.receive()) return;
    line.say(answer_of("too large", "", 413));
    line.until_closed();
  });
  const auto client = session();
  const auto answer = client->send(post(peer.origin, std::string(64u << 20, 'x')));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->response.status, 413);
  EXPECT_EQ(sum(*client).idle, 0);
}

TEST_F(Exchange, redirects_are_followed_only_when_asked_for_and_only_so_many) {
  std::mutex mutex;
  std::vector<std::string> seen;
  const auto remember = [&](const std::string& request) {
    const std::lock_guard lock(mutex);
    seen.push_back(request);
  };
  const Peer other([&](Line& line) {
    for (std::string request; !(request = line.request()).empty();) {
      remember(request);
      line.say(answer_of("there"));
    }
  });
  const Peer peer([&](Line& line) {
    for (std::string request; !(request = line.request()).empty();) {
      remember(request);
      const auto to = [&](int status, const std::string& where) {
        line.say(answer_of("moved", "Location: " + where + "\r\n", status));
      };
      if (request.contains(" /long")) {
        // It never says all of it.
        line.say("HTTP/1.1 302 Found\r\nLocation: /short\r\nContent-Length: 10000000\r\n\r\n");
        line.say(std::string(200'000, 'x'));
        return line.until_closed();
      }
      if (request.contains(" /loop"))
        to(302, "/loop");
      else if (request.contains(" /away"))
        to(307, other.origin + "/landed?x=1");
      else if (request.contains(" /see"))
        to(303, "done");
      else
        line.say(answer_of("here"));
    }
  });
  for (const int loops : {1, 4}) {
    seen.clear();
    const auto client = session({.redirects = 5, .loops = loops});
    Request away = post(peer.origin, "body");
    away.message.target = "/away";
    away.message.headers = {{"Authorization", "secret"}, {"X-Mine", "yes"}};
    const auto landed = client->send(std::move(away));
    ASSERT_TRUE(landed) << landed.error().text();
    EXPECT_EQ(landed->response.body, "there");
    EXPECT_EQ(landed->trip.url, other.origin + "/landed?x=1");
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_TRUE(seen[0].contains("secret"));
    EXPECT_TRUE(seen[1].starts_with("POST /landed?x=1 ")) << seen[1];
    EXPECT_TRUE(seen[1].ends_with("\r\n\r\nbody")) << seen[1];
    EXPECT_TRUE(seen[1].contains("X-Mine"));
    EXPECT_FALSE(seen[1].contains("secret")) << "not for another origin";
    Request see = post(peer.origin, "body");
    see.message.target = "/dir/see";
    see.message.target = "/see";
    const auto done = client->send(std::move(see));
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_TRUE(seen.back().starts_with("GET /done ")) << seen.back();
    EXPECT_FALSE(seen.back().contains("Content-Length")) << seen.back();
    EXPECT_EQ(done->trip.redirects, 1);
    EXPECT_EQ(code_of(*client, get(peer.origin, "/loop")), Errc::exhausted);
    const auto unread = client->send(get(peer.origin, "/long"));
    ASSERT_TRUE(unread) << unread.error().text();
    EXPECT_EQ(unread->response.body, "here") << "the rest of what a redirect says is not waited for";
    Request still = get(peer.origin, "/loop");
    still.redirects = 0;
    EXPECT_EQ(client->send(std::move(still))->response.status, 302);
    EXPECT_TRUE(is_at_rest(*client));
  }
}

TEST_F(Exchange, cookies_that_a_server_sets_come_back_to_it) {
  std::string second;
  const Peer peer([&](Line& line) {
    line.request();
    line.say(answer_of("in", "Set-Cookie: id=7; Path=/\r\nSet-Cookie: x=1; Path=/other\r\n"));
    second = line.request();
    line.say(ok_answer);
  });
  const auto client = session({.cookies = true});
  ASSERT_TRUE(client->send(get(peer.origin)));
  ASSERT_TRUE(client->send(get(peer.origin, "/page")));
  EXPECT_TRUE(second.contains("\r\nCookie: id=7\r\n")) << second;
}

std::string gzip(std::string_view text) { return packed(text, 31); }

TEST_F(Exchange, a_packed_answer_is_unpacked_and_a_bomb_is_stopped_at_the_limit) {
  const std::string bomb = gzip(std::string(50u << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  std::string asked;
  const Peer peer([&](Line& line) {
    for (std::string request; !(request = line.request()).empty();) {
      asked = request;
      const std::string body = request.contains("/bomb") ? bomb : gzip("hello");
      line.say(
          answer_of(request.contains("/cut") ? body.substr(0, body.size() - 9) : body, "Content-Encoding: gzip\r\n"));
    }
  });
  const auto client = session({.body_limit = 1u << 20, .decompress = true});
  const auto answer = client->send(get(peer.origin));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->response.body, "hello");
  EXPECT_FALSE(answer->response.headers.find("Content-Encoding"));
  EXPECT_FALSE(answer->response.headers.find("Content-Length"));
  EXPECT_TRUE(asked.contains("Accept-Encoding: gzip, deflate\r\n")) << asked;
  EXPECT_EQ(code_of(*client, get(peer.origin, "/bomb")), Errc::exhausted);
  EXPECT_EQ(code_of(*client, get(peer.origin, "/cut")), Errc::data_loss);
  const auto raw = session()->send(get(peer.origin));
  EXPECT_EQ(raw->response.body, gzip("hello")) << "as it came, when nobody asked";
}

TEST_F(Exchange, plain_requests_go_through_a_proxy_by_their_absolute_form) {
  std::string seen;
  const Peer proxy([&](Line& line) {
    while (!(seen = line.request()).empty()) line.say(answer_of("by proxy"));
  });
  const Peer direct(always(answer_of("direct")));
  const std::string at = "http://me:pass@127.0.0.1:" + std::to_string(proxy.port);
  const auto client = session({.proxies = {.http = at, .none = "127.0.0.1"}});
  const auto answer = client->send(get("http://shop.example", "/a?b"));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->response.body, "by proxy");
  EXPECT_TRUE(seen.starts_with("GET http://shop.example/a?b HTTP/1.1\r\n")) << seen;
  EXPECT_TRUE(seen.contains("Host: shop.example\r\n")) << seen;
  EXPECT_TRUE(seen.contains("Proxy-Authorization: Basic bWU6cGFzcw==\r\n")) << seen;
  EXPECT_EQ(client->send(get(direct.origin))->response.body, "direct");
  EXPECT_EQ(Session::make({.proxies = {.http = "socks5://x"}}, clock).error().code(), Errc::unsupported);
}

TEST_F(Exchange, https_goes_through_a_tunnel_of_the_proxy_to_the_named_server) {
  Folder folder;
  const Authority authority;
  authority.write(folder.path / "ca.pem");
  const auto context = authority.server(authority.issue("DNS:shop.example"));
  std::string asked;
  std::string seen;
  const Peer proxy([&](Line& line) {
    asked = line.request();
    if (asked.contains("closed.example")) return line.say(answer_of("no", "", 403));
    line.say("HTTP/1.1 200 Connection established\r\n\r\n");
    // The tunnel ends here: this is the server behind it, too.
    SSL* ssl = SSL_new(context.get());
    SSL_set_fd(ssl, line.number());
    if (SSL_accept(ssl) == 1) {
      Line inner(line.number(), ssl, 0);
      while (!(seen = inner.request()).empty()) inner.say(ok_answer);
    }
    SSL_free(ssl);
  });
  const auto client = session({.tls = {.ca_file = (folder.path / "ca.pem").string()},
                               .proxies = {.https = "http://u:p@127.0.0.1:" + std::to_string(proxy.port)}});
  for (int i = 0; i < 2; ++i) {
    const auto answer = client->send(get("https://shop.example", "/in"));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->response.body, "ok");
  }
  EXPECT_EQ(proxy.connections, 1);
  EXPECT_TRUE(asked.starts_with("CONNECT shop.example:443 HTTP/1.1\r\n")) << asked;
  EXPECT_TRUE(asked.contains("Proxy-Authorization: Basic")) << asked;
  const auto refused = client->send(get("https://closed.example"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::permission_denied) << refused.error().text();
}

TEST_F(Exchange, a_body_is_streamed_to_a_sink_on_the_callers_thread_that_may_take_its_time) {
  constexpr std::size_t size = 8u << 20;
  const Peer peer([](Line& line) {
    while (!line.request().empty()) line.say(answer_of(std::string(size, 'z')));
  });
  const auto client = session();
  std::size_t got = 0;
  bool here = true;
  const auto caller = std::this_thread::get_id();
  Request request = get(peer.origin);
  request.sink = [&](const HttpResponse& head, std::string_view piece) -> Status {
    here = here && std::this_thread::get_id() == caller && head.status == 200 && !piece.empty();
    got += piece.size();
    return {};
  };
  const auto answer = client->send(request);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(got, size);
  EXPECT_TRUE(here);
  EXPECT_TRUE(answer->response.body.empty());
  request.sink = [](const HttpResponse&, std::string_view) -> Status { return fail(Errc::exhausted, "disk full"); };
  EXPECT_EQ(client->send(request).error().code(), Errc::exhausted);
  EXPECT_TRUE(is_at_rest(*client));
  // The same on the loop's thread.
  got = 0;
  Later later;
  Request async = get(peer.origin);
  async.sink = [&](const HttpResponse&, std::string_view piece) -> Status {
    got += piece.size();
    return {};
  };
  client->send_async(std::move(async), later.done());
  ASSERT_TRUE(later.wait());
  EXPECT_EQ(got, size);
}

TEST_F(Exchange, a_body_is_streamed_from_a_source_in_chunks_or_with_its_size) {
  std::string seen;
  const Peer peer([&](Line& line) {
    for (;;) {
      std::string& got = line.got();
      got.clear();
      while (!got.ends_with("0\r\n\r\n") && !got.ends_with("END"))
        if (!line.receive()) return;
      seen = got;
      line.say(ok_answer);
    }
  });
  const auto client = session();
  for (const bool sized : {false, true})
    for (const bool blocking : {false, true}) {
      int left = 100;
      Request request = post(peer.origin, "");
      request.source = [&](std::span<char> room) -> Result<std::size_t> {
        if (left == 0) return 0;
        const std::string piece = --left == 0 ? "END" : std::string(3000, 'a');
        std::ranges::copy(piece, room.begin());
        return piece.size();
      };
      if (sized) request.source_size = 99 * 3000 + 3;
      Later later;
      Result<Answer> answer = fail(Errc::internal, "not sent");
      if (blocking) {
        answer = client->send(std::move(request));
      } else {
        client->send_async(std::move(request), later.done());
        answer = later.wait();
      }
      ASSERT_TRUE(answer) << answer.error().text();
      EXPECT_EQ(seen.contains("Transfer-Encoding: chunked"), !sized);
      EXPECT_GE(seen.size(), 99u * 3000 + 3);
    }
  EXPECT_EQ(peer.connections, 1);
  Request wrong = post(peer.origin, "");
  wrong.source = [](std::span<char>) -> Result<std::size_t> { return 0; };
  wrong.source_size = 5;
  EXPECT_EQ(code_of(*client, std::move(wrong)), Errc::invalid_argument);
  Request failing = post(peer.origin, "");
  failing.source = [](std::span<char>) -> Result<std::size_t> { return fail(Errc::data_loss, "unreadable"); };
  EXPECT_EQ(code_of(*client, std::move(failing)), Errc::data_loss);
}

TEST_F(Exchange, a_forked_child_starts_afresh_and_leaves_the_parents_connection_alone) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "ThreadSanitizer ends a child that starts a thread";
#endif
#endif
  const Peer peer([](Line& line) {
    while (!line.request().empty()) line.say(answer_of(std::to_string(line.count)));
  });
  const auto client = session();
  ASSERT_EQ(client->send(get(peer.origin))->response.body, "1");
  const pid_t child = fork();
  if (child == 0) {
    const auto answer = client->send(get(peer.origin));
    _exit(answer && answer->response.body == "2" ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(client->send(get(peer.origin))->response.body, "1") << "still the first connection";
}

}  // namespace
}  // namespace serin::http
