// Hash tables of 64-bit words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace blockwright {

// A set of 64-bit keys, or a map from 32 to 32 bits packed into one word; linear probing, at most half full.
class FlatTable {
 public:
  static constexpr uint64_t EMPTY = ~uint64_t{0};

  // The slot that holds a key whose bits under `mask` equal those of `key`, or the empty slot where it belongs.
  size_t slot(uint64_t key, uint64_t mask) const {
    size_t at = hash(key & mask) & (slots_.size() - 1);
    while (slots_[at] != EMPTY && ((slots_[at] ^ key) & mask) != 0) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  uint64_t operator[](size_t at) const { return slots_[at]; }
  bool empty() const { return count_ == 0; }
  void prefetch(uint64_t key, uint64_t mask) const { __builtin_prefetch(&slots_[hash(key & mask) & (slots_.size() - 1)]); }

  // Puts a key into the empty slot that slot() found.
  void put(size_t at, uint64_t key, uint64_t mask) {
    slots_[at] = key;
    if (2 * ++count_ <= slots_.size()) return;
    std::vector<uint64_t> old(2 * slots_.size(), EMPTY);
    old.swap(slots_);
    for (const uint64_t entry : old) {
      if (entry != EMPTY) slots_[slot(entry, mask)] = entry;
    }
  }

  // Replaces the value of an entry in place; the bits under the mask must stay.
  void replace(size_t at, uint64_t key) { slots_[at] = key; }

  // Empties a slot and closes the gap that this leaves in its probe sequence.
  void remove(size_t at, uint64_t mask) {
    const size_t wrap = slots_.size() - 1;
    size_t hole = at;
    for (size_t next = (at + 1) & wrap; slots_[next] != EMPTY; next = (next + 1) & wrap) {
      const size_t home = hash(slots_[next] & mask) & wrap;
      if (((next - home) & wrap) >= ((next - hole) & wrap)) {
        slots_[hole] = slots_[next];
        hole = next;
      }
    }
    slots_[hole] = EMPTY;
    --count_;
  }

 private:
  static size_t hash(uint64_t key) {
    key *= 0x9E3779B97F4A7C15;
    return static_cast<size_t>(key ^ (key >> 32));
  }
  std::vector<uint64_t> slots_ = std::vector<uint64_t>(64, EMPTY);
  size_t count_ = 0;
};

}  // namespace blockwright
