#include "worker_pool.h"

#include <immintrin.h>

#include <chrono>
#include <thread>

namespace voice_agent {
namespace {

// The next layer's job follows within tens of microseconds, and waking a sleeping thread takes about as long. Longer
// would take time from the other rooms between two steps.
constexpr auto kSpin = std::chrono::microseconds(50);

}  // namespace

WorkerPool& WorkerPool::shared() {
  static auto* pool = new WorkerPool;  // never destroyed: its threads live as long as the process
  return *pool;
}

void WorkerPool::run(int64_t chunks, int threads, const std::function<void(int64_t)>& work) {
  if (threads <= 1 || chunks <= 1) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) work(chunk);
    return;
  }
  std::lock_guard<std::mutex> turn(one_job_);
  while (helpers_ < threads - 1) add_helper();
  work_ = &work;
  chunks_ = chunks;
  next_ = 0;
  allowed_ = threads - 1;
  open_ = true;
  generation_.fetch_add(1);
  generation_.notify_all();
  take_chunks();
  open_ = false;
  // At most one chunk each is still being worked on. If a helper lost its core meanwhile, sleeping gives it this one.
  const auto patience = std::chrono::steady_clock::now() + kSpin;
  for (int inside; (inside = inside_.load()) != 0;) {
    for (int i = 0; i < 16; ++i) _mm_pause();
    if (std::chrono::steady_clock::now() > patience) inside_.wait(inside);
  }
}

void WorkerPool::add_helper() {
  ++helpers_;
  std::thread([this] { help(); }).detach();
}

void WorkerPool::help() {
  for (int seen = 0;;) {
    const auto tired = std::chrono::steady_clock::now() + kSpin;
    while (generation_.load() == seen) {
      for (int i = 0; i < 16; ++i) _mm_pause();
      if (std::chrono::steady_clock::now() > tired) generation_.wait(seen);
    }
    seen = generation_.load();
    ++inside_;  // before looking at open_: the caller closes the job, then waits for everyone inside
    if (open_.load() && allowed_.fetch_sub(1) > 0) take_chunks();
    --inside_;
    inside_.notify_all();
  }
}

void WorkerPool::take_chunks() {
  for (int64_t chunk; (chunk = next_.fetch_add(1)) < chunks_;) (*work_)(chunk);
}

}  // namespace voice_agent
