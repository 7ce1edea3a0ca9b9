#include "io/chunk_states.h"

#include <utility>

namespace blockwright {

std::unique_ptr<ChunkState> ChunkStates::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!unused_.empty()) {
      std::unique_ptr<ChunkState> state = std::move(unused_.back());
      unused_.pop_back();
      unused_bytes_ -= state->bytes();
      return state;
    }
  }
  return std::make_unique<ChunkState>();
}

void ChunkStates::give_back(std::unique_ptr<ChunkState> state) {
  const size_t bytes = state->bytes();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (unused_bytes_ + bytes > KEPT_BYTES) return;
  unused_.push_back(std::move(state));
  unused_bytes_ += bytes;
}

}  // namespace blockwright
