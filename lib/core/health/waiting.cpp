#include "waiting.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <list>

namespace serin::health {
namespace {
constexpr Duration longest_pause = std::chrono::hours(1);  // wait_for adds to now: the largest pauses overflow
constexpr unsigned starters = 4;  // a start that blocks is a mistake in a check; some of them may be made at a time
// A start takes microseconds, so that many may queue: checks that are asked together are started together.
constexpr unsigned starts_waiting = 4096;
}  // namespace

bool Gate::enter() {
  const std::scoped_lock lock(mutex_);
  if (closed_) return false;
  ++inside_;
  return true;
}
void Gate::leave() {
  const std::scoped_lock lock(mutex_);
  --inside_;
  left_.notify_all();
}
void Gate::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  left_.wait(lock, [&] { return inside_ == 0; });
}

struct Threads::Worker {
  std::jthread thread;
  bool left = false;
};

struct Threads::Shared {
  struct Queue {
    unsigned workers_most;
    unsigned waiting_most;
    std::condition_variable came;
    std::deque<std::function<void()>> work;
    unsigned workers = 0;
    unsigned busy = 0;  // workers at work, and what is in `work`
  };
  explicit Shared(unsigned blocking)
      : lanes{Queue{.workers_most = blocking, .waiting_most = 0, .came = {}, .work = {}},
              Queue{.workers_most = starters, .waiting_most = starts_waiting, .came = {}, .work = {}},
              Queue{.workers_most = 1, .waiting_most = 1, .came = {}, .work = {}}} {}
  Queue& queue(Lane lane) { return lanes[static_cast<std::size_t>(lane)]; }

  std::mutex mutex;  // guards all below
  std::condition_variable timer;
  std::condition_variable worker_left;
  std::array<Queue, 3> lanes;
  std::list<Worker> workers;
  unsigned at_work = 0;  // workers that have not left
  bool woken = false;
  bool ended = false;
};

Threads::Threads(unsigned blocking) : shared_(std::make_shared<Shared>(blocking)) {}
Threads::~Threads() { end(Duration::zero()); }

void Threads::schedule(std::function<Duration()> poll) {
  scheduler_ = std::jthread([shared = shared_, poll = std::move(poll)] {
    for (;;) {
      const Duration pause = std::min(poll(), longest_pause);
      std::unique_lock lock(shared->mutex);
      shared->timer.wait_for(lock, pause, [&] { return shared->woken || shared->ended; });
      shared->woken = false;
      if (shared->ended) return;
    }
  });
}

void Threads::wake() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->woken = true;
  shared_->timer.notify_all();
}

bool Threads::submit(Lane lane, std::function<void()> work) {
  const std::scoped_lock lock(shared_->mutex);
  Shared::Queue& queue = shared_->queue(lane);
  if (shared_->ended || queue.busy >= queue.workers_most + queue.waiting_most) return false;
  ++queue.busy;
  queue.work.push_back(std::move(work));
  if (queue.workers >= queue.busy || queue.workers >= queue.workers_most) {
    queue.came.notify_one();
    return true;
  }
  ++queue.workers;
  ++shared_->at_work;
  Worker& worker = shared_->workers.emplace_back();
  worker.thread =
      std::jthread([shared = shared_, lane, &worker] { Threads::work(*shared, lane, worker); });  // waits for the lock
  return true;
}

void Threads::work(Shared& shared, Lane lane, Worker& me) {
  Shared::Queue& queue = shared.queue(lane);
  std::unique_lock lock(shared.mutex);
  for (;;) {
    queue.came.wait(lock, [&] { return shared.ended || !queue.work.empty(); });
    if (shared.ended) break;
    std::function<void()> mine = std::move(queue.work.front());
    queue.work.pop_front();
    lock.unlock();
    mine();
    mine = nullptr;
    lock.lock();
    --queue.busy;
  }
  me.left = true;
  --shared.at_work;
  shared.worker_left.notify_all();
}

bool Threads::end(Duration grace) {
  std::array<std::deque<std::function<void()>>, 3> dropped;  // their captures end outside of the lock
  std::list<Worker> left;
  bool all = true;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->ended = true;
    for (std::size_t i = 0; i < dropped.size(); ++i) {
      dropped[i].swap(shared_->lanes[i].work);
      shared_->lanes[i].came.notify_all();
    }
    shared_->timer.notify_all();
    shared_->worker_left.wait_for(lock, std::min(grace, longest_pause), [&] { return shared_->at_work == 0; });
    for (auto worker = shared_->workers.begin(); worker != shared_->workers.end();) {
      const auto next = std::next(worker);
      if (worker->left) left.splice(left.end(), shared_->workers, worker);
      worker = next;
    }
    // The one detach there is: a thread inside of a check that hangs cannot be ended, only left behind. Its node in the
    // list stays where it is, because it writes there when it comes back.
    for (Worker& worker : shared_->workers) {
      all = false;
      if (worker.thread.joinable()) worker.thread.detach();
    }
  }
  if (scheduler_.joinable()) scheduler_.join();
  return all;  // those in `left` are joined by their end
}

}  // namespace serin::health
