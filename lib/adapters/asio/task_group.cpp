#include "serin/async/task_group.hpp"

#include <exception>
#include <utility>

namespace serin::async {

TaskGroup::~TaskGroup() { SERIN_ASSERT(running_ == 0); }

Status TaskGroup::start(asio::awaitable<void> work) {
  if (is_closed_) return fail(Errc::rejected, "the task group is closed");
  children_.remove_if([](Child& child) { return child.ended().is_set() && !child.threw(); });
  ++running_;
  children_.emplace_back().start(executor_, std::move(work), [this] { --running_; });
  return {};
}

void TaskGroup::give_up() {
  for (Child& child : children_) child.give_up();
}

asio::awaitable<void> TaskGroup::close(AsyncSleeper& sleeper) {
  is_closed_ = true;
  for (Child& child : children_) co_await join(sleeper, child);
  for (const Child& child : children_) child.rethrow();
  children_.clear();
}

}  // namespace serin::async
