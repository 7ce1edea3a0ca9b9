#include "kernels/connected_components.h"

#include <algorithm>
#include <vector>

#include "core/equal_bits.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/component_rows.h"

// What a loop compiled for several instruction sets calls must be compiled with it.
#define BLOCKWRIGHT_INLINE __attribute__((always_inline)) inline

namespace blockwright {

namespace {

struct Run {
  uint32_t begin, end;  // voxels of the row
};

// A part of the rows and what is known about it. Runs are numbered within the part.
struct Strip {
  size_t first_row = 0, last_row = 0;
  std::vector<Run> runs;           // without background
  std::vector<uint32_t> row_runs;  // [rows + 1]: first run of each row
  std::vector<uint32_t> parents;
  uint32_t base = 0;               // runs of all strips before
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

BLOCKWRIGHT_INLINE uint32_t* append_places(uint64_t bits, size_t base, uint32_t* end) {
  for (; bits != 0; bits &= bits - 1) *end++ = static_cast<uint32_t>(base) + static_cast<uint32_t>(__builtin_ctzll(bits));
  return end;
}

// 64 voxels of a row whose runs are known.
struct RunWord {
  uint64_t begins;  // bits: a run begins here
  uint32_t before;  // runs that began before these voxels
};

// The number of the run at a place of a row; meaningless at background.
BLOCKWRIGHT_INLINE uint32_t run_at(const RunWord* row, size_t place) {
  const RunWord& word = row[place / 64];
  return word.before + static_cast<uint32_t>(__builtin_popcountll(word.begins & ((uint64_t{2} << (place % 64)) - 1))) - 1;
}

// Finds the runs of a strip and joins those that touch. Works on bits, one a voxel of a row, 64 a word.
template <class T>
class Scanner {
 public:
  Scanner(const T* labels, const Rows& rows, Strip& strip)
      : labels_(labels), rows_(rows), strip_(strip), words_(rows.length / 64 + 1) {
    ring_ = std::min(rows.farthest() + 1, strip.last_row - strip.first_row);
    run_words_.resize(ring_ * words_);
    background_.resize(rows.length);
    for (auto* bits : {&changes_, &labelled_, &begins_, &lasts_, &open_}) bits->resize(words_);
    same_.resize(rows.neighbours.size() * words_);
    begin_places_.resize(rows.length);
    end_places_.resize(rows.length);
    strip.row_runs.reserve(strip.last_row - strip.first_row + 1);
  }

  BLOCKWRIGHT_INLINE void scan(const Cancellation& cancellation) {
    Shape position = rows_.position(strip_.first_row);
    for (size_t row = strip_.first_row; row < strip_.last_row; ++row, rows_.advance(position)) {
      if (row % 1024 == 0) cancellation.check();
      const size_t first = strip_.runs.size();
      strip_.row_runs.push_back(static_cast<uint32_t>(first));
      const T* voxels = labels_ + rows_.begin(position);
      find_runs(row, voxels);
      if (first == strip_.runs.size()) continue;
      if (strip_.runs.size() >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
      const Borders borders = rows_.borders(position);
      for (size_t index = 0; index < rows_.neighbours.size(); ++index) {
        const Neighbour& neighbour = rows_.neighbours[index];
        if (row >= strip_.first_row + neighbour.back && borders.has(neighbour)) {
          join(row, voxels, index);
        } else {
          std::fill(same(index), same(index) + words_, 0);
        }
      }
    }
    strip_.row_runs.push_back(static_cast<uint32_t>(strip_.runs.size()));
  }

 private:
  // The runs of a row, for the last rows only.
  RunWord* run_words(size_t row) { return &run_words_[row % ring_ * words_]; }
  // Bits: the voxel has a label, and the neighbour's at this place is the same.
  uint64_t* same(size_t index) { return &same_[index * words_]; }

  BLOCKWRIGHT_INLINE void find_runs(size_t row, const T* voxels) {
    const size_t length = rows_.length;
    // The last word may hold nothing but the place after the last voxel.
    changes_[words_ - 1] = labelled_[words_ - 1] = 0;
    equal_bits(voxels + 1, voxels, length - 1, changes_.data());
    equal_bits(voxels, background_.data(), length, labelled_.data());
    const uint64_t last = (uint64_t{1} << (length % 64)) - 1;
    RunWord* const run_words = this->run_words(row);
    const size_t first = strip_.runs.size();
    uint32_t number = static_cast<uint32_t>(first);
    uint32_t *begin = begin_places_.data(), *end = end_places_.data();
    uint64_t equal_before = 0, labelled_before = 0;  // of the last voxel of the word before, as bit 0
    for (size_t word = 0; word < words_; ++word) {
      const uint64_t equal = changes_[word];
      const uint64_t labelled = ~labelled_[word] & (word + 1 < words_ ? ~uint64_t{0} : last);
      const uint64_t changes = ~(equal << 1 | equal_before);
      const uint64_t begins = changes & labelled;
      const uint64_t ends = changes & (labelled << 1 | labelled_before);
      equal_before = equal >> 63;
      labelled_before = labelled >> 63;
      labelled_[word] = labelled;
      begins_[word] = begins;
      lasts_[word] = ends >> 1;
      if (word > 0) lasts_[word - 1] |= ends << 63;
      run_words[word] = {begins, number};
      number += static_cast<uint32_t>(__builtin_popcountll(begins));
      begin = append_places(begins, word * 64, begin);
      end = append_places(ends, word * 64, end);
    }
    const size_t found = static_cast<size_t>(begin - begin_places_.data());
    strip_.runs.resize(first + found);
    strip_.parents.resize(first + found);
    for (size_t i = 0; i < found; ++i) {
      strip_.runs[first + i] = {begin_places_[i], end_places_[i]};
      strip_.parents[first + i] = static_cast<uint32_t>(first + i);
    }
  }

  // Joins the runs of a row with those of one neighbour: runs that share places at the first place they share, runs
  // that meet at a corner there.
  BLOCKWRIGHT_INLINE void join(size_t row, const T* voxels, size_t index) {
    const Neighbour& neighbour = rows_.neighbours[index];
    const T* others = voxels + neighbour.distance;
    const RunWord* own = run_words(row);
    const RunWord* other = run_words(row - neighbour.back);
    uint32_t* parents = strip_.parents.data();
    uint64_t* same = this->same(index);
    for (size_t word = 0; word < words_; ++word) {
      open_[word] = labelled_[word];
      for (const size_t cover : neighbour.covered_by) open_[word] &= ~this->same(cover)[word];
    }
    for (size_t word = 0; word < words_;) {  // only where something is open; elsewhere `same` may stay 0
      size_t end = word;
      while (end < words_ && open_[end] != 0) ++end;
      if (end == word) {
        same[word++] = 0;
        continue;
      }
      const size_t at = word * 64;
      equal_bits(voxels + at, others + at, std::min(rows_.length, end * 64) - at, same + word);
      for (; word < end; ++word) same[word] &= labelled_[word];
    }
    for (size_t word = 0; word < words_; ++word) {
      const uint64_t open = open_[word];
      if (open == 0) continue;
      const uint64_t before = same[word] << 1 | (word == 0 ? 0 : same[word - 1] >> 63);
      for (uint64_t bits = open & same[word] & (begins_[word] | ~before); bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        unite(parents, run_at(own, at), run_at(other, at));
      }
      if (!neighbour.corners) continue;
      for (uint64_t bits = open & ~same[word] & begins_[word]; bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (at > 0 && others[at - 1] == voxels[at]) unite(parents, run_at(own, at), run_at(other, at - 1));
      }
      for (uint64_t bits = open & ~same[word] & lasts_[word]; bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (at + 1 < rows_.length && others[at + 1] == voxels[at]) unite(parents, run_at(own, at), run_at(other, at + 1));
      }
    }
  }

  const T* labels_;
  const Rows& rows_;
  Strip& strip_;
  size_t words_;     // a row, with one bit more
  size_t ring_ = 1;  // rows whose runs are kept as words
  std::vector<RunWord> run_words_;
  std::vector<T> background_;
  std::vector<uint64_t> changes_, labelled_, begins_, lasts_, open_, same_;
  std::vector<uint32_t> begin_places_, end_places_;
};

BLOCKWRIGHT_TARGET_CLONES void scan(Scanner<uint8_t>& scanner, const Cancellation& cancellation) { scanner.scan(cancellation); }
BLOCKWRIGHT_TARGET_CLONES void scan(Scanner<uint16_t>& scanner, const Cancellation& cancellation) { scanner.scan(cancellation); }
BLOCKWRIGHT_TARGET_CLONES void scan(Scanner<uint32_t>& scanner, const Cancellation& cancellation) { scanner.scan(cancellation); }
BLOCKWRIGHT_TARGET_CLONES void scan(Scanner<uint64_t>& scanner, const Cancellation& cancellation) { scanner.scan(cancellation); }

// Joins rows with those of earlier strips. `parents` holds all runs.
template <class T>
void join_strips(const T* labels, const Rows& rows, const std::vector<Strip>& strips, uint32_t* parents) {
  for (size_t index = 1; index < strips.size(); ++index) {
    const Strip& strip = strips[index];
    Shape position = rows.position(strip.first_row);
    const size_t last = std::min(strip.last_row, strip.first_row + rows.farthest());
    for (size_t row = strip.first_row; row < last; ++row, rows.advance(position)) {
      const T* voxels = labels + rows.begin(position);
      const Borders borders = rows.borders(position);
      for (const Neighbour& neighbour : rows.neighbours) {
        if (row >= strip.first_row + neighbour.back || !borders.has(neighbour)) continue;
        const T* others = voxels + neighbour.distance;
        const uint32_t margin = neighbour.corners ? 1 : 0;
        size_t owner = index;
        while (strips[owner].first_row > row - neighbour.back) --owner;
        const Strip& above = strips[owner];
        uint32_t b = above.row_runs[row - neighbour.back - above.first_row];
        const uint32_t b_end = above.row_runs[row - neighbour.back - above.first_row + 1];
        for (uint32_t a = strip.row_runs[row - strip.first_row]; a < strip.row_runs[row - strip.first_row + 1]; ++a) {
          const Run run = strip.runs[a];
          while (b < b_end && above.runs[b].end + margin <= run.begin) ++b;
          for (uint32_t other = b; other < b_end && above.runs[other].begin < run.end + margin; ++other) {
            if (others[above.runs[other].begin] != voxels[run.begin]) continue;
            unite(parents, strip.base + a, above.base + other);
          }
        }
      }
    }
  }
}

// Writes [begin, end) in whole steps where no more than `limit` is touched: what comes after is written later.
BLOCKWRIGHT_INLINE void fill(uint64_t* output, size_t begin, size_t end, size_t limit, uint64_t id) {
  constexpr size_t STEP = 16;
  if (end + STEP > limit) {
    for (; begin < end; ++begin) output[begin] = id;
    return;
  }
  do {
    for (size_t i = 0; i < STEP; ++i) output[begin + i] = id;
    begin += STEP;
  } while (begin < end);
}

BLOCKWRIGHT_TARGET_CLONES void paint(const Rows& rows, const Strip& strip, const std::vector<uint32_t>& numbers,
                                     uint64_t id_offset, uint64_t* output, const Cancellation& cancellation) {
  const size_t limit = strip.last_row * rows.length;  // beyond it another thread writes
  for (size_t row = strip.first_row; row < strip.last_row; ++row) {
    if (row % 1024 == 0) cancellation.check();
    const size_t origin = row * rows.length;
    size_t at = origin;
    for (uint32_t run = strip.row_runs[row - strip.first_row]; run < strip.row_runs[row - strip.first_row + 1]; ++run) {
      const size_t begin = origin + strip.runs[run].begin, end = origin + strip.runs[run].end;
      if (at < begin) fill(output, at, begin, limit, 0);
      fill(output, begin, end, limit, id_offset + numbers[strip.base + run]);
      at = end;
    }
    if (at < origin + rows.length) fill(output, at, origin + rows.length, limit, 0);
  }
}

}  // namespace

template <class T>
uint64_t connected_components(const T* labels, const Shape& shape, const Box& box, int reach, uint64_t id_offset,
                              size_t threads, uint64_t* output, const Cancellation& cancellation) {
  check_box("crop", box, shape);
  if (box.shape.count() == 0) return 0;
  if (box.shape[shape.dimensions - 1] >= static_cast<int64_t>(UINT32_MAX)) {
    throw Error(ERR_LIMIT, "shape: rows of 2^32 - 1 voxels or more");
  }
  const Rows rows(shape, box, reach);
  const size_t parts = std::min(std::max<size_t>(threads, 1), rows.count);
  std::vector<Strip> strips(parts);
  for (size_t part = 0; part < parts; ++part) {
    strips[part].first_row = part == 0 ? 0 : strips[part - 1].last_row;
    strips[part].last_row = rows.count / parts * (part + 1) + std::min(rows.count % parts, part + 1);
  }
  parallel_for(threads, parts, [&](size_t part) {
    Scanner<T> scanner(labels, rows, strips[part]);
    scan(scanner, cancellation);
  });

  std::vector<uint32_t> parents = std::move(strips[0].parents);
  for (size_t part = 1; part < parts; ++part) {
    Strip& strip = strips[part];
    if (parents.size() + strip.parents.size() >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
    strip.base = static_cast<uint32_t>(parents.size());
    for (const uint32_t parent : strip.parents) parents.push_back(strip.base + parent);
    std::vector<uint32_t>().swap(strip.parents);
  }
  cancellation.check();
  join_strips(labels, rows, strips, parents.data());

  // A root comes before all other runs of its component, so one pass turns parents into numbers.
  uint32_t components = 0;
  for (uint32_t run = 0; run < parents.size(); ++run) {
    parents[run] = parents[run] == run ? ++components : parents[parents[run]];
  }
  if (components > UINT64_MAX - id_offset) throw Error(ERR_LIMIT, "idOffset: ids would exceed 2^64 - 1");
  parallel_for(threads, parts, [&](size_t part) { paint(rows, strips[part], parents, id_offset, output, cancellation); });
  return components;
}

#define BLOCKWRIGHT_INSTANCE(T)                                                                                      \
  template uint64_t connected_components(const T* labels, const Shape& shape, const Box& box, int reach,             \
                                         uint64_t id_offset, size_t threads, uint64_t* output, const Cancellation&);
BLOCKWRIGHT_INSTANCE(uint8_t)
BLOCKWRIGHT_INSTANCE(uint16_t)
BLOCKWRIGHT_INSTANCE(uint32_t)
BLOCKWRIGHT_INSTANCE(uint64_t)
#undef BLOCKWRIGHT_INSTANCE

}  // namespace blockwright
