#include "serin/sim/memory_documents.hpp"

namespace serin::sim {
namespace {

std::pair<std::string, std::string> key(std::string_view collection, std::string_view id) {
  return {std::string(collection), std::string(id)};
}

}  // namespace

Result<std::optional<Document>> MemoryDocuments::get(std::string_view collection, std::string_view id, Deadline) {
  const std::lock_guard lock(mutex_);
  if (broken_) return fail(Errc::unavailable, "the documents are gone");
  const auto found = stored_.find(key(collection, id));
  if (found == stored_.end()) return std::nullopt;
  return found->second;
}

Result<std::int64_t> MemoryDocuments::put(std::string_view collection, std::string_view id, std::string json,
                                          std::int64_t expected, Deadline) {
  const std::lock_guard lock(mutex_);
  if (broken_) return fail(Errc::unavailable, "the documents are gone");
  const auto found = stored_.find(key(collection, id));
  const std::int64_t stored = found == stored_.end() ? 0 : found->second.version;
  if (stored != expected) return fail(Errc::conflict, "the document has another version");
  stored_[key(collection, id)] = {.id = std::string(id), .json = std::move(json), .version = ++last_version_};
  return last_version_;
}

Status MemoryDocuments::erase(std::string_view collection, std::string_view id, std::int64_t expected, Deadline) {
  const std::lock_guard lock(mutex_);
  if (broken_) return fail(Errc::unavailable, "the documents are gone");
  const auto found = stored_.find(key(collection, id));
  if ((found == stored_.end() ? 0 : found->second.version) != expected)
    return fail(Errc::conflict, "the document has another version");
  if (found != stored_.end()) stored_.erase(found);
  return {};
}

Result<std::vector<Document>> MemoryDocuments::list(std::string_view collection, Deadline) {
  const std::lock_guard lock(mutex_);
  if (broken_) return fail(Errc::unavailable, "the documents are gone");
  std::vector<Document> documents;
  for (const auto& [name, document] : stored_)
    if (name.first == collection) documents.push_back(document);
  return documents;
}

}  // namespace serin::sim
