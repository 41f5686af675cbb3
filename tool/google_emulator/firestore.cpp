#include "firestore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

std::int64_t micros(WallTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}
WallTime wall(std::int64_t micros_of) { return WallTime(std::chrono::microseconds(micros_of)); }

std::string root_of(const Call& call) {
  return fmt::format("projects/{}/databases/{}/documents", call.parts[0], call.parts[1]);
}
std::string name_of(const Call& call) { return root_of(call) + "/" + call.parts[2]; }
std::string parent_of(const std::string& name) { return name.substr(0, name.rfind('/')); }
/// Documents stand at even places below the root.
bool is_document(std::string_view below) { return split(below, '/').size() % 2 == 0; }

std::unexpected<Failure> missing(const std::string& name) {
  return not_found(fmt::format("Document \"{}\" not found.", name));
}

json::object document_of(const std::string& name, const Row& row) {
  return {{"name", name},
          {"fields", parsed(text_of(row[0].value))},
          {"createTime", micros_text(wall(int_of(row[1].value)))},
          {"updateTime", micros_text(wall(int_of(row[2].value)))}};
}

/// Only the fields that are asked for.
void keep_only(json::object& document, const std::vector<std::string>& mask) {
  if (mask.empty()) return;
  json::object kept;
  const json::object* fields = object_at(document, "fields");
  for (const std::string& text : mask) {
    const std::vector<std::string> path = field_path(text);
    if (const json::value* value = fields == nullptr ? nullptr : find_field(*fields, path))
      set_field(kept, path, value);
  }
  document["fields"] = std::move(kept);
}

/// Documents without one of the fields are not in the answer; of equal ones the names decide, in the last direction.
void sort_documents(std::vector<json::object>& documents, const json::array& order) {
  struct Term {
    std::vector<std::string> path;  ///< empty: the name
    bool down = false;
  };
  std::vector<Term> terms;
  for (const json::value& value : order) {
    const json::object* by = value.if_object();
    const json::object* field = by == nullptr ? nullptr : object_at(*by, "field");
    if (field == nullptr) continue;
    const std::string direction = text_at(*by, "direction");
    const std::string text = text_at(*field, "fieldPath");
    Term term{.down = direction == "DESCENDING" || direction == "2"};
    if (text != "__name__") term.path = field_path(text);
    terms.push_back(std::move(term));
  }
  const auto at = [](const json::object& one, const Term& term) {
    const json::object* fields = object_at(one, "fields");
    return fields == nullptr ? nullptr : find_field(*fields, term.path);
  };
  for (const Term& term : terms)
    if (!term.path.empty()) std::erase_if(documents, [&](const json::object& one) { return at(one, term) == nullptr; });
  if (!terms.empty()) terms.push_back({.down = terms.back().down});
  std::ranges::sort(documents, [&](const json::object& a, const json::object& b) {
    for (const Term& term : terms) {
      const int way = term.path.empty() ? text_at(a, "name").compare(text_at(b, "name"))
                                        : compare_values(*at(a, term), *at(b, term));
      if (way != 0) return term.down ? way > 0 : way < 0;
    }
    return false;
  });
}

std::vector<std::string> mask_of(const json::object* mask) {
  std::vector<std::string> out;
  if (mask != nullptr)
    if (const json::array* paths = array_at(*mask, "fieldPaths"))
      for (const json::value& path : *paths) out.push_back(scalar_text(path));
  return out;
}

}  // namespace

WallTime Firestore::tick(WallTime now) {
  store_.execute(
      "INSERT INTO counters VALUES('firestore', ?1) ON CONFLICT(name) DO UPDATE SET value = max(value + 1, ?1)",
      {micros(now)});
  const std::vector<Row> rows = store_.query("SELECT value FROM counters WHERE name = 'firestore'");
  return rows.empty() ? now : wall(int_of(rows[0][0].value));
}

std::optional<json::object> Firestore::document(const std::string& name) {
  const std::vector<Row> rows = store_.query("SELECT json, created, updated FROM documents WHERE name = ?1", {name});
  if (rows.empty()) return std::nullopt;
  return document_of(name, rows[0]);
}

void Firestore::put(const std::string& name, const json::object& fields, WallTime commit_time) {
  store_.execute(
      "INSERT INTO documents VALUES(?1, ?2, ?3, ?4, ?4) ON CONFLICT(name) DO UPDATE SET json = excluded.json, "
      "updated = excluded.updated",
      {name, parent_of(name), json::serialize(fields), micros(commit_time)});
}

Outcome Firestore::check(const std::string& name, const json::object* precondition) {
  if (precondition == nullptr) return {};
  const auto found = document(name);
  if (const json::value* wanted = precondition->if_contains("exists")) {
    const bool should = scalar_text(*wanted) == "true";
    if (should && !found) return not_found(fmt::format("No document to update: {}", name));
    if (!should && found) return exists(fmt::format("Document already exists: {}", name));
  }
  const std::string time = text_at(*precondition, "updateTime");
  if (time.empty()) return {};
  const auto wanted = parse_rfc3339(time);
  if (!wanted) return bad(fmt::format("Invalid updateTime: {}", time));
  if (!found) return refuse(400, "FAILED_PRECONDITION", "failedPrecondition", "no entity to update: " + name);
  const auto actual = parse_rfc3339(text_at(*found, "updateTime"));
  if (actual && *actual == *wanted) return {};
  return refuse(400, "FAILED_PRECONDITION", "failedPrecondition",
                fmt::format("the stored version ({}) does not match the required base version ({})",
                            text_at(*found, "updateTime"), time));
}

Outcome Firestore::transform(json::object& fields, const json::array& transforms, WallTime commit_time,
                             json::array& results) {
  for (const json::value& value : transforms) {
    const json::object* one = value.if_object();
    if (one == nullptr) return bad("A transform is no object");
    const std::vector<std::string> path = field_path(text_at(*one, "fieldPath"));
    const json::value* before = find_field(fields, path);
    json::value after;
    if (one->contains("setToServerValue")) {
      after = json::object{{"timestampValue", micros_text(commit_time)}};
      results.emplace_back(after);
    } else if (const json::value* amount = one->if_contains("increment")) {
      after = before == nullptr ? *amount : sum_of_values(*before, *amount);
      results.emplace_back(after);
    } else if (one->contains("maximum") || one->contains("minimum")) {
      const bool largest = one->contains("maximum");
      const json::value& other = one->at(largest ? "maximum" : "minimum");
      const bool keeps = before != nullptr && (compare_values(*before, other) > 0) == largest;
      after = keeps ? *before : other;
      results.emplace_back(after);
    } else {
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    "Of the transforms only setToServerValue, increment, maximum and minimum are supported by this "
                    "emulator");
    }
    set_field(fields, path, &after);
  }
  return {};
}

Outcome Firestore::write(const json::object& write, WallTime commit_time, json::object& result) {
  const json::object* update = object_at(write, "update");
  const json::object* transform_of = object_at(write, "transform");
  const std::string name = update != nullptr         ? text_at(*update, "name")
                           : transform_of != nullptr ? text_at(*transform_of, "document")
                                                     : text_at(write, "delete");
  if (name.empty()) return bad("A write names no document");
  if (auto good = check(name, object_at(write, "currentDocument")); !good) return good;
  const auto before = document(name);
  if (update == nullptr && transform_of == nullptr) {
    store_.execute("DELETE FROM documents WHERE name = ?1", {name});
    return {};
  }
  json::object fields;
  const json::object* old = before ? object_at(*before, "fields") : nullptr;
  const json::object* given = update == nullptr ? nullptr : object_at(*update, "fields");
  if (write.contains("updateMask") || update == nullptr) {
    if (old != nullptr) fields = *old;
    for (const std::string& text : mask_of(object_at(write, "updateMask"))) {
      const std::vector<std::string> path = field_path(text);
      set_field(fields, path, given == nullptr ? nullptr : find_field(*given, path));
    }
  } else if (given != nullptr) {
    fields = *given;
  }
  const json::array* transforms =
      transform_of == nullptr ? array_at(write, "updateTransforms") : array_at(*transform_of, "fieldTransforms");
  if (transforms != nullptr) {
    json::array results;
    if (auto good = transform(fields, *transforms, commit_time, results); !good) return good;
    result["transformResults"] = std::move(results);
  }
  put(name, fields, commit_time);
  result["updateTime"] = micros_text(commit_time);
  return {};
}

Reply Firestore::create(Call& call) {
  if (is_document(call.parts[2])) return bad("A document is created in a collection");
  std::string id = call.query("documentId");
  if (id.empty()) id = random_hex(random_, 20);
  const std::string name = name_of(call) + "/" + id;
  json::object result;
  json::object update{{"name", name}};
  if (const json::value* fields = call.body.if_contains("fields")) update["fields"] = *fields;
  if (auto good = write({{"update", std::move(update)}, {"currentDocument", json::object{{"exists", false}}}},
                        tick(call.now), result);
      !good)
    return std::unexpected(good.error());
  return *document(name);
}

Reply Firestore::patch(Call& call) {
  const std::string name = name_of(call);
  json::object update{{"name", name}};
  if (const json::value* fields = call.body.if_contains("fields")) update["fields"] = *fields;
  json::object one{{"update", std::move(update)}};
  if (const std::vector<std::string> mask = call.queries("updateMask.fieldPaths"); !mask.empty()) {
    json::array paths;
    for (const std::string& path : mask) paths.emplace_back(path);
    one["updateMask"] = json::object{{"fieldPaths", std::move(paths)}};
  }
  json::object condition;
  if (!call.query("currentDocument.exists").empty()) condition["exists"] = call.flag("currentDocument.exists");
  if (!call.query("currentDocument.updateTime").empty())
    condition["updateTime"] = call.query("currentDocument.updateTime");
  if (!condition.empty()) one["currentDocument"] = std::move(condition);
  json::object result;
  if (auto good = write(one, tick(call.now), result); !good) return std::unexpected(good.error());
  return *document(name);
}

Reply Firestore::remove(Call& call) {
  json::object condition;
  if (!call.query("currentDocument.exists").empty()) condition["exists"] = call.flag("currentDocument.exists");
  if (!call.query("currentDocument.updateTime").empty())
    condition["updateTime"] = call.query("currentDocument.updateTime");
  json::object one{{"delete", name_of(call)}};
  if (!condition.empty()) one["currentDocument"] = std::move(condition);
  json::object result;
  if (auto good = write(one, tick(call.now), result); !good) return std::unexpected(good.error());
  return json::object();
}

std::string Firestore::new_transaction(WallTime now) {
  std::erase_if(transactions_, [&](const auto& entry) { return now - entry.second.since > 270s; });
  std::string id = base64_encode(random_hex(random_, 24));
  transactions_[id] = {.since = now};
  return id;
}

Reply Firestore::begin(Call& call) { return json::object{{"transaction", new_transaction(call.now)}}; }

Reply Firestore::batch_get(Call& call) {
  std::string transaction = text_at(call.body, "transaction");
  const bool is_new = call.body.contains("newTransaction");
  if (is_new) transaction = new_transaction(call.now);
  const auto known = transactions_.find(transaction);
  if (!transaction.empty() && known == transactions_.end())
    return bad("The referenced transaction has expired or is no longer valid.");
  const std::string read_time = micros_text(call.now);
  json::array out;
  if (is_new) out.push_back(json::object{{"transaction", transaction}, {"readTime", read_time}});
  if (const json::array* names = array_at(call.body, "documents"))
    for (const json::value& value : *names) {
      const std::string name = scalar_text(value);
      auto found = document(name);
      if (known != transactions_.end()) known->second.read.emplace(name, found ? text_at(*found, "updateTime") : "");
      json::object entry{{"readTime", read_time}};
      if (found) {
        keep_only(*found, mask_of(object_at(call.body, "mask")));
        entry["found"] = *std::move(found);
      } else {
        entry["missing"] = name;
      }
      out.push_back(std::move(entry));
    }
  return out;
}

Reply Firestore::commit(Call& call) {
  const std::string transaction = text_at(call.body, "transaction");
  if (!transaction.empty()) {
    const auto known = transactions_.find(transaction);
    if (known == transactions_.end()) return bad("The referenced transaction has expired or is no longer valid.");
    const Transaction ended = std::move(known->second);
    transactions_.erase(known);
    for (const auto& [name, time] : ended.read) {
      const auto found = document(name);
      if ((found ? text_at(*found, "updateTime") : "") != time)
        return refuse(409, "ABORTED", "aborted", "Too much contention on these documents. Please try again.");
    }
  }
  const WallTime commit_time = tick(call.now);
  json::array results;
  if (const json::array* writes = array_at(call.body, "writes"))
    for (const json::value& value : *writes) {
      const json::object* one = value.if_object();
      if (one == nullptr) return bad("A write is no object");
      json::object result;
      if (auto good = write(*one, commit_time, result); !good) return std::unexpected(good.error());
      results.push_back(std::move(result));
    }
  return json::object{{"writeResults", std::move(results)}, {"commitTime", micros_text(commit_time)}};
}

Reply Firestore::rollback(Call& call) {
  transactions_.erase(text_at(call.body, "transaction"));
  return json::object();
}

Reply Firestore::get_or_list(Call& call) {
  if (!is_document(call.parts[2])) return list(call, name_of(call));
  const std::string name = name_of(call);
  auto found = document(name);
  const auto known = transactions_.find(call.query("transaction"));
  if (known != transactions_.end()) known->second.read.emplace(name, found ? text_at(*found, "updateTime") : "");
  if (!found) return missing(name);
  keep_only(*found, call.queries("mask.fieldPaths"));
  return *std::move(found);
}

Reply Firestore::list(Call& call, const std::string& parent) {
  if (!call.query("orderBy").empty())
    return refuse(501, "UNIMPLEMENTED", "notImplemented", "orderBy of a list is not supported by this emulator");
  const std::vector<Row> rows =
      store_.query("SELECT json, created, updated, name FROM documents WHERE parent = ?1 ORDER BY name", {parent});
  const Page page = Page::of(call, "pageSize", 300);
  json::array list;
  for (std::size_t i = page.from; i < rows.size() && i < page.from + page.most; ++i) {
    json::object found = document_of(text_of(rows[i][3].value), rows[i]);
    keep_only(found, call.queries("mask.fieldPaths"));
    list.push_back(std::move(found));
  }
  json::object out;
  if (!list.empty()) out["documents"] = std::move(list);
  if (const std::string token = page.next(rows.size()); !token.empty()) out["nextPageToken"] = token;
  return out;
}

Reply Firestore::run_query(Call& call) {
  const json::object* query = object_at(call.body, "structuredQuery");
  if (query == nullptr) return bad("No structuredQuery was given");
  for (const std::string_view name : {"startAt", "endAt", "findNearest"})
    if (query->contains(name))
      return refuse(501, "UNIMPLEMENTED", "notImplemented",
                    fmt::format("{} of a query is not supported by this emulator", name));
  const json::array* from = array_at(*query, "from");
  const json::object* source = from == nullptr || from->size() != 1 ? nullptr : (*from)[0].if_object();
  if (source == nullptr) return bad("A query has exactly one collection in from");
  const std::string parent = call.parts.size() > 2 ? name_of(call) : root_of(call);
  const std::string collection = text_at(*source, "collectionId");
  const bool deep = bool_at(*source, "allDescendants");
  const std::vector<Row> rows =
      deep ? store_.query(
                 "SELECT json, created, updated, name FROM documents WHERE substr(name, 1, length(?1) + 1) = ?1 "
                 "|| '/' AND substr(parent, -length(?2) - 1) = '/' || ?2 ORDER BY name",
                 {parent, collection})
           : store_.query("SELECT json, created, updated, name FROM documents WHERE parent = ?1 ORDER BY name",
                          {parent + "/" + collection});
  std::vector<json::object> found;
  const json::object* where = object_at(*query, "where");
  for (const Row& row : rows) {
    json::object one = document_of(text_of(row[3].value), row);
    if (where != nullptr) {
      const auto good = passes(one, *where);
      if (!good) return std::unexpected(good.error());
      if (!*good) continue;
    }
    found.push_back(std::move(one));
  }
  if (const json::array* order = array_at(*query, "orderBy")) sort_documents(found, *order);
  const auto skip = static_cast<std::size_t>(std::max<std::int64_t>(0, int_at(*query, "offset")));
  std::int64_t limit = int_at(*query, "limit", -1);
  if (const json::object* wrapped = object_at(*query, "limit")) limit = int_at(*wrapped, "value", -1);
  std::vector<std::string> mask;
  if (const json::object* select = object_at(*query, "select"))
    if (const json::array* fields = array_at(*select, "fields"))
      for (const json::value& field : *fields)
        if (const json::object* one = field.if_object()) mask.push_back(text_at(*one, "fieldPath"));
  const std::string read_time = micros_text(call.now);
  json::array out;
  for (std::size_t i = skip; i < found.size(); ++i) {
    if (limit >= 0 && out.size() >= static_cast<std::size_t>(limit)) break;
    keep_only(found[i], mask);
    out.push_back(json::object{{"document", std::move(found[i])}, {"readTime", read_time}});
  }
  if (out.empty()) out.push_back(json::object{{"readTime", read_time}});
  return out;
}

std::vector<Route> Firestore::routes() {
  const auto to = [this](Reply (Firestore::*handler)(Call&)) -> Handler {
    return [this, handler](Call& call) { return store_.run([&] { return (this->*handler)(call); }); };
  };
  return {
      {"POST", "/v1/projects/{}/databases/{}/documents:beginTransaction", to(&Firestore::begin)},
      {"POST", "/v1/projects/{}/databases/{}/documents:batchGet", to(&Firestore::batch_get)},
      {"POST", "/v1/projects/{}/databases/{}/documents:commit", to(&Firestore::commit)},
      {"POST", "/v1/projects/{}/databases/{}/documents:rollback", to(&Firestore::rollback)},
      {"POST", "/v1/projects/{}/databases/{}/documents:runQuery", to(&Firestore::run_query)},
      {"POST", "/v1/projects/{}/databases/{}/documents/{**}:runQuery", to(&Firestore::run_query)},
      {"GET", "/v1/projects/{}/databases/{}/documents/{**}", to(&Firestore::get_or_list)},
      {"POST", "/v1/projects/{}/databases/{}/documents/{**}", to(&Firestore::create)},
      {"PATCH", "/v1/projects/{}/databases/{}/documents/{**}", to(&Firestore::patch)},
      {"DELETE", "/v1/projects/{}/databases/{}/documents/{**}", to(&Firestore::remove)},
  };
}

}  // namespace serin::google_emulator
