// Goal: one file says who is told, the same one that says who is watched; every mistake in it is found by its place,
// and no secret can be written into it. Method: small files.
#include "serin/notify/channels.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serin::notify {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* whole = R"(
scrape_every: 15s
notify:
  slack_url_file: /etc/serin/slack-webhook
  wait: 10s
  interval: 1m
  repeat: 2h
  keep_trying: 12h
  timeout: 4s
  smtp: {server: "mail.example.org:2525", from: serin@example.org, user: serin, password: {environment: MAIL_PASSWORD}}
  receivers:
    critical: {slack: "#alerts-critical"}
    bot: {slack: C024BE91L, token: {file: /etc/serin/slack-token}}
    hook: {webhook: "https://example.org/in?x=1", signing: {environment: HOOK_KEY}, timeout: 2s}
    hidden: {webhook_at: {environment: HOOK_URL}}
    mail: {email: [ops@example.org, data@example.org]}
    program: {command: [/usr/bin/tell, --loud]}
    everyone: {together: [critical, mail]}
  severities: {page: everyone, ticket: bot}
services:
  worker:
    owner: data
    targets: ["127.0.0.1:1"]
    notify: {ticket: hook, info: program}
alerts: {X: {metric: a}}
)";

std::string mistakes(const std::string& text) {
  const auto channels = parse_channels(text, "n.yaml");
  return channels ? "none" : channels.error().detail();
}
/// A good file but for some lines in `notify:`.
std::string with(const std::string& lines, const std::string& receiver = "{webhook: \"https://example.org/\"}") {
  return fmt::format("notify:\n{}  receivers:\n    a: {}\n  severities: {{page: a, ticket: a}}\n", lines, receiver);
}

TEST(Channels, are_read_from_a_catalogue_of_monitoring) {
  const auto read = parse_channels(whole, "n.yaml");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->wait, Duration(10s));
  EXPECT_EQ(read->keep_trying, Duration(12h));
  ASSERT_EQ(read->receivers.size(), 6u);
  const auto& slack = std::get<SlackChannel>(read->find("critical")->by);
  EXPECT_EQ(slack.address.file, "/etc/serin/slack-webhook");
  EXPECT_EQ(slack.channel, "#alerts-critical");
  EXPECT_EQ(kind_name(*read->find("critical")), "slack");
  EXPECT_EQ(kind_name(*read->find("bot")), "slack bot");
  EXPECT_EQ(std::get<SlackChannel>(read->find("bot")->by).token.file, "/etc/serin/slack-token");
  EXPECT_EQ(read->find("hook")->timeout, Duration(2s));
  EXPECT_EQ(read->find("bot")->timeout, Duration(4s)) << "everyone's";
  EXPECT_EQ(std::get<WebhookChannel>(read->find("hook")->by).signing.environment, "HOOK_KEY");
  EXPECT_EQ(std::get<WebhookChannel>(read->find("hidden")->by).address.environment, "HOOK_URL");
  const auto& mail = std::get<MailChannel>(read->find("mail")->by);
  EXPECT_EQ(mail.host, "mail.example.org");
  EXPECT_EQ(mail.port, 2525);
  EXPECT_EQ(mail.security, MailSecurity::starttls);
  EXPECT_THAT(mail.to, ElementsAre("ops@example.org", "data@example.org"));
  EXPECT_THAT(std::get<CommandChannel>(read->find("program")->by).arguments, ElementsAre("/usr/bin/tell", "--loud"));
  EXPECT_EQ(read->find("nobody"), nullptr);
}

TEST(Channels, are_chosen_by_service_and_then_by_severity) {
  const Channels read = parse_channels(whole, "n.yaml").value();
  EXPECT_THAT(read.route(Severity::page, "worker"), ElementsAre("critical", "mail"));
  EXPECT_THAT(read.route(Severity::ticket, "worker"), ElementsAre("hook"));
  EXPECT_THAT(read.route(Severity::ticket, "another"), ElementsAre("bot"));
  EXPECT_THAT(read.route(Severity::info, "worker"), ElementsAre("program"));
  EXPECT_THAT(read.route(Severity::info, "another"), ElementsAre()) << "nobody wants to know";
}

TEST(Channels, never_hold_a_secret) {
  EXPECT_THAT(mistakes(with("  slack_token: xoxb-1\n")),
              HasSubstr("n.yaml:2:16: slack_token is a secret and is never written out"));
  EXPECT_THAT(mistakes(with("  slack_url: {environment: A, file: B}\n")),
              HasSubstr("exactly one of environment and file"));
  EXPECT_THAT(mistakes(with("", "{webhook: \"https://me:word@example.org/\"}")), HasSubstr("holds a password"));
  EXPECT_THAT(mistakes(with("", "{webhook: \"https://example.org/\", signing: key}")),
              HasSubstr("signing is a secret"));
  EXPECT_THAT(mistakes(with("  slack_url_file: a\n  slack_url: {environment: A}\n")), HasSubstr("write one of them"));
}

TEST(Channels, with_a_mistake_are_refused_with_its_place) {
  EXPECT_THAT(mistakes("a: 1\n"), HasSubstr("notify is missing"));
  EXPECT_THAT(mistakes(with("  intervall: 3s\n")),
              HasSubstr("n.yaml:2:3: unknown key 'notify.intervall'; did you mean 'interval'?"));
  EXPECT_THAT(mistakes(with("") + "servces: {}\n"), HasSubstr("did you mean 'services'?"));
  EXPECT_THAT(mistakes(with("  repeat: 1m\n")), HasSubstr("repeat must not be below interval"));
  EXPECT_EQ(mistakes(with("  repeat: 0\n")), "none");
  EXPECT_THAT(mistakes(with("  keep_trying: 1s\n")), HasSubstr("keep_trying must be 1m or more"));
  EXPECT_THAT(mistakes(with("  wait: -1s\n")), HasSubstr("n.yaml:2:"));
  EXPECT_THAT(mistakes(with("  most_waiting: 1\n")), HasSubstr("most_waiting must be 10 to 100000"));
  EXPECT_THAT(mistakes(with("", "{webhook: \"https://x/\", slack: \"#a\"}")), HasSubstr("a is one of slack, webhook"));
  EXPECT_THAT(mistakes(with("", "{}")), HasSubstr("a is one of slack, webhook"));
  EXPECT_THAT(mistakes(with("", "{slack: \"#a\"}")), HasSubstr("needs notify.slack_url_file"));
  EXPECT_THAT(mistakes(with("", "{webhook: \"ftp://x/\"}")), HasSubstr("must be http://host/path"));
  EXPECT_THAT(mistakes(with("", "{webhook: \"http:///x\"}")), HasSubstr("must be http://host/path"));
  EXPECT_THAT(mistakes(with("", "{command: []}")), HasSubstr("there is no shell"));
  EXPECT_THAT(mistakes(with("", "{email: ops@example.org}")), HasSubstr("needs notify.smtp"));
  EXPECT_THAT(mistakes(with("", "{webhook: \"http://x/\", timeout: 1ms}")), HasSubstr("timeout must be 100ms to 5m"));
  EXPECT_THAT(mistakes("notify:\n  receivers: {a: {webhook: \"http://x/\"}}\n  severities: {page: b, urgent: a}\n"),
              testing::AllOf(HasSubstr("page goes to b is no receiver"), HasSubstr("ticket has no receiver"),
                             HasSubstr("urgent is no severity; write page, ticket or info")));
  EXPECT_THAT(mistakes(with("") + "services: {w: {notify: {page: aa}}}\n"), HasSubstr("did you mean 'a'?"));
}

TEST(Channels, send_mail_only_to_addresses_and_in_the_clear_only_at_home) {
  const auto smtp = [](const std::string& how, const std::string& to = "ops@example.org") {
    return mistakes(with(fmt::format("  smtp: {{{}}}\n", how), fmt::format("{{email: [\"{}\"]}}", to)));
  };
  EXPECT_EQ(smtp("server: mail.example.org, from: s@example.org"), "none");
  EXPECT_EQ(smtp("server: \"127.0.0.1:2525\", from: s@example.org, security: none"), "none");
  EXPECT_THAT(smtp("server: mail.example.org, from: s@example.org, security: none"), HasSubstr("loopback only"));
  EXPECT_THAT(smtp("server: mail.example.org, from: s@example.org, user: me"),
              HasSubstr("user and password go together"));
  EXPECT_THAT(smtp("server: \"mail.example.org:0\", from: s@example.org"), HasSubstr("host or host:port"));
  EXPECT_THAT(smtp("server: mail.example.org, from: nobody"), HasSubstr("from must be one address"));
  for (const char* wrong : {"nobody", "a@b@c", "a@b\\r\\nBcc: c@d", "<a@b>", "a@b,c@d", "@b", "a@"})
    EXPECT_THAT(smtp("server: mail.example.org, from: s@example.org", wrong), HasSubstr("email must be 1 to 50"))
        << wrong;
}

TEST(Channels, that_stand_together_are_receivers_themselves) {
  const auto together = [](const std::string& members) {
    return mistakes("notify:\n  receivers: {a: {webhook: \"http://x/\"}, b: {together: [" + members +
                    "]}}\n  severities: {page: b, ticket: a}\n");
  };
  EXPECT_EQ(together("a"), "none");
  EXPECT_THAT(together("b"), HasSubstr("b: b is no receiver"));
  EXPECT_THAT(together("c"), HasSubstr("b: c is no receiver"));
  EXPECT_THAT(together(""), HasSubstr("b stands together with nobody"));
}

}  // namespace
}  // namespace serin::notify
