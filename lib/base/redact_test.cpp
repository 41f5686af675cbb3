// Goal: no secret that has a name, and no user-info of a URL, survives redact(); harmless text does.
// Method: a table of texts and what must be left of them; every result is redacted again and must not change.
#include "serin/base/redact.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace serin {
namespace {

struct Case {
  std::string_view text;
  std::string_view shown;
};

class Redact : public testing::TestWithParam<Case> {};

TEST_P(Redact, hides_the_secret_and_nothing_else_and_is_idempotent) {
  const std::string once = redact(GetParam().text);
  EXPECT_EQ(once, GetParam().shown);
  EXPECT_EQ(redact(once), once);
}

INSTANTIATE_TEST_SUITE_P(
    cases, Redact,
    testing::Values(
        Case{"", ""}, Case{"connection refused", "connection refused"},
        Case{"http://host:8080/a@b", "http://host:8080/a@b"}, Case{"the key is missing", "the key is missing"},
        Case{"postgres://bob:s3cret@db:5432/x", "postgres://***@db:5432/x"},
        Case{"redis://bob:a/b@db/0", "redis://***@db/0"}, Case{"http://u:p@w@host/", "http://***@host/"},
        Case{"redis://bob:/b@db/0", "redis://***@db/0"}, Case{"http://host:/a", "http://host:/a"},
        Case{"http://h/?token=abc&x=1", "http://h/?token=***&x=1"},
        Case{"host=db password=abc,def user=bob", "host=db password=*** user=bob"},
        Case{"Server=x;PWD = abc;Uid=y", "Server=x;PWD = ***;Uid=y"}, Case{"password='a b' x", "password='***' x"},
        Case{"api_key=abc", "api_key=***"}, Case{"X-Api-Key: abc", "X-Api-Key: ***"},
        Case{"client_secret=abc", "client_secret=***"}, Case{"password=", "password=***"},
        Case{"Authorization: Basic dTpw\r\nHost: x", "Authorization: ***\r\nHost: x"},
        Case{"Proxy-Authorization: Digest a=b, c=d", "Proxy-Authorization: ***"},
        Case{"sent bearer abc.def to x", "sent bearer *** to x"},
        Case{R"({"password":"x","user":"bob"})", R"({"password":"***","user":"bob"})"},
        Case{R"({"token" : "a\"b", "n":1})", R"({"token" : "***", "n":1})"},
        Case{R"("{\"secret\":\"x\",\"n\":1}")", R"("{\"secret\":\"***\",\"n\":1}")"},
        Case{R"({"password":["x","y"]})", R"({"password":***)"}, Case{R"(password="open end)", R"(password="***)"}));

}  // namespace
}  // namespace serin
