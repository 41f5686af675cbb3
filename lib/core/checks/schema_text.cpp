#include "serin/checks/check.hpp"

namespace serin::checks {

std::string_view checks_json_schema() noexcept {
  return R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Data checks of Serin",
  "type": "object",
  "additionalProperties": false,
  "required": ["checks"],
  "properties": {
    "version": {"const": 1},
    "tables": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": false,
      "properties": {"key": {"$ref": "#/$defs/columns"}, "grows_by": {"type": "string"}}}},
    "calendars": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": false,
      "required": ["table"], "properties": {"table": {"type": "string"}, "where": {"type": "string"}}}},
    "checks": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/check"}}
  },
  "$defs": {
    "columns": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    "texts": {"type": "array", "items": {"type": ["string", "number"]}},
    "measure": {"enum": ["row_count", "missing_percent", "mean", "stddev", "min", "max", "percentile"]},
    "unit": {"enum": ["unix_ms", "unix_s", "timestamp"]},
    "bounds": {"type": "object", "additionalProperties": false, "required": ["column"],
      "properties": {"column": {"type": "string"}, "min": {"type": "number"}, "max": {"type": "number"}}},
    "check": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {"type": "string"}, "table": {"type": "string"}, "where": {"type": "string"},
        "group_by": {"$ref": "#/$defs/columns"}, "warn": {"type": "string"}, "fail": {"type": "string"},
        "on_no_data": {"enum": ["not_evaluated", "warn", "fail"]}, "calendar": {"type": "string"},
        "owner": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
        "samples": {"type": "object", "additionalProperties": false, "properties": {
          "keys": {"type": "array", "items": {"type": "string"}}, "columns": {"type": "array", "items": {"type": "string"}},
          "limit": {"type": "integer", "minimum": 0, "maximum": 1000}}},
        "row_count": {"type": "object", "additionalProperties": false},
        "missing": {"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": false, "required": ["column"],
          "properties": {"column": {"type": "string"}, "values": {"$ref": "#/$defs/texts"}}}]},
        "unique": {"oneOf": [{"$ref": "#/$defs/columns"}, {"type": "object", "additionalProperties": false,
          "properties": {"column": {"type": "string"}, "columns": {"$ref": "#/$defs/columns"},
            "metric": {"enum": ["extra_rows", "distinct_duplicates", "affected_rows", "uniqueness_ratio"]}}}]},
        "range": {"$ref": "#/$defs/bounds"}, "length": {"$ref": "#/$defs/bounds"},
        "accepted_values": {"type": "object", "additionalProperties": false, "required": ["column", "values"],
          "properties": {"column": {"type": "string"}, "values": {"$ref": "#/$defs/texts"}}},
        "pattern": {"type": "object", "additionalProperties": false, "required": ["column", "regex"],
          "properties": {"column": {"type": "string"}, "regex": {"type": "string"}}},
        "condition": {"oneOf": [{"type": "string"}, {"$ref": "#/$defs/query"}]},
        "sql": {"oneOf": [{"type": "string"}, {"$ref": "#/$defs/query"}]},
        "reference": {"type": "object", "additionalProperties": false, "required": ["column", "table", "key"],
          "properties": {"column": {"$ref": "#/$defs/columns"}, "table": {"type": "string"},
            "key": {"$ref": "#/$defs/columns"}, "where": {"type": "string"}}},
        "schema": {"type": "object", "additionalProperties": false, "properties": {
          "required": {"type": "array", "items": {"type": "string"}}, "forbidden": {"type": "array", "items": {"type": "string"}},
          "types": {"type": "object", "additionalProperties": {"enum": ["integer", "number", "text", "boolean", "time", "bytes"]}}}},
        "distribution": {"type": "object", "additionalProperties": false, "properties": {
          "column": {"type": "string"}, "measure": {"$ref": "#/$defs/measure"}, "percentile": {"type": "number"}}},
        "change": {"type": "object", "additionalProperties": false, "properties": {
          "metric": {"$ref": "#/$defs/measure"}, "column": {"type": "string"}, "percentile": {"type": "number"},
          "against": {"enum": ["previous", "average_7", "min_7", "max_7", "same_weekday"]}, "as": {"enum": ["absolute", "percent"]}}},
        "anomaly": {"type": "object", "additionalProperties": false, "properties": {
          "metric": {"$ref": "#/$defs/measure"}, "column": {"type": "string"}, "percentile": {"type": "number"},
          "seasonality": {"enum": ["none", "weekday"]}, "direction": {"enum": ["both", "up", "down"]},
          "points": {"type": "integer", "minimum": 4, "maximum": 1000}, "least_points": {"type": "integer", "minimum": 4}}},
        "coverage": {"type": "object", "additionalProperties": false, "required": ["key", "expected"], "properties": {
          "key": {"$ref": "#/$defs/columns"}, "expected": {"type": "object", "additionalProperties": false, "required": ["table"],
            "properties": {"table": {"type": "string"}, "key": {"$ref": "#/$defs/columns"}, "where": {"type": "string"}}}}},
        "freshness": {"type": "object", "additionalProperties": false, "required": ["column"], "properties": {
          "column": {"type": "string"}, "unit": {"$ref": "#/$defs/unit"}, "warn_after": {"type": "string"},
          "error_after": {"type": "string"}, "skew": {"type": "string"}}},
        "failures": {"type": "object", "additionalProperties": false, "required": ["column", "time"], "properties": {
          "column": {"type": "string"}, "values": {"$ref": "#/$defs/texts"}, "time": {"type": "string"},
          "unit": {"$ref": "#/$defs/unit"}, "within": {"type": "string"}}}
      }
    },
    "query": {"type": "object", "additionalProperties": false, "required": ["query"], "properties": {"query": {"type": "string"}}}
  }
}
)json";
}

}  // namespace serin::checks
