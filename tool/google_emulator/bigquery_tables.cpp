#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bigquery.hpp"
#include "serin/base/text.hpp"

namespace serin::google_emulator {
namespace {

/// Resources of datasets and tables carry errors of BigQuery's own kind.
std::unexpected<Failure> resource_failure(const Error& error) {
  if (error.code() == Errc::conflict)
    return error.detail().find("still in use") != std::string::npos
               ? refuse(400, "FAILED_PRECONDITION", "resourceInUse", error.detail())
               : exists(error.detail());
  if (error.code() == Errc::unsupported) return bad(error.detail());
  return refuse(error);
}

Outcome check_match(const Call& call, const json::object& resource) {
  const auto wanted = call.request.headers.find("If-Match");
  if (!wanted || *wanted == "*" || *wanted == text_at(resource, "etag")) return {};
  return refuse(412, "FAILED_PRECONDITION", "conditionNotMet", "Precondition check failed.");
}

/// A merge of JSON as PATCH means it: null removes, objects merge.
void merge_into(json::object& target, const json::object& changes) {
  for (const auto& [name, value] : changes) {
    if (value.is_null()) {
      target.erase(name);
    } else if (value.is_object() && target[name].is_object()) {
      merge_into(target[name].get_object(), value.get_object());
    } else {
      target[name] = value;
    }
  }
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 1024 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '$';
  });
}

json::object short_form(const json::object& resource, std::initializer_list<std::string_view> names) {
  json::object out;
  for (const std::string_view name : names)
    if (const json::value* value = resource.if_contains(name)) out[name] = *value;
  return out;
}

std::string reference_id(const json::object& body, std::string_view reference, std::string_view id) {
  const json::object* found = object_at(body, reference);
  return found == nullptr ? "" : text_at(*found, id);
}

}  // namespace

Reply BigQuery::with_catalog(bool writes, const std::function<Reply(Connection&, BigQueryCatalog&)>& work) {
  auto lease = database_.take();
  if (!lease) return refuse(lease.error());
  Connection& connection = **lease;
  BigQueryCatalog catalog(connection, now_ms());
  if (!writes) return work(connection, catalog);
  if (const auto begun = connection.run("BEGIN IMMEDIATE"); !begun) return refuse(begun.error());
  Reply reply = work(connection, catalog);
  if (const auto ended = connection.run(reply ? "COMMIT" : "ROLLBACK"); !ended && reply) return refuse(ended.error());
  return reply;
}

Reply BigQuery::list_projects(Call& call) {
  static_cast<void>(call);
  const std::string& id = options_.project;
  return json::object{{"kind", "bigquery#projectList"},
                      {"projects", json::array{json::object{{"kind", "bigquery#project"},
                                                            {"id", id},
                                                            {"numericId", "1"},
                                                            {"friendlyName", id},
                                                            {"projectReference", json::object{{"projectId", id}}}}}},
                      {"totalItems", 1}};
}

Reply BigQuery::service_account(Call& call) {
  return json::object{{"kind", "bigquery#getServiceAccountResponse"},
                      {"email", "bigquery@" + call.parts[0] + ".iam.gserviceaccount.com"}};
}

Reply BigQuery::list_datasets(Call& call) {
  return with_catalog(false, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    const auto all = catalog.datasets(call.parts[0]);
    if (!all) return refuse(all.error());
    const Page page = Page::of(call, "maxResults", 1000);
    json::array list;
    for (std::size_t i = page.from; i < all->size() && i < page.from + page.most; ++i)
      list.push_back(short_form((*all)[i], {"kind", "id", "datasetReference", "labels", "friendlyName", "location"}));
    json::object out{{"kind", "bigquery#datasetList"}, {"etag", "list"}};
    if (!list.empty()) out["datasets"] = std::move(list);
    if (const std::string token = page.next(all->size()); !token.empty()) out["nextPageToken"] = token;
    return out;
  });
}

Reply BigQuery::insert_dataset(Call& call) {
  const std::string id = reference_id(call.body, "datasetReference", "datasetId");
  if (!is_name(id)) return bad(fmt::format("Invalid dataset ID \"{}\".", id));
  return with_catalog(true, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    auto made = catalog.put_dataset(call.parts[0], id, call.body, true);
    if (!made) return resource_failure(made.error());
    return *std::move(made);
  });
}

Reply BigQuery::get_dataset(Call& call) {
  return with_catalog(false, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    auto found = catalog.dataset(call.parts[0], call.parts[1]);
    if (!found) return refuse(found.error());
    if (!*found) return not_found(fmt::format("Not found: Dataset {}:{}", call.parts[0], call.parts[1]));
    return **std::move(found);
  });
}

Reply BigQuery::change_dataset(Call& call, bool replaces) {
  return with_catalog(true, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    auto found = catalog.dataset(call.parts[0], call.parts[1]);
    if (!found) return refuse(found.error());
    if (!*found) return not_found(fmt::format("Not found: Dataset {}:{}", call.parts[0], call.parts[1]));
    if (auto good = check_match(call, **found); !good) return std::unexpected(good.error());
    json::object resource = replaces ? call.body : **found;
    if (!replaces) merge_into(resource, call.body);
    auto changed = catalog.put_dataset(call.parts[0], call.parts[1], std::move(resource), false);
    if (!changed) return resource_failure(changed.error());
    return *std::move(changed);
  });
}

Reply BigQuery::delete_dataset(Call& call) {
  return with_catalog(true, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    if (const auto gone = catalog.erase_dataset(call.parts[0], call.parts[1], call.flag("deleteContents")); !gone)
      return resource_failure(gone.error());
    return nullptr;
  });
}

Reply BigQuery::list_tables(Call& call) {
  return with_catalog(false, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    const auto parent = catalog.dataset(call.parts[0], call.parts[1]);
    if (!parent) return refuse(parent.error());
    if (!*parent) return not_found(fmt::format("Not found: Dataset {}:{}", call.parts[0], call.parts[1]));
    const auto all = catalog.tables(call.parts[0], call.parts[1]);
    if (!all) return refuse(all.error());
    const Page page = Page::of(call, "maxResults", 1000);
    json::array list;
    for (std::size_t i = page.from; i < all->size() && i < page.from + page.most; ++i)
      list.push_back(short_form((*all)[i], {"kind", "id", "tableReference", "type", "labels", "creationTime"}));
    json::object out{{"kind", "bigquery#tableList"}, {"etag", "list"}, {"totalItems", all->size()}};
    if (!list.empty()) out["tables"] = std::move(list);
    if (const std::string token = page.next(all->size()); !token.empty()) out["nextPageToken"] = token;
    return out;
  });
}

Reply BigQuery::insert_table(Call& call) {
  const std::string id = reference_id(call.body, "tableReference", "tableId");
  if (!is_name(id)) return bad(fmt::format("Invalid table ID \"{}\".", id));
  if (call.body.contains("view") || call.body.contains("externalDataConfiguration") ||
      call.body.contains("materializedView"))
    return bad("Views and external tables are not supported by this emulator");
  const auto columns = columns_of_schema(call.body);
  if (!columns) return resource_failure(columns.error());
  return with_catalog(true, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    auto made = catalog.put_table({call.parts[0], call.parts[1], id}, call.body, *columns, true);
    if (!made) return resource_failure(made.error());
    return *std::move(made);
  });
}

Reply BigQuery::get_table(Call& call) {
  const sql::TableName name{call.parts[0], call.parts[1], call.parts[2]};
  return with_catalog(false, [&](Connection& connection, BigQueryCatalog& catalog) -> Reply {
    auto found = catalog.table(name);
    if (!found) return refuse(found.error());
    if (!*found) return not_found(fmt::format("Not found: Table {}", name.text()));
    const auto table = catalog.find(name);
    if (!table) return refuse(table.error());
    const auto rows = connection.value("SELECT count(*) FROM " + table->storage);
    const auto bytes = bytes_of(connection, {{name, table->storage, table->columns}}, Count::exactly);
    if (!rows) return refuse(rows.error());
    if (!bytes) return refuse(bytes.error());
    json::object out = **std::move(found);
    out["numRows"] = std::to_string(int_of(*rows));
    out["numBytes"] = std::to_string(*bytes);
    out["numLongTermBytes"] = "0";
    return out;
  });
}

Reply BigQuery::change_table(Call& call, bool replaces) {
  const sql::TableName name{call.parts[0], call.parts[1], call.parts[2]};
  const auto wanted = columns_of_schema(call.body);
  if (!wanted) return resource_failure(wanted.error());
  return with_catalog(true, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    auto found = catalog.table(name);
    if (!found) return refuse(found.error());
    if (!*found) return not_found(fmt::format("Not found: Table {}", name.text()));
    if (auto good = check_match(call, **found); !good) return std::unexpected(good.error());
    const auto table = catalog.find(name);
    if (!table) return refuse(table.error());
    std::vector<sql::Column> added;
    for (const sql::Column& column : *wanted)
      if (std::ranges::none_of(table->columns,
                               [&](const sql::Column& c) { return equal_ignoring_case(c.name, column.name); }))
        added.push_back(column);
    if (!wanted->empty() && wanted->size() - added.size() < table->columns.size())
      return bad(fmt::format("Provided Schema does not match Table {}. Fields can not be removed.", name.text()));
    json::object resource = replaces ? call.body : **found;
    if (!replaces) merge_into(resource, call.body);
    resource["schema"] =
        (*found)->contains("schema") ? (*found)->at("schema") : schema_of_columns(table->columns, true);
    auto changed = catalog.put_table(name, std::move(resource), {}, false);
    if (!changed) return resource_failure(changed.error());
    if (added.empty()) return *std::move(changed);
    if (const auto good = catalog.add_columns(name, added, false); !good) return resource_failure(good.error());
    auto after = catalog.table(name);
    if (!after) return refuse(after.error());
    return **std::move(after);
  });
}

Reply BigQuery::delete_table(Call& call) {
  return with_catalog(true, [&](Connection&, BigQueryCatalog& catalog) -> Reply {
    if (const auto gone = catalog.erase_table({call.parts[0], call.parts[1], call.parts[2]}); !gone)
      return resource_failure(gone.error());
    return nullptr;
  });
}

std::vector<Route> BigQuery::routes() {
  const auto to = [this](Reply (BigQuery::*handler)(Call&)) -> Handler {
    return [this, handler](Call& call) { return (this->*handler)(call); };
  };
  const auto change = [this](Reply (BigQuery::*handler)(Call&, bool), bool replaces) -> Handler {
    return [this, handler, replaces](Call& call) { return (this->*handler)(call, replaces); };
  };
  return {
      {"GET", "/projects", to(&BigQuery::list_projects)},
      {"GET", "/projects/{}/serviceAccount", to(&BigQuery::service_account)},
      {"GET", "/projects/{}/datasets", to(&BigQuery::list_datasets)},
      {"POST", "/projects/{}/datasets", to(&BigQuery::insert_dataset)},
      {"GET", "/projects/{}/datasets/{}", to(&BigQuery::get_dataset)},
      {"PATCH", "/projects/{}/datasets/{}", change(&BigQuery::change_dataset, false)},
      {"PUT", "/projects/{}/datasets/{}", change(&BigQuery::change_dataset, true)},
      {"DELETE", "/projects/{}/datasets/{}", to(&BigQuery::delete_dataset)},
      {"GET", "/projects/{}/datasets/{}/tables", to(&BigQuery::list_tables)},
      {"POST", "/projects/{}/datasets/{}/tables", to(&BigQuery::insert_table)},
      {"GET", "/projects/{}/datasets/{}/tables/{}", to(&BigQuery::get_table)},
      {"PATCH", "/projects/{}/datasets/{}/tables/{}", change(&BigQuery::change_table, false)},
      {"PUT", "/projects/{}/datasets/{}/tables/{}", change(&BigQuery::change_table, true)},
      {"DELETE", "/projects/{}/datasets/{}/tables/{}", to(&BigQuery::delete_table)},
      {"GET", "/projects/{}/datasets/{}/tables/{}/data", to(&BigQuery::list_rows)},
      {"POST", "/projects/{}/datasets/{}/tables/{}/insertAll", to(&BigQuery::insert_all)},
      {"POST", "/projects/{}/queries", to(&BigQuery::query)},
      {"GET", "/projects/{}/queries/{}", to(&BigQuery::query_results)},
      {"POST", "/projects/{}/jobs", to(&BigQuery::insert_job)},
      {"GET", "/projects/{}/jobs", to(&BigQuery::list_jobs)},
      {"GET", "/projects/{}/jobs/{}", to(&BigQuery::get_job)},
      {"POST", "/projects/{}/jobs/{}/cancel", to(&BigQuery::cancel_job)},
      {"DELETE", "/projects/{}/jobs/{}/delete", to(&BigQuery::delete_job)},
  };
}

}  // namespace serin::google_emulator
