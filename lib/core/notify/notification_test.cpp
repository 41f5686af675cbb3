// Goal: whatever a notification says, it can be told in every channel, and it comes back from its JSON as it was.
// Method: values; hostile texts; every error by its sentence.
#include "serin/notify/notification.hpp"

#include <gtest/gtest.h>

namespace serin::notify {
namespace {

constexpr WallTime noon = WallTime(std::chrono::seconds(1'775'736'000));

Notification sample() {
  return {.key = "slo/worker/availability",
          .status = AlertStatus::firing,
          .severity = Severity::page,
          .service = "worker",
          .title = "worker burns its budget",
          .text = "14 times too fast\nsince noon",
          .labels = {{"slo", "availability"}},
          .started_at = noon,
          .link = "https://example.org/d/1"};
}

std::string refusal(const Notification& notification) {
  const auto result = checked(notification);
  return result ? "none" : result.error().detail();
}

TEST(Notification, that_is_fine_stays_as_it_is) { EXPECT_EQ(checked(sample()).value(), sample()); }

TEST(Notification, comes_back_from_its_json) {
  EXPECT_EQ(parse_notification(json_of(sample())).value(), sample());
  Notification over = sample();
  over.status = AlertStatus::resolved;
  over.resolved_at = noon + 90s + 250ms;
  over.is_event = true;
  over.link.clear();
  EXPECT_EQ(parse_notification(json_of(over)).value(), over);
  for (const char* broken : {"", "[]", "{", R"({"key":"a"})", R"({"key":"a","status":"on","severity":"page"})"})
    EXPECT_EQ(parse_notification(broken).error().code(), Errc::data_loss) << broken;
}

TEST(Notification, has_no_line_or_control_character_where_a_header_could_be_made_of_it) {
  Notification hostile = sample();
  hostile.title = "down\r\nBcc: everyone@example.org\x01\x7f";
  hostile.service = "a\nb";
  hostile.labels = {{"x\r\n", "y\n"}};
  hostile.text = "one\r\ntwo\x1b[31m";
  const Notification out = checked(hostile).value();
  EXPECT_EQ(out.title, "down Bcc: everyone@example.org");
  EXPECT_EQ(out.service, "a b");
  EXPECT_EQ(out.labels, (std::map<std::string, std::string>{{"x ", "y "}}));
  EXPECT_EQ(out.text, "one\ntwo[31m");
}

TEST(Notification, is_cut_between_characters_and_says_so) {
  Notification longer = sample();
  longer.title.clear();
  for (int i = 0; i < 200; ++i) longer.title += "\xc3\xa4";  // 400 bytes
  const std::string title = checked(longer).value().title;
  EXPECT_LE(title.size(), 300u);
  EXPECT_GE(title.size(), 298u);
  EXPECT_TRUE(title.ends_with("\xc3\xa4...")) << title;
  longer.text.assign(9000, 'x');
  EXPECT_EQ(checked(longer).value().text.size(), 8000u);
}

TEST(Notification, of_bytes_that_are_no_text_becomes_text) {
  Notification bytes = sample();
  bytes.title =
      "a\xff\xc0\x80\xed\xa0\x80"
      "b\xe2\x82\xac\xf0\x9f\x94\xa5";
  EXPECT_EQ(checked(bytes).value().title, "a??????b\xe2\x82\xac\xf0\x9f\x94\xa5");
  bytes.title = "ends early \xe2\x82";
  EXPECT_EQ(checked(bytes).value().title, "ends early ??");
}

TEST(Notification, keeps_only_links_to_the_web) {
  Notification linked = sample();
  linked.link = "javascript:alert(1)";
  EXPECT_EQ(checked(linked).value().link, "");
}

TEST(Notification, that_cannot_be_told_is_refused) {
  Notification wrong = sample();
  wrong.key.clear();
  EXPECT_EQ(refusal(wrong), "a notification needs a key");
  wrong.key = "two\nlines";
  EXPECT_EQ(refusal(wrong), "the key 'two lines' must be one line of at most 200 bytes of UTF-8");
  wrong.key.assign(201, 'k');
  EXPECT_NE(refusal(wrong), "none");
  wrong = sample();
  wrong.title = " \n";
  EXPECT_EQ(refusal(wrong), "the notification 'slo/worker/availability' needs a title");
  wrong = sample();
  wrong.status = AlertStatus::resolved;
  EXPECT_NE(refusal(wrong), "none") << "no end";
  wrong.resolved_at = noon - 1s;
  EXPECT_NE(refusal(wrong), "none") << "an end before the beginning";
  wrong.resolved_at = noon;
  EXPECT_EQ(refusal(wrong), "none");
}

}  // namespace
}  // namespace serin::notify
