// parallel_for for work that keeps something expensive (buffers, codec contexts) from item to item.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "core/parallel.h"

namespace blockwright {

// Calls work(state, item) for every item in [0, count); each thread has its own State. Items are taken in ascending order;
// the first exception stops the hand-out and is rethrown.
template <class State, class Work>
void parallel_for_with(size_t threads, size_t count, const Work& work) {
  threads = std::min(std::max<size_t>(threads, 1), count);
  std::atomic<size_t> next{0};
  parallel_for(threads, threads, [&](size_t) {
    State state;
    try {
      for (size_t item = next.fetch_add(1); item < count; item = next.fetch_add(1)) work(state, item);
    } catch (...) {
      next.store(count);
      throw;
    }
  });
}

}  // namespace blockwright
