// Numbers 64-bit keys 0.. in order of first use: open addressing, linear probing, load at most one half.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/cancellation.h"
#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

class IdMap {
 public:
  // Numbers + 2 still fit 32 bits.
  static constexpr size_t MAX_KEYS = UINT32_MAX - 15;

  IdMap() = default;
  // Looked at while the table grows, which takes long where there are millions of keys; then insert() may throw ERR_CANCELLED.
  explicit IdMap(const Cancellation& cancellation) : cancellation_(cancellation) {}

  // Keys in order of their numbers.
  const std::vector<uint64_t>& keys() const { return keys_; }
  size_t size() const { return keys_.size(); }

  // The number of a key other than 0; a new key gets the next number. ERR_LIMIT beyond MAX_KEYS.
  uint32_t insert(uint64_t key) {
    size_t slot = first_slot(key);
    for (;;) {
      const Slot& found = slots_[slot];
      if (found.key == key) return found.number;
      if (found.key == 0) return add(key);
      slot = (slot + 1) & mask_;
    }
  }

  void prefetch(uint64_t key) const { __builtin_prefetch(&slots_[first_slot(key)]); }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t number = 0;
  };

  // Fibonacci hashing; the fold lets the high half (a block's id offset) move the result too.
  size_t first_slot(uint64_t key) const {
    return static_cast<size_t>(((key ^ (key >> 32)) * 0x9e3779b97f4a7c15u) >> shift_);
  }

  uint32_t add(uint64_t key) {
    if (keys_.size() == MAX_KEYS) throw Error(ERR_LIMIT, "more than 2^32 - 16 distinct labels or pairs in one call");
    if ((keys_.size() + 1) * 2 > slots_.size()) grow();
    const uint32_t number = static_cast<uint32_t>(keys_.size());
    keys_.push_back(key);
    place(key, number);
    return number;
  }

  void place(uint64_t key, uint32_t number) {
    size_t slot = first_slot(key);
    while (slots_[slot].key != 0) slot = (slot + 1) & mask_;
    slots_[slot] = {key, number};
  }

  void grow() {
    constexpr size_t PART = size_t{1} << 16;  // between two looks
    const size_t size = slots_.size() * 2;
    std::vector<Slot> larger;
    larger.reserve(size);
    while (larger.size() < size) {
      cancellation_.check();
      larger.resize(std::min(size, larger.size() + PART));
    }
    slots_ = std::move(larger);
    mask_ = size - 1;
    --shift_;
    for (uint32_t number = 0; number < keys_.size(); ++number) {
      if (number % PART == 0) cancellation_.check();
      place(keys_[number], number);
    }
  }

  Cancellation cancellation_;
  int shift_ = 64 - 10;
  size_t mask_ = (size_t{1} << 10) - 1;
  std::vector<Slot> slots_ = std::vector<Slot>(size_t{1} << 10);
  std::vector<uint64_t> keys_;
};

}  // namespace blockwright
