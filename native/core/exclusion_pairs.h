// Pairs of numbers that must never become one, kept up to date while numbers are joined.
//
// The pairs are in an open-addressing set, and every number lists its partners. When two numbers are joined the shorter list moves to
// the longer one, so that a pair moves at most log2(n) times. Memory: 30 to 40 bytes a pair where numbers have many partners (16 and
// more), about 60 where they have four, and 140 to 170 where each has one, most of it for the lists.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/flat_table.h"

namespace blockwright {

class ExclusionPairs {
 public:
  // A number without partners.
  uint32_t fresh() {
    const uint32_t number = static_cast<uint32_t>(partners_.size());
    partners_.emplace_back();
    joined_to_.push_back(number);
    return number;
  }

  bool contains(uint32_t x, uint32_t y) const {
    const uint64_t pair = pair_of(x, y);
    const FlatTable& part = pairs_[part_of(pair)];
    return part[part.slot(pair, WHOLE)] != FlatTable::EMPTY;
  }
  void prefetch(uint32_t x, uint32_t y) const {
    const uint64_t pair = pair_of(x, y);
    pairs_[part_of(pair)].prefetch(pair, WHOLE);
  }

  // Excludes two different numbers.
  void add(uint32_t x, uint32_t y) {
    if (!insert(x, y)) return;
    partners_[x].push_back(y);
    partners_[y].push_back(x);
  }

  // Joins two numbers that are not excluded; returns the one that stays.
  uint32_t join(uint32_t into, uint32_t from) {
    if (partners_[from].size() > partners_[into].size()) std::swap(from, into);
    const std::vector<uint32_t> moved = std::move(partners_[from]);
    partners_[from] = {};
    for (const uint32_t entry : moved) {
      const uint32_t partner = current(entry);
      const uint64_t pair = pair_of(from, partner);
      FlatTable& part = pairs_[part_of(pair)];
      const size_t old = part.slot(pair, WHOLE);
      if (part[old] != FlatTable::EMPTY) part.remove(old, WHOLE);  // else listed twice and moved already
      if (insert(into, partner)) partners_[into].push_back(partner);
    }
    joined_to_[from] = into;
    return into;
  }

 private:
  static constexpr uint64_t WHOLE = ~uint64_t{0};

  static uint64_t pair_of(uint32_t x, uint32_t y) { return x < y ? uint64_t{x} << 32 | y : uint64_t{y} << 32 | x; }
  static size_t part_of(uint64_t pair) { return (pair * 0x9E3779B97F4A7C15) >> 58; }

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
    FlatTable& part = pairs_[part_of(pair)];
    const size_t at = part.slot(pair, WHOLE);
    if (part[at] != FlatTable::EMPTY) return false;
    part.put(at, pair, WHOLE);
    return true;
  }

  std::array<FlatTable, 64> pairs_;  // smaller number << 32 | larger number; in parts, so that none takes long to grow
  std::vector<std::vector<uint32_t>> partners_;
  std::vector<uint32_t> joined_to_;
};

}  // namespace blockwright
