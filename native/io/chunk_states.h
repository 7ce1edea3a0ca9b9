// What threads keep from chunk to chunk, kept from call to call too: buffers and codec contexts that were used before are
// warm, and a region of a few chunks costs less than the pages of new ones.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "io/chunk_reader.h"

namespace blockwright {

// States that no thread uses. One object serves any number of calls at once.
class ChunkStates {
 public:
  // A state that was used before, else a new one.
  std::unique_ptr<ChunkState> take();
  // Keeps a state for later, unless what is kept would exceed KEPT_BYTES.
  void give_back(std::unique_ptr<ChunkState> state);

  static constexpr size_t KEPT_BYTES = size_t{64} << 20;

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<ChunkState>> unused_;
  size_t unused_bytes_ = 0;
};

}  // namespace blockwright
