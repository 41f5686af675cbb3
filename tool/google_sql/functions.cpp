#include "functions.hpp"

#include <algorithm>
#include <array>

namespace serin::google_sql {
namespace {

using Use = Function::Use;

// What needs more than this is in emit_call.cpp.
constexpr std::array functions{
    // Numbers.
    Function{"ABS", "n", '0', "abs({0})"},
    Function{"SIGN", "n", '0', "(({0} > 0) - ({0} < 0))"},
    Function{"ROUND", "f|i", 'f', "bq_math('ROUND', {*})"},
    Function{"TRUNC", "f|i", 'f', "bq_math('TRUNC', {*})"},
    Function{"FLOOR", "f", 'f', "bq_math('FLOOR', {0})"},
    Function{"CEIL", "f", 'f', "bq_math('CEIL', {0})"},
    Function{"CEILING", "f", 'f', "bq_math('CEIL', {0})"},
    Function{"SQRT", "f", 'f', "bq_math('SQRT', {0})"},
    Function{"EXP", "f", 'f', "bq_math('EXP', {0})"},
    Function{"LN", "f", 'f', "bq_math('LN', {0})"},
    Function{"LOG", "f|f", 'f', "bq_math('LN', {*})"},
    Function{"LOG10", "f", 'f', "bq_math('LN', {0}, 10.0)"},
    Function{"POW", "ff", 'f', "bq_math('POW', {*})"},
    Function{"POWER", "ff", 'f', "bq_math('POW', {*})"},
    Function{"MOD", "ii", 'i', "bq_mod({0}, {1})"},
    Function{"DIV", "ii", 'i', "bq_div({0}, {1})"},
    Function{"SAFE_DIVIDE", "ff", 'f', "(CAST({0} AS REAL) / NULLIF({1}, 0))"},
    Function{"RAND", "", 'f', "((random() & 9007199254740991) / 9007199254740992.0)"},
    // Choices. SQLite's min, max and coalesce want two arguments to be functions of one row.
    Function{"GREATEST", "A*", 'A', "max({*}, {0})"},
    Function{"LEAST", "A*", 'A', "min({*}, {0})"},
    Function{"COALESCE", "A*", 'A', "coalesce({*}, NULL)"},
    Function{"IFNULL", "AA", 'A', "ifnull({0}, {1})"},
    Function{"NULLIF", "AA", 'A', "nullif({0}, {1})"},
    Function{"IF", "bAA", 'A', "CASE WHEN {0} THEN {1} ELSE {2} END"},
    // Texts.
    Function{"LENGTH", "S", 'i', "length({0})"},
    Function{"CHAR_LENGTH", "s", 'i', "length({0})"},
    Function{"CHARACTER_LENGTH", "s", 'i', "length({0})"},
    Function{"BYTE_LENGTH", "S", 'i', "length(CAST({0} AS BLOB))"},
    Function{"LOWER", "s", 's', "lower({0})"},
    Function{"UPPER", "s", 's', "upper({0})"},
    Function{"TRIM", "s|s", 's', "trim({*})"},
    Function{"LTRIM", "s|s", 's', "ltrim({*})"},
    Function{"RTRIM", "s|s", 's', "rtrim({*})"},
    Function{"SUBSTR", "Si|i", '0', "substr({0}, {1} + ({1} = 0){,2})"},
    Function{"SUBSTRING", "Si|i", '0', "substr({0}, {1} + ({1} = 0){,2})"},
    Function{"LEFT", "Si", '0', "substr({0}, 1, {1})"},
    Function{"RIGHT", "Si", '0', "CASE WHEN {1} = 0 THEN '' ELSE substr({0}, -{1}) END"},
    Function{"REPLACE", "sss", 's', "replace({*})"},
    Function{"STARTS_WITH", "ss", 'b', "(substr({0}, 1, length({1})) = {1})"},
    Function{"ENDS_WITH", "ss", 'b', "({1} = '' OR substr({0}, -length({1})) = {1})"},
    Function{"STRPOS", "ss", 'i', "instr({0}, {1})"},
    Function{"CONCAT", "S*", '0', "({|})"},
    Function{"REGEXP_CONTAINS", "ss", 'b', "bq_regexp_contains({*})"},
    Function{"REGEXP_EXTRACT", "ss", 's', "bq_regexp_extract({*})"},
    Function{"REGEXP_REPLACE", "sss", 's', "bq_regexp_replace({*})"},
    Function{"TO_BASE64", "S", 's', "bq_to_base64({0})"},
    Function{
        "GENERATE_UUID", "", 's',
        "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || "
        "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"},
    Function{"STRING", "T", 's', "bq_cast({k0}, 'STRING', {0}, 0)"},
    Function{"ARRAY_LENGTH", "y", 'i', "json_array_length({0})"},
    // Times. TIMESTAMP is microseconds.
    Function{"UNIX_SECONDS", "t", 'i', "bq_floor_div({0}, 1000000)"},
    Function{"UNIX_MILLIS", "t", 'i', "bq_floor_div({0}, 1000)"},
    Function{"UNIX_MICROS", "t", 'i', "({0})"},
    Function{"UNIX_DATE", "d", 'i', "bq_unix_date({0})"},
    Function{"DATE_FROM_UNIX_DATE", "i", 'd', "bq_date_of_days({0})"},
    Function{"TIMESTAMP_SECONDS", "i", 't', "({0} * 1000000)"},
    Function{"TIMESTAMP_MILLIS", "i", 't', "({0} * 1000)"},
    Function{"TIMESTAMP_MICROS", "i", 't', "({0})"},
    Function{"FORMAT_DATE", "sd", 's', "bq_format('DATE', {*})"},
    Function{"FORMAT_DATETIME", "se", 's', "bq_format('DATETIME', {*})"},
    Function{"FORMAT_TIMESTAMP", "st|s", 's', "bq_format('TIMESTAMP', {*})"},
    Function{"PARSE_DATE", "ss", 'd', "bq_parse('DATE', {*})"},
    Function{"PARSE_DATETIME", "ss", 'e', "bq_parse('DATETIME', {*})"},
    Function{"PARSE_TIMESTAMP", "ss|s", 't', "bq_parse('TIMESTAMP', {*})"},
    // Aggregates.
    Function{"COUNT", "a", 'i', "count({0})", Use::aggregate},
    Function{"COUNTIF", "b", 'i', "count(CASE WHEN {0} THEN 1 END)", Use::aggregate},
    Function{"SUM", "n", '0', "sum({0})", Use::aggregate},
    Function{"AVG", "n", 'f', "avg({0})", Use::aggregate},
    Function{"MIN", "a", '0', "min({0})", Use::aggregate},
    Function{"MAX", "a", '0', "max({0})", Use::aggregate},
    Function{"ANY_VALUE", "a", '0', "max({0})", Use::aggregate},
    Function{"STRING_AGG", "s|s", 's', "group_concat({*})", Use::aggregate},
    Function{"APPROX_COUNT_DISTINCT", "a", 'i', "count(DISTINCT {0})", Use::aggregate},
    Function{"LOGICAL_AND", "b", 'b', "min({0})", Use::aggregate},
    Function{"LOGICAL_OR", "b", 'b', "max({0})", Use::aggregate},
    Function{"ARRAY_AGG", "a", 'y', "json_group_array({0})", Use::aggregate},
    Function{"VAR_POP", "f", 'f', "bq_var_pop({0})", Use::aggregate},
    Function{"VAR_SAMP", "f", 'f', "bq_var_samp({0})", Use::aggregate},
    Function{"VARIANCE", "f", 'f', "bq_var_samp({0})", Use::aggregate},
    Function{"STDDEV_POP", "f", 'f', "bq_stddev_pop({0})", Use::aggregate},
    Function{"STDDEV_SAMP", "f", 'f', "bq_stddev_samp({0})", Use::aggregate},
    Function{"STDDEV", "f", 'f', "bq_stddev_samp({0})", Use::aggregate},
    // Only with OVER.
    Function{"ROW_NUMBER", "", 'i', "row_number()", Use::window},
    Function{"RANK", "", 'i', "rank()", Use::window},
    Function{"DENSE_RANK", "", 'i', "dense_rank()", Use::window},
    Function{"PERCENT_RANK", "", 'f', "percent_rank()", Use::window},
    Function{"CUME_DIST", "", 'f', "cume_dist()", Use::window},
    Function{"NTILE", "i", 'i', "ntile({0})", Use::window},
    Function{"LAG", "a|ia", '0', "lag({*})", Use::window},
    Function{"LEAD", "a|ia", '0', "lead({*})", Use::window},
    Function{"FIRST_VALUE", "a", '0', "first_value({0})", Use::window},
    Function{"LAST_VALUE", "a", '0', "last_value({0})", Use::window},
    Function{"NTH_VALUE", "ai", '0', "nth_value({*})", Use::window},
    Function{"PERCENTILE_DISC", "af", '0', "bq_percentile_disc({*})", Use::window},
    Function{"PERCENTILE_CONT", "ff", 'f', "bq_percentile_cont({*})", Use::window},
};

}  // namespace

const Function* find_function(std::string_view upper_case_name) noexcept {
  const auto found = std::ranges::find(functions, upper_case_name, &Function::name);
  return found == functions.end() ? nullptr : &*found;
}

}  // namespace serin::google_sql
