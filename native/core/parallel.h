// Runs work items over short-lived threads. Threads belong to one call, so nothing mutable outlives it and a process
// may end at any time; starting one costs tens of microseconds, far below the work of a block.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

#include "core/helper_thread.h"

namespace blockwright {

// Calls work(item) for every item in [0, count) from at most `threads` threads, the caller's included; items are taken
// in ascending order. The first exception stops the hand-out of items and is rethrown when all threads have ended.
template <class Work>
void parallel_for(size_t threads, size_t count, const Work& work) {
  threads = std::min(std::max<size_t>(threads, 1), count);
  if (threads <= 1) {
    for (size_t item = 0; item < count; ++item) work(item);
    return;
  }
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const std::function<void()> loop = [&] {
    try {
      for (size_t item = next.fetch_add(1); item < count; item = next.fetch_add(1)) work(item);
    } catch (...) {
      next.store(count);
      const std::lock_guard<std::mutex> lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<HelperThread> helpers;
  helpers.reserve(threads - 1);
  try {
    for (size_t helper = 1; helper < threads; ++helper) helpers.emplace_back(loop);
  } catch (...) {
    // The system has no thread left: the ones that started, and the caller, do the work.
  }
  loop();
  for (HelperThread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace blockwright
