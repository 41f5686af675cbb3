#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace serin::crash {

/// A disk that forgets at a power cut what nobody waited for: files of one folder as SQLite writes them, and what of
/// them is on the disk for certain. It stands in front of SQLite's usual VFS, which goes on doing the work, so locks
/// and shared memory are the real ones. While it lives it is the process's default VFS. Threads: any.
class LossyDisk {
 public:
  /// \param folder  only files in it are followed
  explicit LossyDisk(std::string folder);
  ~LossyDisk();
  LossyDisk(const LossyDisk&) = delete;
  LossyDisk& operator=(const LossyDisk&) = delete;

  /// What a power cut now would leave, as files of another folder. Of what was written since a file's last sync each
  /// sector of 512 bytes is there or not, as the disk liked. \param kept  of 256 such sectors: 0 none, 256 all
  void cut(const std::string& into, int kept, std::uint64_t seed) const;
  /// Called before and after every write, truncation and sync of a followed file; nobody may use the database in it.
  std::function<void()> at_every_step;
  /// Syncs so far.
  [[nodiscard]] int syncs() const;

  // What SQLite did.
  [[nodiscard]] bool follows(const std::string& path) const { return path.starts_with(folder_); }
  void wrote(const std::string& path, std::int64_t offset, std::string bytes);
  void truncated(const std::string& path, std::int64_t size);
  void synced(const std::string& path);
  void removed(const std::string& path);
  void step() const {
    if (at_every_step) at_every_step();
  }

 private:
  struct Change {
    std::int64_t offset = 0;
    std::string bytes;
    bool cuts = false;  ///< a truncation to `offset`
  };
  struct File {
    std::string certain;
    std::vector<Change> since;
    bool linked = false;  ///< its name is on the disk: it was synced once
  };
  static void apply(std::string& content, const Change& change);

  std::string folder_;
  mutable std::mutex mutex_;
  std::map<std::string, File> files_;
  int syncs_ = 0;
};

}  // namespace serin::crash
