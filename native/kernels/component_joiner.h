// Joins the runs of a row with those of earlier rows, for connected components.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/equal_bits.h"
#include "core/large_array.h"
#include "kernels/component_rows.h"

// What a loop compiled for several instruction sets calls must be compiled with it.
#define BLOCKWRIGHT_INLINE __attribute__((always_inline)) inline

namespace blockwright {

// Words of a row that are worked on at once: after each the cancellation is looked at, and lists are no longer than one.
constexpr size_t PIECE = 1024;

// The runs of all rows of the box as bits, 64 voxels a word.
struct RunBits {
  explicit RunBits(const Rows& rows)
      : words((rows.length + 63) / 64),
        changes(large_array<uint64_t>(rows.count * words)),
        labelled(large_array<uint64_t>(rows.count * words)),
        before(large_array<uint32_t>(rows.count * words)) {}

  size_t words;                    // a row
  LargeArray<uint64_t> changes;    // a run, also of background, begins here; and right after the last voxel of a row
  LargeArray<uint64_t> labelled;   // not background
  LargeArray<uint32_t> before;     // runs of the strip, without background, that begin before the word
};

// One row of them.
struct RowBits {
  const uint64_t *changes, *labelled;
  const uint32_t* before;

  RowBits(const RunBits& bits, size_t row)
      : changes(&bits.changes[row * bits.words]),
        labelled(&bits.labelled[row * bits.words]),
        before(&bits.before[row * bits.words]) {}

  // The number of the run at a place within its strip; meaningless at background.
  BLOCKWRIGHT_INLINE uint32_t run_at(size_t place) const {
    const size_t word = place / 64;
    const uint64_t begins = changes[word] & labelled[word] & ((uint64_t{2} << (place % 64)) - 1);
    return before[word] + static_cast<uint32_t>(__builtin_popcountll(begins)) - 1;
  }
};

inline uint32_t find_root(uint32_t* parents, uint32_t run) {
  while (parents[run] != run) {
    parents[run] = parents[parents[run]];
    run = parents[run];
  }
  return run;
}

inline void unite(uint32_t* parents, uint32_t a, uint32_t b) {
  if (parents[a] == parents[b]) return;
  a = find_root(parents, a);
  b = find_root(parents, b);
  if (a < b) {
    parents[b] = a;
  } else {
    parents[a] = b;
  }
}

// An earlier row that a row is joined with.
template <class T>
struct EarlierRow {
  size_t neighbour;  // index
  const T* voxels;
  RowBits bits;
  uint32_t base;  // added to the numbers of its runs
};

// Joins rows with earlier ones. Works on bits, one a voxel of a row, 64 a word: word by word with all earlier rows, as most rows
// are of few words, and a loop over the words for each step of the work took longer than the joining. Long rows go piece by piece.
template <class T>
class Joiner {
 public:
  Joiner(const Rows& rows, const Cancellation& cancellation)
      : rows_(rows),
        cancellation_(cancellation),
        words_((rows.length + 63) / 64),
        piece_(std::min(words_, PIECE)),
        same_(rows.neighbours.size()),
        before_(rows.neighbours.size()),
        whole_(rows.neighbours.size() * piece_) {
    earlier_.reserve(rows.neighbours.size());
    if (!rows.full || rows.neighbours.empty()) return;
    for (std::vector<uint32_t>* const places : {&shared_, &inner_, &firsts_, &lasts_}) {
      places->resize(std::min(rows.length, piece_ * 64) + STEP);
    }
  }

  // The rows that the next one is joined with, in ascending order of their indices.
  std::vector<EarlierRow<T>>& earlier() { return earlier_; }

  // Joins the runs of a row with those of the earlier ones: runs that share places at the first place they share, runs
  // that meet at a corner there.
  BLOCKWRIGHT_INLINE void join(const T* voxels, const RowBits& own, uint32_t own_base, uint32_t* parents) {
    if (earlier_.empty()) return;
    const bool full = rows_.full && earlier_[0].neighbour == 0;
    uint64_t* const before = before_.data();
    for (size_t index = 0; index < (full ? 1 : before_.size()); ++index) before[index] = 0;
    for (size_t first = 0; first < words_; first += PIECE) {
      if (first != 0) cancellation_.check();
      const size_t last = std::min(first + PIECE, words_);
      if (full) {
        join_full(voxels, own, own_base, parents, first, last);
      } else {
        join_any(voxels, own, own_base, parents, first, last);
      }
    }
  }

 private:
  static constexpr size_t STEP = 4;

  // Where voxels touch that share a corner: what is joined with the first earlier row is joined with all that it could meet in
  // the others. Only the voxels that differ from it are looked up in those, all rows together. What to look at is listed for the
  // whole piece, as the end of each loop is what the processor guesses wrong.
  BLOCKWRIGHT_INLINE void join_full(const T* voxels, const RowBits& own, uint32_t own_base, uint32_t* parents, size_t first_word,
                                    size_t last_word) {
    const size_t words = words_, length = rows_.length;
    const EarlierRow<T>* const earlier = earlier_.data();
    const size_t count = earlier_.size();
    uint64_t* const whole = whole_.data();
    equal_(voxels + first_word * 64, earlier[0].voxels + first_word * 64, voxels_of(first_word, last_word), whole);
    uint32_t *shared = shared_.data(), *inner = inner_.data(), *firsts = firsts_.data(), *lasts = lasts_.data();
    uint64_t same_before = before_[0];
    for (size_t word = first_word; word < last_word; ++word) {
      const uint64_t labelled = own.labelled[word], begins = own.changes[word], same = whole[word - first_word] & labelled;
      const uint64_t ends = begins >> 1 | (word + 1 < words ? own.changes[word + 1] : 1) << 63;
      const uint64_t before = same << 1 | same_before, open = labelled & ~same;
      same_before = same >> 63;
      const auto base = static_cast<uint32_t>(word * 64);
      if (const uint64_t bits = same & (begins | ~before); bits != 0) shared = append(bits, base, shared);
      if (open == 0) continue;
      // one beside a voxel of its run that is the same: all that it meets is joined with that, but at the end of the run
      inner = append(open & ~(before & ~begins) & ~(same >> 1 & ~ends), base, inner);
      firsts = append(open & begins, base, firsts);
      lasts = append(open & ends, base, lasts);
    }
    before_[0] = same_before;
    for (const uint32_t* at = shared_.data(); at != shared; ++at) {
      unite(parents, own_base + own.run_at(*at), earlier[0].base + earlier[0].bits.run_at(*at));
    }
    const auto look = [&](size_t at, size_t there, size_t row) __attribute__((always_inline)) {
      for (; row < count; ++row) {
        if (earlier[row].voxels[there] != voxels[at]) continue;
        unite(parents, own_base + own.run_at(at), earlier[row].base + earlier[row].bits.run_at(there));
      }
    };
    for (const uint32_t* at = inner_.data(); at != inner; ++at) look(*at, *at, 1);
    for (const uint32_t* at = firsts_.data(); at != firsts; ++at) {
      if (*at > 0) look(*at, *at - size_t{1}, 0);
    }
    for (const uint32_t* at = lasts_.data(); at != lasts; ++at) {
      if (*at + size_t{1} < length) look(*at, *at + size_t{1}, 0);
    }
  }

  // Appends the places of the bits, some at a time instead of with a branch each. Returns the new end.
  BLOCKWRIGHT_INLINE static uint32_t* append(uint64_t bits, uint32_t base, uint32_t* end) {
    uint32_t* const next = end + __builtin_popcountll(bits);
    do {
      for (size_t i = 0; i < STEP; ++i) {
        *end++ = base + static_cast<uint32_t>(__builtin_ctzll(bits | uint64_t{1} << 63));
        bits &= bits - 1;
      }
    } while (bits != 0);
    return next;
  }

  // Voxels of the words of a row.
  size_t voxels_of(size_t first_word, size_t last_word) const {
    return std::min(rows_.length, last_word * 64) - first_word * 64;
  }

  BLOCKWRIGHT_INLINE void join_any(const T* voxels, const RowBits& own, uint32_t own_base, uint32_t* parents, size_t first_word,
                                   size_t last_word) {
    uint64_t *same = same_.data(), *before = before_.data(), *whole = whole_.data();
    const Neighbour* const neighbours = rows_.neighbours.data();
    const size_t words = words_, length = rows_.length, piece = piece_;
    std::fill(same, same + same_.size(), 0);
    for (const EarlierRow<T>& row : earlier_) {
      if (!neighbours[row.neighbour].covered_by.empty()) continue;
      equal_(voxels + first_word * 64, row.voxels + first_word * 64, voxels_of(first_word, last_word), whole + row.neighbour * piece);
    }
    for (size_t word = first_word; word < last_word; ++word) {
      const uint64_t labelled = own.labelled[word], begins = own.changes[word];
      if (labelled == 0) {
        for (const EarlierRow<T>& row : earlier_) same[row.neighbour] = before[row.neighbour] = 0;
        continue;
      }
      const uint64_t ends = begins >> 1 | (word + 1 < words ? own.changes[word + 1] : 1) << 63;
      for (const EarlierRow<T>& row : earlier_) {
        const Neighbour& neighbour = neighbours[row.neighbour];
        uint64_t open = labelled;
        for (const size_t cover : neighbour.covered_by) open &= ~same[cover];
        const uint64_t here =
            neighbour.covered_by.empty() ? whole[row.neighbour * piece + word - first_word] & labelled
                                         : same_of(voxels + word * 64, row.voxels + word * 64, open, length - word * 64) & labelled;
        const uint64_t earlier = here << 1 | before[row.neighbour];
        same[row.neighbour] = here;
        before[row.neighbour] = here >> 63;
        for (uint64_t bits = open & here & (begins | ~earlier); bits != 0; bits &= bits - 1) {
          const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
          unite(parents, own_base + own.run_at(at), row.base + row.bits.run_at(at));
        }
        if (!neighbour.corners) continue;
        for (uint64_t bits = open & ~here & begins; bits != 0; bits &= bits - 1) {
          const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
          if (at == 0 || row.voxels[at - 1] != voxels[at]) continue;
          unite(parents, own_base + own.run_at(at), row.base + row.bits.run_at(at - 1));
        }
        for (uint64_t bits = open & ~here & ends; bits != 0; bits &= bits - 1) {
          const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
          if (at + 1 == length || row.voxels[at + 1] != voxels[at]) continue;
          unite(parents, own_base + own.run_at(at), row.base + row.bits.run_at(at + 1));
        }
      }
    }
  }

  // Which of the voxels of a word, at least the open ones, are the same in both rows.
  BLOCKWRIGHT_INLINE uint64_t same_of(const T* voxels, const T* others, uint64_t open, size_t left) {
    // So few voxels of a word are looked at one by one.
    constexpr int FEW = sizeof(T) == 8 ? 4 : 0;
    uint64_t found = 0;
    if (__builtin_popcountll(open) > FEW) {
      equal_(voxels, others, std::min<size_t>(left, 64), &found);
      return found;
    }
    for (uint64_t bits = open; bits != 0; bits &= bits - 1) {
      const size_t at = static_cast<size_t>(__builtin_ctzll(bits));
      found |= voxels[at] == others[at] ? bits & -bits : 0;
    }
    return found;
  }

  const Rows& rows_;
  const Cancellation cancellation_;
  size_t words_, piece_;  // of a row; of a piece of one
  std::vector<EarlierRow<T>> earlier_;
  // Of each neighbour, bits of the word at hand: the voxel has a label, and the neighbour's at this place is the same; and that of
  // the voxel before the word. Bits of all words of a piece where it is covered by none.
  std::vector<uint64_t> same_, before_, whole_;
  std::vector<uint32_t> shared_, inner_, firsts_, lasts_;  // places of a piece, where voxels touch that share a corner
  void (*equal_)(const T* a, const T* b, size_t count, uint64_t* words) = label_bits<T>().equal;
};

}  // namespace blockwright
