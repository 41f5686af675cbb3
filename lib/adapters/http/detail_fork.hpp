#pragma once
#include <cstddef>

namespace serin::http {

/// Knows whether this process is the one it was made in: one page that the kernel empties for a child, so that the
/// question costs a read and no system call. Threads: any.
class ForkMark {
 public:
  ForkMark();
  ~ForkMark();
  ForkMark(const ForkMark&) = delete;
  ForkMark& operator=(const ForkMark&) = delete;
  [[nodiscard]] bool is_in_child() const noexcept;

 private:
  volatile char* page_ = nullptr;
  std::size_t size_ = 0;
  int process_ = 0;
};

}  // namespace serin::http
