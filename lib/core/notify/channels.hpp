#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serin/base/error.hpp"
#include "serin/base/time.hpp"
#include "serin/notify/notification.hpp"

// Who is told: the part `notify:` of a catalogue of monitoring, or of a file of its own, as values. Pure.
namespace serin::notify {

/// Where a secret lies. Files name secrets and never hold them. At most one is set; neither: there is none.
struct Secret {
  std::string environment;  ///< a variable's name; or
  std::string file;         ///< a file, whose last line feed is not part of it
  [[nodiscard]] bool is_there() const noexcept { return !environment.empty() || !file.empty(); }
};

/// Slack: with `token` as a bot (a resolve changes the message that told the alert), else with the address of an
/// incoming webhook.
struct SlackChannel {
  std::string channel;  ///< "#alerts" or an id
  Secret address;       ///< of the webhook, whole: https://hooks.slack.com/services/...
  Secret token;         ///< of the bot: xoxb-...
  std::string api;      ///< origin and path of the API; ends with "/api"
};
/// A POST of JSON (docs/guide/notifications.md has the schema).
struct WebhookChannel {
  std::string url;  ///< http:// or https://; empty: `address`
  Secret address;   ///< the URL, when it is a secret itself
  Secret signing;   ///< key of HMAC-SHA256 over the body; none: not signed
};
enum class MailSecurity : std::uint8_t {
  starttls,  ///< in the clear until TLS is agreed on, and never any further without it
  tls,       ///< TLS from the first byte, usually port 465
  none,      ///< in the clear: loopback only
};
struct MailChannel {
  std::vector<std::string> to;
  std::string from;
  std::string host;  ///< of the server that takes the mail
  int port = 587;
  MailSecurity security = MailSecurity::starttls;
  std::string user;  ///< empty: the server wants none
  Secret password;
  std::string ca_file;  ///< PEM of who signed the server's certificate; empty: the system's
};
/// A program that gets the JSON on its standard input. No shell.
struct CommandChannel {
  std::vector<std::string> arguments;  ///< the first is the program
};

struct Channel {
  std::string name;
  std::variant<SlackChannel, WebhookChannel, MailChannel, CommandChannel> by;
  Duration timeout{};  ///< of one attempt
};
/// "slack", "slack bot", "webhook", "email", "command".
[[nodiscard]] std::string_view kind_name(const Channel& channel) noexcept;

/// Severity to names of receivers.
using Routes = std::map<Severity, std::vector<std::string>>;

struct Channels {
  std::string file;
  Duration wait = 30s;              ///< the first alert of a group waits so long for others of it
  Duration interval = 5min;         ///< between two messages of a group
  Duration repeat = 4h;             ///< what still fires is told again; 0: never
  Duration keep_trying = 24h;       ///< what could not be told for so long is given up, and said to be
  std::size_t most_waiting = 1000;  ///< notifications of one receiver that are not told yet
  std::vector<Channel> receivers;
  Routes severities;
  std::map<std::string, Routes> services;  ///< where a service's alerts go elsewhere

  [[nodiscard]] const Channel* find(std::string_view name) const noexcept;
  /// Names of the receivers, none twice. Empty: nobody; only `info` may be told to nobody.
  [[nodiscard]] std::vector<std::string> route(Severity severity, const std::string& service) const;
};

/// Reads it strictly: unknown words, receivers that are not there, secrets that are written out and channels that could
/// never work are mistakes. In a catalogue of monitoring the parts that are not about notifications are left alone.
/// Pure. \param file  for messages. Errors: invalid_argument: every mistake as "file:line:column: sentence", a line
/// each.
Result<Channels> parse_channels(std::string_view text, std::string_view file);

}  // namespace serin::notify
