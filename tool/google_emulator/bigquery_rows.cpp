#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "bigquery.hpp"
#include "serin/base/text.hpp"
#include "serin/google_sql/runtime.hpp"

namespace serin::google_emulator {
namespace {

constexpr std::size_t rows_at_once = 100'000;  // of one page

double real_of(const SqlValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return static_cast<double>(int_of(value));
}

/// "1.767225600123456E9": seconds as BigQuery prints them, without losing the last digits.
std::string seconds_text(std::int64_t micros) {
  if (micros == 0) return "0.0";
  std::string digits =
      std::to_string(micros < 0 ? -static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros));
  const int exponent = static_cast<int>(digits.size()) - 7;
  while (digits.size() > 2 && digits.ends_with('0')) digits.pop_back();
  if (digits.size() == 1) digits += '0';
  return fmt::format("{}{}.{}E{}", micros < 0 ? "-" : "", digits.substr(0, 1), digits.substr(1), exponent);
}

json::value cell_json(const Cell& cell, const sql::Type& type, CellFormat format);

json::value array_json(const std::string& text, const sql::Type& type, CellFormat format) {
  sql::Type element = type;
  element.array = false;
  json::array out;
  const json::value list = parsed(text);
  if (const json::array* values = list.if_array())
    for (const json::value& value : *values) {
      Cell cell;
      if (value.is_string()) cell.value = std::string(value.get_string());
      if (value.is_int64()) cell.value = value.get_int64();
      if (value.is_double()) cell.value = value.get_double();
      out.push_back(json::object{{"v", cell_json(cell, element, format)}});
    }
  return out;
}

json::value cell_json(const Cell& cell, const sql::Type& type, CellFormat format) {
  if (is_null(cell.value)) return type.array ? json::value(json::array()) : json::value(nullptr);
  if (type.array) return array_json(text_of(cell.value), type, format);
  switch (type.kind) {
    case sql::Kind::null:
    case sql::Kind::int64:
      return json::value(std::holds_alternative<double>(cell.value) ? sql::print_float(real_of(cell.value))
                                                                    : std::to_string(int_of(cell.value)));
    case sql::Kind::float64: return json::value(sql::print_float(real_of(cell.value)));
    case sql::Kind::numeric: return json::value(sql::print_numeric(real_of(cell.value)));
    case sql::Kind::boolean: return int_of(cell.value) != 0 ? "true" : "false";
    case sql::Kind::bytes: return json::value(base64_encode(text_of(cell.value)));
    case sql::Kind::timestamp: {
      if (format.timestamps == CellFormat::Timestamps::micros) return json::value(std::to_string(int_of(cell.value)));
      if (format.timestamps == CellFormat::Timestamps::seconds) return json::value(seconds_text(int_of(cell.value)));
      const auto text = sql::cast_value(sql::Kind::timestamp, sql::Kind::datetime, cell.value);
      return json::value(text ? text_of(*text) + "Z" : "");
    }
    case sql::Kind::string:
    case sql::Kind::date:
    case sql::Kind::time:
    case sql::Kind::datetime:
    case sql::Kind::json:
    case sql::Kind::structure: return json::value(text_of(cell.value));
  }
  return nullptr;
}

std::string select_list(const std::vector<sql::Column>& columns) {
  std::string out;
  for (const sql::Column& column : columns) out += (out.empty() ? "" : ", ") + sql::quoted(column.name);
  return out.empty() ? "NULL" : out;
}

}  // namespace

CellFormat CellFormat::of(const Call& call) {
  bool micros = call.flag("formatOptions.useInt64Timestamp");
  std::string named = call.query("formatOptions.timestampOutputFormat");
  if (const json::object* options = object_at(call.body, "formatOptions")) {
    micros = micros || bool_at(*options, "useInt64Timestamp");
    if (named.empty()) named = text_at(*options, "timestampOutputFormat");
  }
  if (named == "ISO8601_STRING") return {Timestamps::iso};
  return {micros || named == "INT64" ? Timestamps::micros : Timestamps::seconds};
}

json::object row_json(const Row& row, const std::vector<sql::Column>& columns, CellFormat format) {
  json::array cells;
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i)
    cells.push_back(json::object{{"v", cell_json(row[i], columns[i].type, format)}});
  return {{"f", std::move(cells)}};
}

Result<Cell> cell_of_json(const json::value& value, const sql::Column& column) {
  if (value.is_null()) return Cell{};
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::invalid_argument, fmt::format("{}: {}", column.name, what));
  };
  if (value.is_array() || (value.is_object() && column.type.kind != sql::Kind::json))
    return wrong("Array specified for non-repeated field.");
  const std::string text = value.is_object() ? json::serialize(value) : scalar_text(value);
  switch (column.type.kind) {
    case sql::Kind::bytes: {
      auto bytes = base64_decode(text);
      if (!bytes) return wrong("Could not decode base64 string to bytes.");
      return Cell{*std::move(bytes), true};
    }
    case sql::Kind::timestamp:
      // Seconds as a number; otherwise text.
      if (value.is_number() || to_double(text))
        return Cell{static_cast<std::int64_t>(std::llround(to_double(text).value_or(0) * 1e6))};
      break;
    case sql::Kind::string:
    case sql::Kind::json: return Cell{text};
    default: break;
  }
  auto converted = sql::cast_value(sql::Kind::string, column.type.kind, text);
  if (!converted) return wrong(converted.error().detail());
  return Cell{*std::move(converted)};
}

Reply BigQuery::insert_all(Call& call) {
  const sql::TableName name{call.parts[0], call.parts[1], call.parts[2]};
  if (call.body.contains("templateSuffix")) return bad("templateSuffix is not supported by this emulator");
  const json::array* rows = array_at(call.body, "rows");
  if (rows == nullptr || rows->empty()) return bad("No rows present in the request.");
  const Instant now = sleeper_.now();
  return with_catalog(true, [&](Connection& connection, BigQueryCatalog& catalog) -> Reply {
    const auto table = catalog.find(name);
    if (!table) return refuse(table.error());
    json::array errors;
    std::vector<std::pair<std::string, Row>> good;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const json::object* row = (*rows)[i].if_object();
      const json::object* values = row == nullptr ? nullptr : object_at(*row, "json");
      json::array wrong;
      const auto complain = [&wrong](std::string_view where, std::string_view what) {
        wrong.push_back(json::object{{"reason", "invalid"}, {"location", where}, {"debugInfo", ""}, {"message", what}});
      };
      Row cells;
      if (values == nullptr) {
        complain("", "Missing row data.");
      } else {
        for (const auto& [key, value] : *values)
          if (!bool_at(call.body, "ignoreUnknownValues") &&
              std::ranges::none_of(table->columns,
                                   [&](const sql::Column& c) { return equal_ignoring_case(c.name, key); }))
            complain(key, fmt::format("no such field: {}.", std::string_view(key)));
        for (const sql::Column& column : table->columns) {
          const auto found = std::ranges::find_if(
              *values, [&](const auto& pair) { return equal_ignoring_case(pair.key(), column.name); });
          auto cell = cell_of_json(found == values->end() ? json::value() : found->value(), column);
          if (!cell) {
            complain(column.name, cell.error().detail());
          } else if (column.required && is_null(cell->value)) {
            complain(column.name, fmt::format("Missing required field: {}.", column.name));
          } else {
            cells.push_back(*std::move(cell));
          }
        }
      }
      if (wrong.empty()) {
        good.emplace_back(row == nullptr ? "" : text_at(*row, "insertId"), std::move(cells));
      } else {
        errors.push_back(json::object{{"index", i}, {"errors", std::move(wrong)}});
      }
    }
    if (!errors.empty() && !bool_at(call.body, "skipInvalidRows")) {
      // All or nothing: the others are told that they were stopped.
      json::array all;
      for (std::size_t i = 0; i < rows->size(); ++i) {
        const auto mine = std::ranges::find_if(errors, [&](const json::value& e) {
          return int_at(e.get_object(), "index") == static_cast<std::int64_t>(i);
        });
        all.push_back(
            mine != errors.end()
                ? *mine
                : json::value(json::object{
                      {"index", i},
                      {"errors", json::array{json::object{
                                     {"reason", "stopped"}, {"location", ""}, {"debugInfo", ""}, {"message", ""}}}}}));
      }
      return json::object{{"kind", "bigquery#tableDataInsertAllResponse"}, {"insertErrors", std::move(all)}};
    }
    std::string marks;
    for (std::size_t i = 0; i < table->columns.size(); ++i) marks += fmt::format("{}?{}", i == 0 ? "" : ", ", i + 1);
    const std::string insert =
        fmt::format("INSERT INTO {}({}) VALUES({})", table->storage, select_list(table->columns), marks);
    for (const auto& [id, cells] : good) {
      if (!id.empty()) {
        const std::lock_guard lock(mutex_);
        std::erase_if(inserted_, [&](const auto& entry) { return now - entry.second > 60s; });
        if (!inserted_.emplace(name.text() + "/" + id, now).second) continue;  // sent twice
      }
      if (const auto done = connection.run(insert, cells); !done) return refuse(done.error());
    }
    json::object out{{"kind", "bigquery#tableDataInsertAllResponse"}};
    if (!errors.empty()) out["insertErrors"] = std::move(errors);
    return out;
  });
}

Reply BigQuery::list_rows(Call& call) {
  const sql::TableName name{call.parts[0], call.parts[1], call.parts[2]};
  return with_catalog(false, [&](Connection& connection, BigQueryCatalog& catalog) -> Reply {
    const auto table = catalog.find(name);
    if (!table) return refuse(table.error());
    std::vector<sql::Column> columns = table->columns;
    if (const std::string selected = call.query("selectedFields"); !selected.empty()) {
      const std::vector<std::string_view> wanted = split(selected, ',');
      std::erase_if(columns, [&](const sql::Column& column) {
        return std::ranges::none_of(wanted,
                                    [&](std::string_view w) { return equal_ignoring_case(trim(w), column.name); });
      });
    }
    const auto total = connection.value("SELECT count(*) FROM " + table->storage);
    if (!total) return refuse(total.error());
    Page page = Page::of(call, "maxResults", rows_at_once);
    if (call.query("pageToken").empty())
      page.from = static_cast<std::size_t>(std::max<std::int64_t>(0, call.number("startIndex", 0)));
    if (call.query("maxResults") == "0") page.most = 0;
    const CellFormat format = CellFormat::of(call);
    json::array rows;
    const auto read = connection.run(fmt::format("SELECT {} FROM {} ORDER BY _rowid_ LIMIT {} OFFSET {}",
                                                 select_list(columns), table->storage, page.most, page.from),
                                     std::span<const Cell>(),
                                     [&](const Row& row) { rows.push_back(row_json(row, columns, format)); });
    if (!read) return refuse(read.error());
    json::object out{
        {"kind", "bigquery#tableDataList"}, {"etag", "rows"}, {"totalRows", std::to_string(int_of(*total))}};
    if (!rows.empty()) out["rows"] = std::move(rows);
    if (const std::string token = page.next(static_cast<std::size_t>(int_of(*total))); !token.empty() && page.most > 0)
      out["pageToken"] = token;
    return out;
  });
}

}  // namespace serin::google_emulator
