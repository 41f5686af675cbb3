// Goal: no statement makes the translation crash, loop, or leave a parameter of ours outside of quotes. Method: any
// bytes; what is translated must be readable as GoogleSQL and have no $1 left.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dialect.hpp"
#include "serin/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serin;
  const std::string sql(data, data + size);
  const std::vector<SqlValue> values{std::int64_t{1}, std::monostate(), 0.5};
  for (std::size_t count = 0; count <= values.size(); ++count) {
    const std::span<const SqlValue> given(values.data(), count);
    for (const char* numbered : {"", "id"}) {
      bigquery::TranslateOptions options{.parameters = given};
      if (*numbered != '\0') options.numbered_column = numbered;
      const auto made = bigquery::translated(sql, options);
      // Nothing is left to name: a statement of GoogleSQL without parameters of ours.
      if (made && !made->text.empty()) SERIN_ASSERT(bigquery::with_named_parameters(made->text, {}));
    }
    static_cast<void>(bigquery::with_named_parameters(sql, given));
  }
  static_cast<void>(bigquery::insert_target(sql));
  return 0;
}
