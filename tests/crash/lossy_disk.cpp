#include "lossy_disk.hpp"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

namespace serin::crash {
namespace {

constexpr std::size_t sector = 512;

LossyDisk* the_disk = nullptr;
sqlite3_vfs* usual() { return sqlite3_vfs_find("unix"); }

// SQLite asks for one piece of memory for a file of ours; the usual VFS's own file stands right behind it.
struct OurFile {
  sqlite3_file base;
  const char* path;  // SQLite keeps it as long as the file is open; null: not followed
};
sqlite3_file* behind(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<OurFile*>(file) + 1);
}
LossyDisk* disk_of(sqlite3_file* file) {
  return reinterpret_cast<OurFile*>(file)->path != nullptr ? the_disk : nullptr;
}
std::string path_of(sqlite3_file* file) { return reinterpret_cast<OurFile*>(file)->path; }

int close(sqlite3_file* file) { return behind(file)->pMethods->xClose(behind(file)); }
int read(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  return behind(file)->pMethods->xRead(behind(file), into, size, offset);
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  LossyDisk* const disk = disk_of(file);
  if (disk != nullptr) disk->step();
  const int code = behind(file)->pMethods->xWrite(behind(file), from, size, offset);
  if (disk != nullptr && code == SQLITE_OK) {
    disk->wrote(path_of(file), offset, {static_cast<const char*>(from), static_cast<std::size_t>(size)});
    disk->step();
  }
  return code;
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  LossyDisk* const disk = disk_of(file);
  const int code = behind(file)->pMethods->xTruncate(behind(file), size);
  if (disk != nullptr && code == SQLITE_OK) {
    disk->truncated(path_of(file), size);
    disk->step();
  }
  return code;
}
int sync(sqlite3_file* file, int flags) {
  LossyDisk* const disk = disk_of(file);
  if (disk != nullptr) disk->step();
  const int code = behind(file)->pMethods->xSync(behind(file), flags);
  if (disk != nullptr && code == SQLITE_OK) {
    disk->synced(path_of(file));
    disk->step();
  }
  return code;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) { return behind(file)->pMethods->xFileSize(behind(file), size); }
int lock(sqlite3_file* file, int kind) { return behind(file)->pMethods->xLock(behind(file), kind); }
int unlock(sqlite3_file* file, int kind) { return behind(file)->pMethods->xUnlock(behind(file), kind); }
int check_lock(sqlite3_file* file, int* held) { return behind(file)->pMethods->xCheckReservedLock(behind(file), held); }
int control(sqlite3_file* file, int what, void* argument) {
  return behind(file)->pMethods->xFileControl(behind(file), what, argument);
}
int sector_size(sqlite3_file*) { return sector; }
// None of the promises that let SQLite leave a sync out.
int characteristics(sqlite3_file*) { return 0; }
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return behind(file)->pMethods->xShmMap(behind(file), page, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return behind(file)->pMethods->xShmLock(behind(file), offset, count, flags);
}
void barrier(sqlite3_file* file) { behind(file)->pMethods->xShmBarrier(behind(file)); }
int unmap_shared(sqlite3_file* file, int remove) { return behind(file)->pMethods->xShmUnmap(behind(file), remove); }

const sqlite3_io_methods methods{.iVersion = 2,
                                 .xClose = close,
                                 .xRead = read,
                                 .xWrite = write,
                                 .xTruncate = truncate,
                                 .xSync = sync,
                                 .xFileSize = file_size,
                                 .xLock = lock,
                                 .xUnlock = unlock,
                                 .xCheckReservedLock = check_lock,
                                 .xFileControl = control,
                                 .xSectorSize = sector_size,
                                 .xDeviceCharacteristics = characteristics,
                                 .xShmMap = map_shared,
                                 .xShmLock = lock_shared,
                                 .xShmBarrier = barrier,
                                 .xShmUnmap = unmap_shared,
                                 .xFetch = nullptr,
                                 .xUnfetch = nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
  auto* const ours = ::new (file) OurFile{};
  const int code = usual()->xOpen(usual(), name, behind(file), flags, got);
  if (code != SQLITE_OK && behind(file)->pMethods == nullptr) return code;
  ours->base.pMethods = &methods;
  if (name != nullptr && the_disk != nullptr && the_disk->follows(name)) ours->path = name;
  return code;
}
int remove(sqlite3_vfs*, const char* name, int sync_folder) {
  const int code = usual()->xDelete(usual(), name, sync_folder);
  if (code == SQLITE_OK && the_disk != nullptr && the_disk->follows(name)) the_disk->removed(name);
  return code;
}

sqlite3_vfs& vfs() {
  static sqlite3_vfs made = [] {
    sqlite3_vfs out = *usual();
    out.pNext = nullptr;
    out.zName = "lossy";
    out.szOsFile = static_cast<int>(sizeof(OurFile)) + usual()->szOsFile;
    out.xOpen = open;
    out.xDelete = remove;
    return out;
  }();
  return made;
}

}  // namespace

LossyDisk::LossyDisk(std::string folder) : folder_(std::move(folder)) {
  the_disk = this;
  sqlite3_vfs_register(&vfs(), 1);
}

LossyDisk::~LossyDisk() {
  sqlite3_vfs_unregister(&vfs());
  sqlite3_vfs_register(usual(), 1);
  the_disk = nullptr;
}

int LossyDisk::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

void LossyDisk::apply(std::string& content, const Change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.cuts) {
    content.resize(offset);
    return;
  }
  if (content.size() < offset + change.bytes.size()) content.resize(offset + change.bytes.size());
  content.replace(offset, change.bytes.size(), change.bytes);
}

void LossyDisk::wrote(const std::string& path, std::int64_t offset, std::string bytes) {
  const std::lock_guard lock(mutex_);
  files_[path].since.push_back({.offset = offset, .bytes = std::move(bytes)});
}

void LossyDisk::truncated(const std::string& path, std::int64_t size) {
  const std::lock_guard lock(mutex_);
  files_[path].since.push_back({.offset = size, .bytes = {}, .cuts = true});
}

void LossyDisk::synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  for (const Change& change : file.since) apply(file.certain, change);
  file.since.clear();
  file.linked = true;
  ++syncs_;
}

void LossyDisk::removed(const std::string& path) {
  const std::lock_guard lock(mutex_);
  files_.erase(path);
}

void LossyDisk::cut(const std::string& into, int kept, std::uint64_t seed) const {
  const std::lock_guard lock(mutex_);
  const auto stays = [&] {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int>(seed >> 56) < kept;
  };
  for (const auto& [path, file] : files_) {
    if (!file.linked && kept == 0) continue;
    std::string content = file.certain;
    for (const Change& change : file.since) {
      if (change.cuts) {
        if (stays()) apply(content, change);
        continue;
      }
      for (std::size_t at = 0; at < change.bytes.size();) {
        const std::size_t in_sector = (static_cast<std::size_t>(change.offset) + at) % sector;
        const std::size_t size = std::min(sector - in_sector, change.bytes.size() - at);
        if (stays())
          apply(content,
                {.offset = change.offset + static_cast<std::int64_t>(at), .bytes = change.bytes.substr(at, size)});
        at += size;
      }
    }
    std::ofstream(into + path.substr(folder_.size()), std::ios::binary) << content;
  }
}

}  // namespace serin::crash
