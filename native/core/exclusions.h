// Pairs of clusters that must never become one, kept up to date while clusters are joined. Roots that take part in a pair get a
// dense number, which a hash table keeps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/exclusion_pairs.h"
#include "core/flat_table.h"

namespace blockwright {

class Exclusions {
 public:
  // Whether two roots are excluded.
  bool contains(uint32_t a, uint32_t b) const {
    if (numbers_.empty()) return false;
    const uint32_t x = number(a);
    if (x == NONE) return false;
    const uint32_t y = number(b);
    return y != NONE && pairs_.contains(x, y);
  }

  // Excludes two different roots.
  void add(uint32_t a, uint32_t b) {
    const uint32_t x = number_or_new(a);
    const uint32_t y = number_or_new(b);
    pairs_.add(x, y);
  }

  // Tells that root `gone` was joined to root `kept`.
  void join(uint32_t kept, uint32_t gone) {
    if (numbers_.empty()) return;
    const size_t gone_slot = numbers_.slot(uint64_t{gone} << 32, ROOT);
    if (numbers_[gone_slot] == FlatTable::EMPTY) return;
    uint32_t number = static_cast<uint32_t>(numbers_[gone_slot]);
    numbers_.remove(gone_slot, ROOT);
    const size_t kept_slot = numbers_.slot(uint64_t{kept} << 32, ROOT);
    const bool fresh = numbers_[kept_slot] == FlatTable::EMPTY;
    if (!fresh) number = pairs_.join(static_cast<uint32_t>(numbers_[kept_slot]), number);
    const uint64_t entry = uint64_t{kept} << 32 | number;
    if (fresh) {
      numbers_.put(kept_slot, entry, ROOT);
    } else {
      numbers_.replace(kept_slot, entry);
    }
  }

 private:
  static constexpr uint64_t ROOT = 0xFFFFFFFF00000000;
  static constexpr uint32_t NONE = ~uint32_t{0};

  uint32_t number(uint32_t root) const {
    const uint64_t entry = numbers_[numbers_.slot(uint64_t{root} << 32, ROOT)];
    return entry == FlatTable::EMPTY ? NONE : static_cast<uint32_t>(entry);
  }

  uint32_t number_or_new(uint32_t root) {
    const size_t at = numbers_.slot(uint64_t{root} << 32, ROOT);
    if (numbers_[at] != FlatTable::EMPTY) return static_cast<uint32_t>(numbers_[at]);
    const uint32_t fresh = pairs_.fresh();
    numbers_.put(at, uint64_t{root} << 32 | fresh, ROOT);
    return fresh;
  }

  FlatTable numbers_;  // root << 32 | number
  ExclusionPairs pairs_;
};

}  // namespace blockwright
