// Memory of large results that nobody holds any more, for the next ones. Memory that is new to a process is cleared by the
// system page by page as it is written, and on a virtual machine it may first have to be got back from the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "core/large_array.h"
#include "core/large_pages.h"

namespace blockwright {

// For one thread. The system may take what is kept at any time (see may_be_taken) where memory is short. It counts as the process's
// until then, so nothing is to be kept where that is limited (see memory_is_limited).
class MemoryPool {
 public:
  struct Piece {
    LargeArray<uint8_t> memory;
    size_t bytes = 0;
  };

  // Keeps at most `limit` bytes.
  explicit MemoryPool(size_t limit) : limit_(limit) {}

  // At least `bytes`, at most a quarter more. With whatever was in it: it must be written all over before anybody sees it.
  Piece take(size_t bytes) {
    idle_ = false;
    size_t best = kept_.size();
    for (size_t i = 0; i < kept_.size(); ++i) {
      const size_t size = kept_[i].bytes;
      if (size < bytes || size - bytes > bytes / 4) continue;
      if (best == kept_.size() || size < kept_[best].bytes) best = i;
    }
    if (best < kept_.size()) return remove(best);
    try {
      return {large_array<uint8_t>(bytes), bytes};
    } catch (const std::bad_alloc&) {
      if (kept_.empty()) throw;
    }
    clear();
    return {large_array<uint8_t>(bytes), bytes};
  }

  // Keeps a piece, in place of the oldest ones where all would be too many.
  void give(Piece piece) {
    if (idle_ || piece.bytes > limit_) return;
    while (size_ + piece.bytes > limit_) remove(0);
    may_be_taken(piece.memory.get(), piece.bytes);
    const size_t bytes = piece.bytes;
    try {
      kept_.push_back(std::move(piece));
      size_ += bytes;
    } catch (const std::bad_alloc&) {
      // then it is freed: who collects memory cannot be told of an error
    }
  }

  // Frees all, and whatever is given before the next piece is taken.
  void rest() {
    idle_ = true;
    clear();
  }

  size_t size() const { return size_; }

 private:
  Piece remove(size_t index) {
    Piece piece = std::move(kept_[index]);
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(index));
    size_ -= piece.bytes;
    return piece;
  }

  void clear() {
    kept_.clear();
    size_ = 0;
  }

  std::vector<Piece> kept_;  // the oldest first
  size_t limit_, size_ = 0;
  bool idle_ = false;
};

}  // namespace blockwright
