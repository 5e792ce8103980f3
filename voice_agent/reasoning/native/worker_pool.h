// Spread chunks of work over a few threads that sleep when there is none.
//
// The calling thread starts at once and never waits for a helper that has not begun: on a machine where another room
// (the voice, the recogniser) holds the other core, it simply does all chunks itself. OpenMP's barrier would wait for
// that helper to be scheduled, and its spinning would starve the other rooms.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>

namespace voice_agent {

class WorkerPool {
 public:
  static WorkerPool& shared();

  // Calls work(chunk) for every chunk in 0..chunks-1, on up to `threads` threads, and returns when all are done.
  void run(int64_t chunks, int threads, const std::function<void(int64_t)>& work);

 private:
  void add_helper();
  void help();
  void take_chunks();

  std::mutex one_job_;                                       // callers take turns
  const std::function<void(int64_t)>* work_ = nullptr;       // valid while open_
  int64_t chunks_ = 0;                                       // valid while open_
  std::atomic<int64_t> next_{0};
  std::atomic<bool> open_{false};
  std::atomic<int> inside_{0};      // helpers that may be reading the job
  std::atomic<int> allowed_{0};     // helpers that may take part in it
  std::atomic<int> generation_{0};  // changes with every job; helpers wait on it
  int helpers_ = 0;
};

}  // namespace voice_agent
