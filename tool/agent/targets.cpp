#include "serin/agent/targets.hpp"

#include <boost/json.hpp>
#include <filesystem>

#include "serin/system/files.hpp"

namespace serin::agent {

std::string scrape_targets(const std::vector<control::ObservedReplica>& replicas) {
  namespace json = boost::json;
  json::array list;
  for (const control::ObservedReplica& seen : replicas) {
    // One that waits for its next start has an address that somebody else may have by now.
    if (seen.pid == 0 || seen.replica.address.empty()) continue;
    list.push_back(json::object{{"targets", json::array{seen.replica.address}},
                                {"labels", json::object{{"service", seen.service.str()},
                                                        {"release", seen.release.str()},
                                                        {"replica", seen.replica.name}}}});
  }
  return json::serialize(list) + "\n";
}

Status TargetsFile::update(const std::vector<control::ObservedReplica>& replicas) {
  std::string text = scrape_targets(replicas);
  if (text == written_) return {};
  SERIN_CHECK(make_folders(std::filesystem::path(path_).parent_path().string()));
  SERIN_CHECK(write_file(path_, text, Readers::everybody));  // Prometheus runs as a user of its own
  written_ = std::move(text);
  return {};
}

}  // namespace serin::agent
