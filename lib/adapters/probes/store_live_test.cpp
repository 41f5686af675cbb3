// Goal: checks of stores and certificates tell a healthy one from an ill one, keep connections and change nothing.
// Method: a real redis-server, SQLite, and a TLS server with certificates made here.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include <filesystem>

#include "live_peer.hpp"
#include "serin/probes/bus_check.hpp"
#include "serin/probes/certificate_check.hpp"
#include "serin/probes/redis_check.hpp"
#include "serin/probes/sql_check.hpp"
#include "serin/process/process.hpp"
#include "serin/sqlite/sqlite_bus.hpp"
#include "serin/sqlite/sqlite_sql.hpp"
#include "serin/system/environment.hpp"
#include "serin/system/files.hpp"
#include "serin/system/random.hpp"

namespace serin::probes {
namespace {

using health::HealthStatus;

struct Folder {
  std::string path = std::filesystem::temp_directory_path() / ("serin_store_" + std::to_string(::getpid()));
  Folder() { EXPECT_TRUE(make_folders(path)); }
  ~Folder() { std::filesystem::remove_all(path); }
};

/// A redis-server on a free port that is gone with the object.
struct RedisServer {
  explicit RedisServer(const std::string& folder, std::vector<std::string> more = {}) : port(*free_port()) {
    std::vector<std::string> command{"redis-server", "--port",    std::to_string(port), "--bind", "127.0.0.1",
                                     "--save",       "",          "--appendonly",       "no",     "--dir",
                                     folder,         "--logfile", folder + "/redis.log"};
    command.insert(command.end(), more.begin(), more.end());
    const std::string path = Environment::of_process().value_or("PATH", "");
    const auto started = spawn({.command = command, .environment = {{"PATH", path}}});
    EXPECT_TRUE(started) << started.error().text();
    if (started) process = *started;
  }
  ~RedisServer() { end(SIGKILL); }
  RedisServer(const RedisServer&) = delete;
  void end(int signal) {
    if (process.pid == 0) return;
    static_cast<void>(send_signal(process, signal));
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOWAIT), 0);
    static_cast<void>(poll_end(process));
    process = {};
  }
  std::uint16_t port;
  ProcessId process;
};

struct Store : Live {
  Folder folder;
  SystemRandom random;
  /// Until it is there; the check's own answer is the condition.
  health::CheckAnswer first_up(const Result<health::CheckFunction>& check) const {
    const Deadline deadline = Deadline::after(clock.now(), 20s);
    health::CheckAnswer answer = run(check);
    while (answer.status != HealthStatus::up && !deadline.passed(clock.now())) answer = run(check);
    return answer;
  }
};

TEST_F(Store, redis_is_asked_on_one_connection_and_found_again_after_its_restart) {
  auto server = std::make_unique<RedisServer>(folder.path);
  const auto check = redis_check({.host = "127.0.0.1", .port = server->port}, clock);
  const auto answer = first_up(check);
  ASSERT_EQ(answer.status, HealthStatus::up) << answer.error;
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(run(check).status, HealthStatus::up);
  EXPECT_EQ(descriptors(), before);
  server->end(SIGKILL);
  EXPECT_EQ(run(check).reason, "unavailable");
}

TEST_F(Store, redis_that_closes_idle_connections_is_still_up) {
  std::atomic<int> pings = 0;
  const LivePeer peer([&](int connection) {  // one PING a connection, then it is closed
    char buffer[256];
    if (::recv(connection, buffer, sizeof buffer, 0) > 0) ::send(connection, "+PONG\r\n", 7, MSG_NOSIGNAL);
    ++pings;
  });
  const auto check = redis_check({.host = "127.0.0.1", .port = peer.port}, clock);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(check).status, HealthStatus::up);
  EXPECT_EQ(pings, 3);
}

TEST_F(Store, redis_with_a_password_wants_the_right_one_and_never_shows_it) {
  const RedisServer server(folder.path, {"--requirepass", "pa ss\r\nx"});
  const auto right = redis_check({.host = "127.0.0.1", .port = server.port, .password = "pa ss\r\nx"}, clock);
  ASSERT_EQ(first_up(right).status, HealthStatus::up);
  const auto wrong = run(redis_check({.host = "127.0.0.1", .port = server.port, .password = "wr0ng"}, clock));
  EXPECT_EQ(wrong.reason, "permission_denied");
  EXPECT_FALSE(shown(wrong).contains("wr0ng"));
  EXPECT_EQ(run(redis_check({.host = "127.0.0.1", .port = server.port}, clock)).reason, "permission_denied");
}

TEST_F(Store, redis_in_a_cluster_without_slots_is_down_though_it_answers) {
  const RedisServer server(folder.path, {"--cluster-enabled", "yes", "--cluster-port", std::to_string(*free_port())});
  const auto alone = redis_check({.host = "127.0.0.1", .port = server.port}, clock);
  ASSERT_EQ(first_up(alone).status, HealthStatus::up);
  const auto answer = run(redis_check({.host = "127.0.0.1", .port = server.port, .cluster = true}, clock));
  EXPECT_EQ(answer.error, "cluster_state is not ok");
}

TEST_F(Store, sql_is_up_when_it_answers_with_a_row) {
  const std::string path = folder.path + "/a.db";
  {
    auto sql = SqliteSql::open({.path = path}, clock);
    ASSERT_TRUE(sql);
    const auto soon = Deadline::after(clock.now(), 10s);
    ASSERT_TRUE((*sql)->execute("CREATE TABLE t(a TEXT)", {}, soon));
    ASSERT_TRUE(
        (*sql)->execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t "
                        "SELECT 'row' || i || hex(zeroblob(40)) FROM n",
                        {}, soon));
    EXPECT_EQ(run(sql_check({}, **sql)).status, HealthStatus::up);
    EXPECT_EQ(run(sql_check({.quick_check = true}, **sql)).status, HealthStatus::up);
    EXPECT_EQ(run(sql_check({.statement = "SELECT 1 WHERE 0"}, **sql)).reason, "no_row");
    EXPECT_EQ(run(sql_check({.statement = "SELECT * FROM nowhere"}, **sql)).status, HealthStatus::down);
  }
}

/// Answers every question with one text, as a database that found damage does.
struct Saying final : Sql {
  explicit Saying(std::string words) : text(std::move(words)) {}
  Result<SqlTable> query(std::string_view sql, std::span<const SqlValue>, Deadline) override {
    asked = sql;
    return SqlTable{.columns = {"quick_check"}, .rows = {{text}}};
  }
  Result<std::int64_t> execute(std::string_view, std::span<const SqlValue>, Deadline) override { return 0; }
  Status transaction(const std::function<Status(SqlSession&)>&, Deadline) override { return {}; }
  std::string text;
  std::string asked;
};

TEST_F(Store, a_quick_check_that_does_not_say_ok_is_damage) {
  Saying damaged("*** in database main *** Page 5: btreeInitPage() returns error code 11");
  EXPECT_EQ(run(sql_check({.quick_check = true}, damaged)).reason, "data_loss");
  EXPECT_EQ(damaged.asked, "PRAGMA quick_check(1)");
  Saying fine("ok");
  EXPECT_EQ(run(sql_check({.quick_check = true}, fine)).status, HealthStatus::up);
}

struct Fixed final : Clock {
  WallTime at{std::chrono::days(20'000)};
  [[nodiscard]] Instant now() const override { return Instant(1h); }
  [[nodiscard]] WallTime wall() const override { return at; }
};

TEST_F(Store, validations_count_by_their_worst_and_none_in_time_is_unknown) {
  auto sql = SqliteSql::open({.path = ":memory:"}, clock);
  ASSERT_TRUE(sql);
  const auto soon = Deadline::after(clock.now(), 10s);
  Fixed fixed;
  const auto check = validation_check({.look_back = 24h, .max_age = 2h}, **sql, fixed);
  EXPECT_EQ(run(check).status, HealthStatus::unknown) << "no table";
  ASSERT_TRUE(
      (*sql)->execute("CREATE TABLE validation_results(run_id TEXT, check_id TEXT, outcome TEXT, value REAL, "
                      "limits TEXT, rows INTEGER, at INTEGER)",
                      {}, soon));
  EXPECT_EQ(run(check).reason, "no_run");
  const auto add = [&](const char* outcome, Duration ago) {
    ASSERT_TRUE((*sql)->execute("INSERT INTO validation_results VALUES('r', 'c', $1, 1, '', 1, $2)",
                                {{std::string(outcome)}, {unix_ms(fixed.at - ago)}}, soon));
  };
  add("fail", 25h);
  add("pass", -1h);
  EXPECT_EQ(run(check).reason, "no_run") << "too long ago, and of the future";
  add("pass", 3h);
  EXPECT_EQ(run(check).reason, "stale");
  add("pass", 1h);
  EXPECT_EQ(run(check).status, HealthStatus::up);
  add("warn", 5h);
  EXPECT_EQ(run(check).reason, "validation_warned");
  add("fail", 6h);
  EXPECT_EQ(run(check).status, HealthStatus::degraded);
  EXPECT_EQ(run(validation_check({.look_back = 24h, .max_age = 2h, .fail_is_down = true}, **sql, fixed)).status,
            HealthStatus::down);
  add("strange", 7h);
  EXPECT_EQ(run(check).reason, "unclear_outcome");
}

TEST_F(Store, the_bus_is_judged_by_its_backlog_and_dead_letters_and_nothing_is_pulled) {
  auto sql = SqliteSql::open({.path = ":memory:"}, clock);
  ASSERT_TRUE(sql);
  auto bus = SqliteBus::open(**sql, clock, random);
  ASSERT_TRUE(bus);
  const auto soon = Deadline::after(clock.now(), 10s);
  ASSERT_TRUE((*bus)->create_topic("t", soon));
  EXPECT_EQ(run(bus_check({.subscriptions = {"s"}}, **bus)).reason, "subscription_missing");
  ASSERT_TRUE((*bus)->create_subscription({.name = "s", .topic = "t", .max_attempts = 1}, soon));
  EXPECT_EQ(run(bus_check({.subscriptions = {"s"}}, **bus)).status, HealthStatus::up);
  ASSERT_TRUE((*bus)->publish("t", {{.data = "x"}}, soon));
  const auto strict = bus_check({.subscriptions = {"s"}, .oldest_degraded = 1ns, .oldest_down = 1h}, **bus);
  while (run(strict).status == HealthStatus::up && !soon.passed(clock.now())) {
  }
  EXPECT_EQ(run(strict).reason, "backlog_old");
  const auto got = (*bus)->pull("s", 10, soon);
  ASSERT_TRUE(got);
  ASSERT_EQ(got->size(), 1u) << "the check took it";
  EXPECT_EQ(got->front().attempt, 1);
  ASSERT_TRUE((*bus)->nack("s", got->front().ack_id, "no", soon));
  EXPECT_EQ(run(bus_check({.subscriptions = {"s"}}, **bus)).reason, "dead_letters");
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate make_certificate(EVP_PKEY* key, const char* name, long from_seconds, long to_seconds) {
  Certificate made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), to_seconds);
  X509_set_pubkey(made.get(), key);
  X509_NAME* subject = X509_get_subject_name(made.get());
  const std::string common = "test";
  X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), subject);
  const std::string names = std::string("DNS:") + name;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(made.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(made.get(), key, EVP_sha256());
  return made;
}

/// Serves TLS with a certificate of its own making, and writes it where a client can trust it.
struct TlsServer {
  TlsServer(const std::string& folder, const char* name, long from_seconds, long to_seconds)
      : key(EVP_EC_gen("P-256"), EVP_PKEY_free),
        certificate(make_certificate(key.get(), name, from_seconds, to_seconds)),
        context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free),
        file(folder + "/" + std::to_string(to_seconds) + ".pem") {
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
    std::FILE* out = std::fopen(file.c_str(), "w");
    PEM_write_X509(out, certificate.get());
    std::fclose(out);
    peer = std::make_unique<LivePeer>([this](int connection) {
      SSL* session = SSL_new(context.get());
      SSL_set_fd(session, connection);
      char byte = 0;
      if (SSL_accept(session) == 1) static_cast<void>(::recv(connection, &byte, 1, 0));  // until the client leaves
      SSL_free(session);
    });
  }
  Key key;
  Certificate certificate;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context;
  std::string file;
  std::unique_ptr<LivePeer> peer;
};

constexpr long day = 86'400;

TEST_F(Store, a_certificate_is_judged_by_its_end_its_chain_and_its_name) {
  ::signal(SIGPIPE, SIG_IGN);
  const TlsServer good(folder.path, "db.test", -day, 90 * day);
  const auto look = [&](const TlsServer& server, std::string name, std::string ca) {
    return run(certificate_check(
        {.host = "127.0.0.1", .port = server.peer->port, .ca_file = std::move(ca), .server_name = std::move(name)},
        clock));
  };
  const auto answer = look(good, "db.test", good.file);
  EXPECT_EQ(answer.status, HealthStatus::up) << shown(answer);
  EXPECT_EQ(look(good, "other.test", good.file).reason, "certificate_untrusted");
  EXPECT_EQ(look(good, "db.test", "").reason, "certificate_untrusted") << "signed by itself";
  EXPECT_EQ(look(good, "", good.file).reason, "certificate_untrusted") << "not for 127.0.0.1";
  const TlsServer ending(folder.path, "db.test", -day, 29 * day);
  EXPECT_EQ(look(ending, "db.test", ending.file).reason, "certificate_ends_soon");
  const TlsServer expired(folder.path, "db.test", -2 * day, -day);
  EXPECT_EQ(look(expired, "db.test", expired.file).reason, "certificate_expired");
  const TlsServer early(folder.path, "db.test", day, 91 * day);
  EXPECT_EQ(look(early, "db.test", early.file).reason, "certificate_not_yet_valid");
  EXPECT_EQ(run(certificate_file_check({.path = good.file}, clock)).status, HealthStatus::up);
  EXPECT_EQ(run(certificate_file_check({.path = ending.file}, clock)).reason, "certificate_ends_soon");
  EXPECT_EQ(run(certificate_file_check({.path = expired.file}, clock)).reason, "certificate_expired");
  EXPECT_EQ(run(certificate_file_check({.path = folder.path + "/none"}, clock)).reason, "not_found");
}

}  // namespace
}  // namespace serin::probes
