// Goal: Prometheus scrapes what runs, and never reads half a list. Method: replicas as values, files in a folder of the
// test; a folder that cannot be written.
#include "serin/agent/targets.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "serin/system/files.hpp"

namespace serin::agent {
namespace {

control::ObservedReplica replica(std::string name, std::string address, int pid) {
  return {.service = ServiceName::make("shop").value(),
          .release = ReleaseName::make("v1").value(),
          .index = 0,
          .replica = {.name = std::move(name), .address = std::move(address)},
          .pid = pid,
          .process_started = 0};
}

struct Targets : testing::Test {
  Targets() {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-targets-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~Targets() override { std::filesystem::remove_all(folder); }
  std::string folder;
};

TEST_F(Targets, name_service_release_and_replica_of_every_process) {
  EXPECT_EQ(scrape_targets({replica("v1-0", "127.0.0.1:4001", 7), replica("v1-1", "127.0.0.1:4002", 8)}),
            R"([{"targets":["127.0.0.1:4001"],"labels":{"service":"shop","release":"v1","replica":"v1-0"}},)"
            R"({"targets":["127.0.0.1:4002"],"labels":{"service":"shop","release":"v1","replica":"v1-1"}}])"
            "\n");
}

TEST_F(Targets, leave_out_what_has_no_process) {
  EXPECT_EQ(scrape_targets({replica("v1-0", "127.0.0.1:4001", 0), replica("v1-1", "", 8)}), "[]\n");
}

TEST_F(Targets, are_written_when_they_change_and_only_then) {
  const std::string path = folder + "/monitoring/targets.json";
  TargetsFile file(path);
  ASSERT_TRUE(file.update({replica("v1-0", "127.0.0.1:4001", 7)}));
  const std::filesystem::file_time_type old{};
  std::filesystem::last_write_time(path, old);
  ASSERT_TRUE(file.update({replica("v1-0", "127.0.0.1:4001", 9)}));
  EXPECT_EQ(std::filesystem::last_write_time(path), old) << "another process at the same address is no change";
  ASSERT_TRUE(file.update({}));
  EXPECT_EQ(read_file(path).value(), "[]\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder + "/monitoring"), {}), 1)
      << "nothing is left over";
}

TEST_F(Targets, that_could_not_be_written_are_tried_again) {
  const std::string path = folder + "/monitoring/targets.json";
  ASSERT_TRUE(write_file(folder + "/monitoring", "a file in the way"));
  TargetsFile file(path);
  EXPECT_FALSE(file.update({}));
  std::filesystem::remove(folder + "/monitoring");
  ASSERT_TRUE(file.update({}));
  EXPECT_EQ(read_file(path).value(), "[]\n");
}

}  // namespace
}  // namespace serin::agent
