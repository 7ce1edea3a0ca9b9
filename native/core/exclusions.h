// Pairs of clusters that must never become one, kept up to date while clusters are joined.
//
// Roots that take part in a pair get a dense number; the pairs of numbers are in an open-addressing set, and every number
// lists its partners. When two roots are joined the shorter list moves to the longer one, so that a pair moves at most
// log2(n) times. Memory: about 40 bytes a pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
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

class Exclusions {
 public:
  // Whether two roots are excluded.
  bool contains(uint32_t a, uint32_t b) const {
    if (pairs_.empty()) return false;
    const uint32_t x = number(a);
    if (x == NONE) return false;
    const uint32_t y = number(b);
    if (y == NONE) return false;
    return pairs_[pairs_.slot(pair_of(x, y), WHOLE)] != FlatTable::EMPTY;
  }

  // Excludes two different roots.
  void add(uint32_t a, uint32_t b) {
    const uint32_t x = number_or_new(a);
    const uint32_t y = number_or_new(b);
    if (!insert(x, y)) return;
    partners_[x].push_back(y);
    partners_[y].push_back(x);
  }

  // Tells that root `gone` was joined to root `kept`.
  void join(uint32_t kept, uint32_t gone) {
    if (numbers_.empty()) return;
    const size_t gone_slot = numbers_.slot(uint64_t{gone} << 32, ROOT);
    if (numbers_[gone_slot] == FlatTable::EMPTY) return;
    uint32_t from = static_cast<uint32_t>(numbers_[gone_slot]);
    numbers_.remove(gone_slot, ROOT);
    const size_t kept_slot = numbers_.slot(uint64_t{kept} << 32, ROOT);
    if (numbers_[kept_slot] == FlatTable::EMPTY) {
      numbers_.put(kept_slot, uint64_t{kept} << 32 | from, ROOT);
      return;
    }
    uint32_t into = static_cast<uint32_t>(numbers_[kept_slot]);
    if (partners_[from].size() > partners_[into].size()) {
      std::swap(from, into);
      numbers_.replace(kept_slot, uint64_t{kept} << 32 | into);
    }
    const std::vector<uint32_t> moved = std::move(partners_[from]);
    partners_[from] = {};
    for (const uint32_t entry : moved) {
      const uint32_t partner = current(entry);
      const size_t old = pairs_.slot(pair_of(from, partner), WHOLE);
      if (pairs_[old] != FlatTable::EMPTY) pairs_.remove(old, WHOLE);  // else listed twice and moved already
      if (insert(into, partner)) partners_[into].push_back(partner);
    }
    joined_to_[from] = into;
  }

 private:
  static constexpr uint64_t WHOLE = ~uint64_t{0};
  static constexpr uint64_t ROOT = 0xFFFFFFFF00000000;
  static constexpr uint32_t NONE = ~uint32_t{0};

  static uint64_t pair_of(uint32_t x, uint32_t y) { return x < y ? uint64_t{x} << 32 | y : uint64_t{y} << 32 | x; }

  uint32_t number(uint32_t root) const {
    const uint64_t entry = numbers_[numbers_.slot(uint64_t{root} << 32, ROOT)];
    return entry == FlatTable::EMPTY ? NONE : static_cast<uint32_t>(entry);
  }

  uint32_t number_or_new(uint32_t root) {
    const size_t at = numbers_.slot(uint64_t{root} << 32, ROOT);
    if (numbers_[at] != FlatTable::EMPTY) return static_cast<uint32_t>(numbers_[at]);
    const uint32_t fresh = static_cast<uint32_t>(partners_.size());
    partners_.emplace_back();
    joined_to_.push_back(fresh);
    numbers_.put(at, uint64_t{root} << 32 | fresh, ROOT);
    return fresh;
  }

  // The number that a listed partner has now: lists are not rewritten when a partner is joined to another.
  uint32_t current(uint32_t x) {
    while (joined_to_[x] != x) {
      joined_to_[x] = joined_to_[joined_to_[x]];
      x = joined_to_[x];
    }
    return x;
  }

  bool insert(uint32_t x, uint32_t y) {
    const uint64_t pair = pair_of(x, y);
    const size_t at = pairs_.slot(pair, WHOLE);
    if (pairs_[at] != FlatTable::EMPTY) return false;
    pairs_.put(at, pair, WHOLE);
    return true;
  }

  FlatTable numbers_;  // root << 32 | number
  FlatTable pairs_;    // smaller number << 32 | larger number
  std::vector<std::vector<uint32_t>> partners_;
  std::vector<uint32_t> joined_to_;
};

}  // namespace blockwright
