// Loaded into `serin` before the C library (LD_PRELOAD): kills the process at its n-th effect on the outside, before or
// after it. Effects are what it waits for the disk with, and what it tells HAProxy; between two of them nothing that
// it does can be seen by anybody else.
//   SERIN_KILL_AT=2n-1: before the n-th effect; 2n: after it; 0: never
//   SERIN_KILL_COUNT=FILE: where the number of points that were passed is written when the process ends by itself
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

std::atomic<long> points{0};

long wanted() {
  static const long number = [] {
    const char* const text = std::getenv("SERIN_KILL_AT");
    return text == nullptr ? 0L : std::strtol(text, nullptr, 10);
  }();
  return number;
}

void point() {
  if (++points == wanted()) kill(getpid(), SIGKILL);
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool is_local_socket(int number) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(number, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

struct AtTheEnd {
  ~AtTheEnd() {
    const char* const path = std::getenv("SERIN_KILL_COUNT");
    if (path == nullptr) return;
    if (FILE* const file = std::fopen(path, "w"); file != nullptr) {
      std::fprintf(file, "%ld\n", points.load());
      std::fclose(file);
    }
  }
} at_the_end;

}  // namespace

extern "C" {

int fdatasync(int number) {
  point();
  const int code = next<int(int)>("fdatasync")(number);
  point();
  return code;
}

int fsync(int number) {
  point();
  const int code = next<int(int)>("fsync")(number);
  point();
  return code;
}

ssize_t send(int number, const void* from, size_t size, int flags) {
  const bool counts = is_local_socket(number);
  if (counts) point();
  const ssize_t sent = next<ssize_t(int, const void*, size_t, int)>("send")(number, from, size, flags);
  if (counts) point();
  return sent;
}
}
