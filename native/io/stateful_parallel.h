// parallel_for for work that keeps something expensive (buffers, codec contexts) from item to item.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "core/parallel.h"
#include "io/chunk_states.h"

namespace blockwright {

// Calls work(state, item) for every item in [0, count); each thread has a ChunkState of its own. Items are taken in ascending
// order; the first exception stops the hand-out and is rethrown.
template <class Work>
void parallel_for_with(ChunkStates& states, size_t threads, size_t count, const Work& work) {
  threads = std::min(std::max<size_t>(threads, 1), count);
  std::atomic<size_t> next{0};
  parallel_for(threads, threads, [&](size_t) {
    std::unique_ptr<ChunkState> state = states.take();
    try {
      for (size_t item = next.fetch_add(1); item < count; item = next.fetch_add(1)) work(*state, item);
    } catch (...) {
      next.store(count);
      throw;
    }
    states.give_back(std::move(state));
  });
}

}  // namespace blockwright
