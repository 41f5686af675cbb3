// Goal: the idle list is a stack, also after threads have met at its head, and nothing is left in a cell where nobody
// looks. Method: one thread that spreads by hand; many threads that pass slots on while another one closes and opens.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "pool_under_test.hpp"

namespace serin::pool {
namespace {

class TheIdleList : public testing::Test {
 protected:
  TheIdleList() {
    for (int i = 0; i < 4; ++i) {
      Slot& slot = slots.grow();
      slot.last_used.set(Instant(Duration(i)));
      list->push(slot);
    }
    list->open();
  }
  std::vector<std::uint32_t> listed() {
    list->close();
    std::vector<std::uint32_t> out;
    for (Slot* slot = list->top(); slot != nullptr; slot = list->below(*slot)) out.push_back(slot->number);
    list->open();
    return out;
  }
  using Numbers = std::vector<std::uint32_t>;
  Slots slots;
  std::unique_ptr<IdleList> list = IdleList::make(slots);
};

TEST_F(TheIdleList, is_a_stack) {
  Slot* const a = list->try_pop();
  Slot* const b = list->try_pop();
  EXPECT_EQ(a->number, 4u);
  EXPECT_EQ(b->number, 3u);
  EXPECT_TRUE(list->try_push(*a));
  EXPECT_TRUE(list->try_push(*b));
  EXPECT_EQ(listed(), (Numbers{3, 4, 2, 1}));
}

TEST_F(TheIdleList, gives_nothing_and_takes_nothing_while_it_is_closed) {
  Slot* const slot = list->try_pop();
  list->close();
  EXPECT_EQ(list->try_pop(), nullptr);
  EXPECT_FALSE(list->try_push(*slot));
  list->push(*slot);
  list->open();
  EXPECT_EQ(listed(), (Numbers{4, 3, 2, 1}));
}

TEST_F(TheIdleList, loses_one_from_the_middle_and_takes_one_at_the_bottom) {
  list->close();
  list->remove(slots[3]);
  list->remove(slots[1]);
  list->remove(slots[4]);
  list->append(slots[4]);
  list->append(slots[1]);
  list->open();
  EXPECT_EQ(listed(), (Numbers{2, 4, 1}));
}

TEST_F(TheIdleList, leaves_with_a_thread_what_it_returned_once_threads_have_met) {
  list->spread();
  Slot* const mine = list->try_pop();
  Slot* const other = list->try_pop();
  EXPECT_TRUE(list->try_push(*mine));
  EXPECT_TRUE(list->try_push(*other));  // its cell is taken
  EXPECT_EQ(list->try_pop(), mine);
}

TEST_F(TheIdleList, is_in_order_of_use_again_when_it_is_closed) {
  list->spread();
  for (int i = 0; i < 3; ++i) static_cast<void>(list->try_pop());  // 4, 3 and 2
  slots[2].last_used.set(Instant(Duration(10)));
  EXPECT_TRUE(list->try_push(slots[2]));
  slots[4].last_used.set(Instant(Duration(20)));
  EXPECT_TRUE(list->try_push(slots[4]));
  slots[3].last_used.set(Instant(Duration(5)));
  EXPECT_TRUE(list->try_push(slots[3]));
  EXPECT_EQ(listed(), (Numbers{4, 2, 3, 1}));
  EXPECT_EQ(list->try_pop()->number, 4u) << "a stack from now on, until threads meet again";
}

TEST_F(TheIdleList, loses_nothing_while_it_is_closed_and_opened_under_those_who_use_it) {
  std::atomic<bool> done = false;
  std::atomic<std::int64_t> passed = 0;
  std::array<std::atomic<int>, 5> users{};
  std::mutex lock;  // the pool's
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 4; ++i)
      all.emplace_back([&] {
        while (!done) {
          Slot* const slot = list->try_pop();
          if (slot == nullptr) continue;
          EXPECT_EQ(users[slot->number].fetch_add(1), 0);
          users[slot->number].fetch_sub(1);
          ++passed;
          if (list->try_push(*slot)) continue;
          const std::scoped_lock guard(lock);
          list->close();
          list->push(*slot);
          list->open();
        }
      });
    for (int i = 0; i < 20'000 || passed < 20'000; ++i) {
      const std::scoped_lock guard(lock);
      list->close();
      if (i % 2 == 0) list->spread();
      list->open();
    }
    done = true;
  }
  Numbers all = listed();
  std::ranges::sort(all);
  EXPECT_EQ(all, (Numbers{1, 2, 3, 4}));
}

}  // namespace
}  // namespace serin::pool
