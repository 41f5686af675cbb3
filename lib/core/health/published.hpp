#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace serin::health {

/// A value that one replaces at a time and many read without a lock. Readers never wait: each registers in one of 16
/// counters, by its thread, so that two of them seldom touch the same memory. A value that was replaced lives until
/// every counter was seen at zero after the replacement: those who could still read it have left then. (libstdc++ 12's
/// std::atomic<std::shared_ptr> spins on a lock bit and counts all readers in one place.) Threads: any; publish() one
/// at a time.
template <class T>
class Published {
 public:
  explicit Published(std::unique_ptr<const T> first) : current_(first.release()) {}
  ~Published() { std::unique_ptr<const T>(current_.load()); }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  /// Calls `use` with the value that is current now. It must be short and must not keep it.
  template <class Use>
  decltype(auto) read(const Use& use) const {
    const Reading reading(readers_[stripe()].count);
    return use(*current_.load(std::memory_order_seq_cst));
  }

  void publish(std::unique_ptr<const T> next) {
    std::unique_ptr<const T> old(current_.exchange(next.release(), std::memory_order_seq_cst));
    retired_.push_back({.value = std::move(old), .unseen = all});
    reclaim();
    while (retired_.size() > most_retired) {  // readers are in and out within microseconds, so this ends
      std::this_thread::yield();
      reclaim();
    }
  }

 private:
  static constexpr std::size_t stripes = 16;
  static constexpr std::uint32_t all = (1U << stripes) - 1;
  static constexpr std::size_t most_retired = 64;
  struct alignas(64) Stripe {
    std::atomic<std::uint32_t> count{0};
  };
  class Reading {
   public:
    explicit Reading(std::atomic<std::uint32_t>& count) : count_(count) {
      // Sequentially consistent, and so is the exchange: either this reader sees the new value, or publish() sees it.
      count_.fetch_add(1, std::memory_order_seq_cst);
    }
    ~Reading() { count_.fetch_sub(1, std::memory_order_release); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    std::atomic<std::uint32_t>& count_;
  };
  struct Retired {
    std::unique_ptr<const T> value;
    std::uint32_t unseen;  // counters that were not seen at zero since
  };

  static std::size_t stripe() noexcept {
    return (std::hash<std::jthread::id>{}(std::this_thread::get_id()) * 0x9E3779B97F4A7C15ULL) >> 60;
  }
  void reclaim() {
    std::uint32_t empty = 0;
    for (std::size_t i = 0; i < stripes; ++i)
      if (readers_[i].count.load(std::memory_order_seq_cst) == 0) empty |= 1U << i;
    for (Retired& old : retired_) old.unseen &= ~empty;
    std::erase_if(retired_, [](const Retired& old) { return old.unseen == 0; });
  }

  mutable std::array<Stripe, stripes> readers_{};
  std::atomic<const T*> current_;
  std::vector<Retired> retired_;  // the publisher's
};

}  // namespace serin::health
