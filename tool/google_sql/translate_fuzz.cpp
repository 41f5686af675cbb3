// Goal: no text makes the translator crash, hang or write a name that ends its quotes. Method: libFuzzer, against a
// catalog with one table whose names are hostile.
#include <cstddef>
#include <cstdint>
#include <string>

#include "serin/google_sql/translate.hpp"

namespace {

struct OneTable final : serin::google_sql::Catalog {
  serin::Result<serin::google_sql::Table> find(const serin::google_sql::TableName& name) const override {
    using serin::google_sql::Kind;
    return serin::google_sql::Table{
        .name = name,
        .storage = "t1",
        .columns = {{.name = "a", .type = {.kind = Kind::int64}},
                    {.name = "b\"c", .type = {.kind = Kind::string}},
                    {.name = "d", .type = {.kind = Kind::date}, .default_sql = "CURRENT_DATE()"}}};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto statements = serin::google_sql::split_statements(text);
  if (!statements) return 0;
  serin::google_sql::TranslateOptions options{.project = "p", .dataset = "d"};
  options.parameters = {{"p", {.kind = serin::google_sql::Kind::int64}},
                        {"l", {.kind = serin::google_sql::Kind::string, .array = true}}};
  const OneTable catalog;
  for (const std::string& statement : *statements)
    static_cast<void>(serin::google_sql::translate(statement, options, catalog));
  return 0;
}
