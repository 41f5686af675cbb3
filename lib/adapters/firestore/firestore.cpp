#include "serin/firestore/firestore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "serin/base/text.hpp"
#include "serin/google/checks.hpp"
#include "serin/google/detail_json.hpp"
#include "values.hpp"

namespace serin::google {
namespace {

namespace json = boost::json;

constexpr std::string_view write_field = "serin_write";
constexpr std::string_view json_field = "serin_json";
constexpr int page_size = 300;

/// Fields of ours would be taken for the content's.
bool has_our_names(const json::object& content) {
  return content.contains(write_field) || content.contains(json_field);
}

Result<json::object> fields_for(const std::string& text, const std::string& write) {
  boost::system::error_code error;
  const json::value content = json::parse(text, error);
  if (error || !content.is_object())
    return fail(Errc::invalid_argument, "the content of a document must be a JSON object");
  auto fields = has_our_names(content.get_object()) ? std::nullopt : firestore::fields_of(content.get_object());
  json::object out = fields ? *std::move(fields) : json::object{{json_field, json::object{{"stringValue", text}}}};
  out[write_field] = json::object{{"stringValue", write}};
  return out;
}

json::object precondition(std::int64_t expected) {
  if (expected == 0) return {{"exists", false}};
  return {{"updateTime", firestore::time_of_micros(expected)}};
}

std::unexpected<Error> changed(std::string_view collection, std::string_view id, std::int64_t expected,
                               std::int64_t stored) {
  return fail(Errc::conflict, fmt::format("document {}/{} has version {}, not {}", collection, id, stored, expected));
}

}  // namespace

struct Firestore::Stored {
  Document document;
  std::string write;  ///< the number of the write that made it so
};

ApiOptions Firestore::defaults() { return {.service = "firestore", .endpoint = "https://firestore.googleapis.com"}; }

Result<std::unique_ptr<Firestore>> Firestore::open(FirestoreOptions options, std::shared_ptr<Api> api) {
  if (options.project.empty()) return fail(Errc::invalid_argument, "Firestore needs a project");
  if (options.database.empty()) return fail(Errc::invalid_argument, "Firestore needs a database; usual is (default)");
  return std::unique_ptr<Firestore>(new Firestore(std::move(options), std::move(api)));
}

std::string Firestore::documents_path() const {
  return fmt::format("/v1/projects/{}/databases/{}/documents", escape(options_.project), escape(options_.database));
}

std::string Firestore::name_of(std::string_view collection, std::string_view id) const {
  return fmt::format("projects/{}/databases/{}/documents/{}/{}", options_.project, options_.database,
                     firestore::segment_of(collection), firestore::segment_of(id));
}

Result<Firestore::Stored> Firestore::read(std::string_view text) {
  SERIN_TRY(const json::object answer, parse_object(text, "Firestore's document"));
  SERIN_TRY(const std::int64_t version, firestore::micros_of(text_of(answer, "updateTime")));
  const std::string name = text_of(answer, "name");
  Stored stored{.document = {.id = firestore::id_of(std::string_view(name).substr(name.rfind('/') + 1)),
                             .json = {},
                             .version = version}};
  const json::object* fields = object_of(answer, "fields");
  SERIN_TRY(json::object content, fields == nullptr ? json::object() : firestore::content_of(*fields));
  stored.write = text_of(content, write_field);
  content.erase(write_field);
  stored.document.json = content.contains(json_field) ? text_of(content, json_field) : json::serialize(content);
  return stored;
}

Result<std::optional<Firestore::Stored>> Firestore::look(std::string_view collection, std::string_view id,
                                                         Deadline deadline) {
  ApiError error;
  const auto response =
      api_->call({.path = fmt::format("{}/{}/{}", documents_path(), escape(firestore::segment_of(collection)),
                                      escape(firestore::segment_of(id))),
                  .deadline = deadline,
                  .stop = options_.stop,
                  .error = &error});
  // The document is not there; a database that is not there says so in other words.
  if (!response && error.http_status == 404 && error.message.find("The database ") == std::string::npos)
    return std::optional<Stored>();
  if (!response) return pass(response.error());
  SERIN_TRY(Stored stored, read(response->body));
  return std::optional<Stored>(std::move(stored));
}

Result<std::optional<Document>> Firestore::get(std::string_view collection, std::string_view id, Deadline deadline) {
  SERIN_TRY(std::optional<Stored> stored, look(collection, id, deadline));
  if (!stored) return std::nullopt;
  return std::move(stored->document);
}

/// The update time of the one write.
Result<std::string> Firestore::commit(std::string write, Idempotency idempotency, ApiError& error, Deadline deadline) {
  SERIN_TRY(const HttpResponse response, api_->call({.method = "POST",
                                                     .path = documents_path() + ":commit",
                                                     .body = std::move(write),
                                                     .deadline = deadline,
                                                     .stop = options_.stop,
                                                     .idempotency = idempotency,
                                                     .error = &error}));
  SERIN_TRY(const json::object answer, parse_object(response.body, "Firestore's commit"));
  const json::array& results = array_of(answer, "writeResults");
  return results.size() == 1 && results[0].is_object() ? text_of(results[0].get_object(), "updateTime") : std::string();
}

Result<std::int64_t> Firestore::put(std::string_view collection, std::string_view id, std::string content,
                                    std::int64_t expected, Deadline deadline) {
  const std::string write = fmt::format("{:016x}", api_->random().next());
  SERIN_TRY(json::object fields, fields_for(content, write));
  json::object update{{"name", name_of(collection, id)}, {"fields", std::move(fields)}};
  json::object one{{"update", std::move(update)}, {"currentDocument", precondition(expected)}};
  ApiError error;
  const auto time = commit(json::serialize(json::object{{"writes", json::array{std::move(one)}}}),
                           Idempotency::idempotent, error, deadline);
  if (time) return firestore::micros_of(*time);
  const Errc code = time.error().code();
  if (code != Errc::conflict && code != Errc::not_found && code != Errc::unavailable) return pass(time.error());
  // Refused, perhaps because an attempt before had arrived: then what is stored is ours.
  const auto stored = look(collection, id, deadline);
  if (stored && *stored && (*stored)->write == write) return (*stored)->document.version;
  if (code == Errc::unavailable) return pass(time.error());
  if (!stored) return pass(stored.error());
  const std::int64_t version = *stored ? (*stored)->document.version : 0;
  // Nothing has changed: others were in the way, and are not in front.
  if (version == expected)
    return fail(Errc::unavailable,
                fmt::format("document {}/{} is written by many at once: {}", collection, id, time.error().detail()));
  return changed(collection, id, expected, version);
}

Status Firestore::erase(std::string_view collection, std::string_view id, std::int64_t expected, Deadline deadline) {
  if (expected == 0) {
    SERIN_TRY(const std::optional<Stored> stored, look(collection, id, deadline));
    return stored ? Status(changed(collection, id, expected, stored->document.version)) : Status();
  }
  json::object one{{"delete", name_of(collection, id)}, {"currentDocument", precondition(expected)}};
  ApiError error;
  // Not sent twice: a document that is gone does not say who erased it.
  const auto done = commit(json::serialize(json::object{{"writes", json::array{std::move(one)}}}),
                           Idempotency::not_idempotent, error, deadline);
  if (done) return {};
  if (done.error().code() != Errc::conflict && done.error().code() != Errc::not_found) return pass(done.error());
  SERIN_TRY(const std::optional<Stored> stored, look(collection, id, deadline));
  const std::int64_t version = stored ? stored->document.version : 0;
  if (version == expected)
    return fail(Errc::unavailable,
                fmt::format("document {}/{} is written by many at once: {}", collection, id, done.error().detail()));
  return changed(collection, id, expected, version);
}

Result<std::vector<Document>> Firestore::list(std::string_view collection, Deadline deadline) {
  std::vector<Document> documents;
  std::string page;
  do {
    Query query{{"pageSize", std::to_string(page_size)}};
    if (!page.empty()) query.emplace_back("pageToken", page);
    SERIN_TRY(const HttpResponse response,
              api_->call({.path = fmt::format("{}/{}", documents_path(), escape(firestore::segment_of(collection))),
                          .query = std::move(query),
                          .deadline = deadline,
                          .stop = options_.stop}));
    SERIN_TRY(const json::object answer, parse_object(response.body, "Firestore's list"));
    for (const json::value& item : array_of(answer, "documents")) {
      SERIN_TRY(Stored stored, read(json::serialize(item)));
      documents.push_back(std::move(stored.document));
    }
    page = text_of(answer, "nextPageToken");
  } while (!page.empty());
  std::ranges::sort(documents, {}, &Document::id);
  return documents;
}

Status Firestore::ping(Deadline deadline) {
  SERIN_CHECK(look("health", "probe", deadline));
  return {};
}

health::CheckFunction firestore_check(Firestore& documents) {
  return [&documents](const health::CheckContext& context) {
    const Status answered = documents.ping(context.deadline);
    return answered ? health::CheckAnswer::pass() : answer_of(answered.error());
  };
}

}  // namespace serin::google
