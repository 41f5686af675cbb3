#include "serin/notify/channels.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "serin/base/text.hpp"
#include "serin/config/yaml.hpp"

namespace serin::notify {
namespace {

using config::YamlKind;
using config::YamlMap;

constexpr std::size_t most_receivers = 100;

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}
/// Not all that RFC 5321 allows, but all that people have, and nothing that could end a header or a command.
bool is_mail_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == text.npos &&
         text.size() <= 254 && is_printable(text) && text.find_first_of("<>()[],;:\\\"") == text.npos;
}
bool is_loopback(std::string_view host) { return host == "localhost" || host.starts_with("127.") || host == "::1"; }

/// Where the host ends and the path begins.
std::string_view authority(std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}
void check_url(YamlMap& map, std::string_view key, const std::string& url) {
  const bool is_web = url.starts_with("http://") || url.starts_with("https://");
  if (!is_web || authority(url).empty() || !is_printable(url))
    map.complain(key, fmt::format("{} must be http://host/path or https://host/path", key));
  else if (authority(url).find('@') != std::string_view::npos)
    map.complain(key, fmt::format("{} holds a password; write the whole address into a file and webhook_at: "
                                  "{{file: FILE}}",
                                  key));
}

/// One reading of one file.
class Reader {
 public:
  Reader(YamlMap& root, std::string_view file) : root_(root) { out_.file = file; }
  Channels read() {
    auto notify = root_.map("notify");
    if (!notify) {
      root_.complain("notify", "notify is missing: receivers, and severities that go to them");
      return out_;
    }
    read_times(*notify);
    read_shared(*notify);
    for (auto& [name, map] : notify->named_maps("receivers")) read_receiver(name, map, *notify);
    for (auto& [name, members] : together_) flatten(name, members, *notify);
    if (out_.receivers.empty()) notify->complain("receivers", "receivers must name at least one");
    out_.severities = routes(*notify, "severities");
    for (const Severity needed : {Severity::page, Severity::ticket})
      if (!out_.severities.contains(needed))
        notify->complain("severities", fmt::format("{} has no receiver", severity_name(needed)));
    notify->done();
    for (auto& [name, map] : root_.named_maps("services"))
      if (Routes own = routes(map, "notify"); !own.empty()) out_.services[name] = std::move(own);
    return out_;
  }

 private:
  static Duration positive(YamlMap& map, std::string_view key, Duration otherwise) {
    const Duration found = map.duration(key, otherwise);
    if (found < Duration::zero()) map.complain(key, fmt::format("{} must not be negative", key));
    return found;
  }

  void read_times(YamlMap& map) {
    out_.wait = positive(map, "wait", out_.wait);
    out_.interval = positive(map, "interval", out_.interval);
    out_.repeat = positive(map, "repeat", out_.repeat);
    if (out_.repeat > Duration::zero() && out_.repeat < out_.interval)
      map.complain("repeat", "repeat must not be below interval; 0 repeats nothing");
    out_.keep_trying = map.duration("keep_trying", out_.keep_trying);
    if (out_.keep_trying < 1min) map.complain("keep_trying", "keep_trying must be 1m or more");
    timeout_ = map.duration("timeout", timeout_);
    const std::int64_t most = map.integer("most_waiting", static_cast<std::int64_t>(out_.most_waiting));
    if (most < 10 || most > 100'000) map.complain("most_waiting", "most_waiting must be 10 to 100000");
    out_.most_waiting = static_cast<std::size_t>(std::clamp<std::int64_t>(most, 10, 100'000));
  }

  static Secret secret(YamlMap& map, std::string_view key) {
    if (!map.has(key)) return {};
    if (map.kind(key) == YamlKind::scalar) {
      map.complain(key, fmt::format("{} is a secret and is never written out; write {}: {{environment: NAME}} or "
                                    "{{file: FILE}}",
                                    key, key));
      return {};
    }
    auto inner = map.map(key);
    Secret out{.environment = inner->text("environment", ""), .file = inner->text("file", "")};
    if (out.environment.empty() == out.file.empty())
      inner->complain("", fmt::format("{} comes from exactly one of environment and file", key));
    inner->done();
    return out;
  }

  /// What all receivers of a kind have in common.
  void read_shared(YamlMap& notify) {
    slack_.address = secret(notify, "slack_url");
    if (notify.has("slack_url_file")) {
      if (slack_.address.is_there()) notify.complain("slack_url_file", "slack_url is there already; write one of them");
      slack_.address = {.environment = "", .file = notify.required_text("slack_url_file")};
    }
    slack_.token = secret(notify, "slack_token");
    slack_.api = notify.text("slack_api", "https://slack.com/api");
    check_url(notify, "slack_api", slack_.api);
    if (auto smtp = notify.map("smtp")) read_smtp(*smtp);
  }

  void read_smtp(YamlMap& map) {
    static const std::vector<std::string> words{"starttls", "tls", "none"};
    has_smtp_ = true;
    mail_.security = static_cast<MailSecurity>(map.choice("security", words, 0));
    const std::string server = map.required_text("server");
    const std::size_t colon = server.rfind(':');
    mail_.host = server.substr(0, colon);
    mail_.port = mail_.security == MailSecurity::tls ? 465 : 587;
    if (colon != std::string::npos) {
      const auto port = to_int(std::string_view(server).substr(colon + 1));
      if (!port || *port < 1 || *port > 65535) map.complain("server", "server must be host or host:port");
      mail_.port = static_cast<int>(std::clamp<std::int64_t>(port.value_or(587), 1, 65535));
    }
    if (mail_.host.empty() || !is_printable(mail_.host) || mail_.host.find_first_of("/@?#%") != std::string::npos)
      map.complain("server", "server must be host or host:port");
    mail_.from = map.required_text("from");
    if (!is_mail_address(mail_.from)) map.complain("from", "from must be one address, name@host");
    mail_.user = map.text("user", "");
    mail_.password = secret(map, "password");
    if (mail_.user.empty() == mail_.password.is_there()) map.complain("user", "user and password go together");
    if (mail_.security == MailSecurity::none && !is_loopback(mail_.host))
      map.complain("security", "mail in the clear is for loopback only; write starttls or tls");
    mail_.ca_file = map.text("ca_file", "");
    map.done();
  }

  void read_receiver(const std::string& name, YamlMap& map, YamlMap& notify) {
    if (!is_name(name))
      notify.complain("receivers", fmt::format("{}: letters, digits, - and _ only, at most 63", name));
    Channel out{.name = name, .by = CommandChannel{}, .timeout = map.duration("timeout", timeout_)};
    if (out.timeout < 100ms || out.timeout > 5min) map.complain("timeout", "timeout must be 100ms to 5m");
    int kinds = 0;
    for (const std::string_view kind : {"slack", "webhook", "webhook_at", "email", "command", "together"})
      kinds += map.has(kind) ? 1 : 0;
    if (kinds != 1)
      map.complain("", fmt::format("{} is one of slack, webhook, webhook_at, email, command, together", name));
    if (map.has("together")) {
      together_.emplace_back(name, map.texts("together", {}));
    } else {
      if (map.has("slack")) out.by = slack(map);
      if (map.has("webhook") || map.has("webhook_at")) out.by = webhook(map);
      if (map.has("email")) out.by = mail(map);
      if (map.has("command")) out.by = command(map);
      out_.receivers.push_back(std::move(out));
    }
    map.done();
    if (out_.receivers.size() > most_receivers)
      notify.complain("receivers", fmt::format("there are more than {} receivers", most_receivers));
  }

  SlackChannel slack(YamlMap& map) {
    SlackChannel out = slack_;
    out.channel = map.required_text("slack");
    if (out.channel.empty() || !is_printable(out.channel))
      map.complain("slack", "slack must be a channel like #alerts");
    if (map.has("address")) out = {out.channel, secret(map, "address"), {}, out.api};
    if (map.has("token")) out.token = secret(map, "token");
    if (!out.address.is_there() && !out.token.is_there())
      map.complain("slack", "needs notify.slack_url_file, slack_url or slack_token: where the secret is");
    return out;
  }

  static WebhookChannel webhook(YamlMap& map) {
    WebhookChannel out{
        .url = map.text("webhook", ""), .address = secret(map, "webhook_at"), .signing = secret(map, "signing")};
    if (map.has("webhook")) check_url(map, "webhook", out.url);
    return out;
  }

  MailChannel mail(YamlMap& map) {
    MailChannel out = mail_;
    if (map.kind("email") == YamlKind::scalar)
      out.to.push_back(map.text("email", ""));
    else
      out.to = map.texts("email", {});
    if (out.to.empty() || out.to.size() > 50 || !std::ranges::all_of(out.to, is_mail_address))
      map.complain("email", "email must be 1 to 50 addresses like name@host");
    if (!has_smtp_) map.complain("email", "needs notify.smtp: which server takes the mail");
    return out;
  }

  static CommandChannel command(YamlMap& map) {
    CommandChannel out{.arguments = map.texts("command", {})};
    if (out.arguments.empty() || out.arguments.front().empty())
      map.complain("command", "command must be a list: the program and its arguments; there is no shell");
    return out;
  }

  /// A receiver that stands for several, none of which stands for several.
  void flatten(const std::string& name, const std::vector<std::string>& members, YamlMap& notify) {
    if (out_.find(name) != nullptr) return;
    if (members.empty()) notify.complain("receivers", fmt::format("{} stands together with nobody", name));
    for (const std::string& member : members)
      if (out_.find(member) == nullptr) notify.complain("receivers", fmt::format("{}: {}", name, no_receiver(member)));
  }

  std::string no_receiver(const std::string& name) const {
    std::vector<std::string> known;
    for (const Channel& one : out_.receivers) known.push_back(one.name);
    for (const auto& [together, members] : together_) known.push_back(together);
    const auto near = nearest_word(name, known);
    return near && *near != name ? fmt::format("{} is no receiver; did you mean '{}'?", name, *near)
                                 : fmt::format("{} is no receiver", name);
  }

  Routes routes(YamlMap& map, std::string_view key) {
    Routes out;
    for (const auto& [word, receiver] : map.text_map(key, {})) {
      const auto severity = parse_severity(word);
      if (!severity) {
        map.complain(key, fmt::format("{} is no severity; write page, ticket or info", word));
        continue;
      }
      const auto several = std::ranges::find(together_, receiver, [](const auto& pair) { return pair.first; });
      if (several != together_.end())
        out[*severity] = several->second;
      else if (out_.find(receiver) != nullptr)
        out[*severity] = {receiver};
      else
        map.complain(key, fmt::format("{} goes to {}", word, no_receiver(receiver)));
    }
    return out;
  }

  YamlMap& root_;
  Channels out_;
  SlackChannel slack_;
  MailChannel mail_;
  bool has_smtp_ = false;
  Duration timeout_ = 10s;
  std::vector<std::pair<std::string, std::vector<std::string>>> together_;
};

}  // namespace

std::string_view kind_name(const Channel& channel) noexcept {
  if (const auto* slack = std::get_if<SlackChannel>(&channel.by))
    return slack->token.is_there() ? "slack bot" : "slack";
  if (std::holds_alternative<WebhookChannel>(channel.by)) return "webhook";
  return std::holds_alternative<MailChannel>(channel.by) ? "email" : "command";
}

const Channel* Channels::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(receivers, name, &Channel::name);
  return found == receivers.end() ? nullptr : &*found;
}

std::vector<std::string> Channels::route(Severity severity, const std::string& service) const {
  std::vector<std::string> out;
  const auto take = [&](const Routes& routes) {
    const auto found = routes.find(severity);
    if (found == routes.end()) return false;
    for (const std::string& name : found->second)
      if (std::ranges::find(out, name) == out.end()) out.push_back(name);
    return true;
  };
  const auto own = services.find(service);
  if (own == services.end() || !take(own->second)) take(severities);
  return out;
}

Result<Channels> parse_channels(std::string_view text, std::string_view file) {
  SERIN_TRY(const std::unique_ptr<config::YamlFile> yaml, config::YamlFile::parse(text, file));
  YamlMap root = yaml->root();
  // The rest of a catalogue belongs to who watches; its own reader finds the mistakes there.
  for (const std::string_view elsewhere :
       {"version", "scrape_every", "absent_for", "alertmanager", "burn", "alerts", "watch", "checks"})
    static_cast<void>(root.has(elsewhere));
  Channels out = Reader(root, file).read();
  root.done();
  if (!yaml->mistakes().empty())
    return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(yaml->mistakes(), "\n")));
  return out;
}

}  // namespace serin::notify
