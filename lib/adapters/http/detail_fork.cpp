#include "detail_fork.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace serin::http {

ForkMark::ForkMark() : size_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), process_(::getpid()) {
  void* page = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, size_, MADV_WIPEONFORK) != 0) {
    ::munmap(page, size_);
    return;
  }
  page_ = static_cast<volatile char*>(page);
  *page_ = 1;
}

ForkMark::~ForkMark() {
  if (page_ != nullptr) ::munmap(const_cast<char*>(page_), size_);
}

bool ForkMark::is_in_child() const noexcept { return page_ != nullptr ? *page_ == 0 : ::getpid() != process_; }

}  // namespace serin::http
