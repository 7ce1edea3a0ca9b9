#include "kernels/connected_components.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <string>
#include <vector>

#include "core/equal_bits.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/growing_array.h"
#include "core/large_array.h"
#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/component_joiner.h"
#include "kernels/component_rows.h"

namespace blockwright {

namespace {

// Rows between checks for cancellation.
size_t rows_between_checks(const Rows& rows) { return std::max<size_t>(1, (size_t{1} << 20) / rows.length); }

constexpr size_t RUNS_BETWEEN_CHECKS = size_t{1} << 20;

// A part of the rows and the union-find of its runs, which are numbered within the part.
struct Strip {
  size_t first_row = 0, last_row = 0;
  uint32_t base = 0;  // runs of all strips before
  GrowingArray parents;
};

// Marks the runs of a row from `first_word` on, and numbers them from `runs` on. Returns the number of those that follow.
template <class T>
BLOCKWRIGHT_INLINE size_t mark_piece(const LabelBits<T>& functions, const T* voxels, size_t length, size_t first_word,
                                     size_t last_word, uint64_t* changes, uint64_t* labelled, uint32_t* before, size_t runs) {
  const size_t begin = first_word * 64;
  functions.mark_runs(voxels + begin, std::min(length, last_word * 64) - begin, changes + first_word, labelled + first_word);
  if (begin != 0 && voxels[begin] == voxels[begin - 1]) changes[first_word] &= ~uint64_t{1};
  for (size_t word = first_word; word < last_word; ++word) {
    before[word] = static_cast<uint32_t>(runs);
    runs += static_cast<size_t>(__builtin_popcountll(changes[word] & labelled[word]));
  }
  return runs;
}

// Finds the runs of a strip and joins those that touch.
template <class T>
BLOCKWRIGHT_INLINE void scan_strip(const T* labels, const Rows& rows, RunBits& bits, Strip& strip,
                                   const Cancellation& cancellation) {
  Joiner<T> joiner(rows, cancellation);
  const LabelBits<T> functions = label_bits<T>();
  const size_t words = bits.words, checked = rows_between_checks(rows);
  size_t runs = 0;
  Shape position = rows.position(strip.first_row);
  for (size_t row = strip.first_row; row < strip.last_row; ++row, rows.advance(position)) {
    if (row % checked == 0) cancellation.check();
    const T* voxels = labels + rows.begin(position);
    uint64_t *changes = &bits.changes[row * words], *labelled = &bits.labelled[row * words];
    uint32_t* before = &bits.before[row * words];
    const size_t first = runs;
    uint32_t* parents = nullptr;
    for (size_t piece = 0; piece < words; piece += PIECE) {
      if (piece != 0) cancellation.check();
      const size_t known = runs;
      runs = mark_piece(functions, voxels, rows.length, piece, std::min(piece + PIECE, words), changes, labelled, before, runs);
      if (known == runs) continue;
      if (runs >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
      parents = strip.parents.grow(runs);
      for (size_t run = known; run < runs; ++run) parents[run] = static_cast<uint32_t>(run);
    }
    if (first == runs) continue;
    const Borders borders = rows.borders(position);
    joiner.earlier().clear();
    for (size_t index = 0; index < rows.neighbours.size(); ++index) {
      const Neighbour& neighbour = rows.neighbours[index];
      if (row < strip.first_row + neighbour.back || !borders.has(neighbour)) continue;
      joiner.earlier().push_back({index, voxels + neighbour.distance, RowBits(bits, row - neighbour.back), 0});
    }
    joiner.join(voxels, RowBits(bits, row), 0, parents);
  }
}

#define BLOCKWRIGHT_SCAN(T)                                                                                     \
  BLOCKWRIGHT_TARGET_CLONES std::exception_ptr scan(const T* labels, const Rows& rows, RunBits& bits,           \
                                                    Strip& strip, const Cancellation& cancellation) {           \
    try {                                                                                                       \
      scan_strip(labels, rows, bits, strip, cancellation);                                                      \
    } catch (...) {                                                                                             \
      return std::current_exception();                                                                          \
    }                                                                                                           \
    return nullptr;                                                                                             \
  }
BLOCKWRIGHT_SCAN(uint8_t)
BLOCKWRIGHT_SCAN(uint16_t)
BLOCKWRIGHT_SCAN(uint32_t)
BLOCKWRIGHT_SCAN(uint64_t)
#undef BLOCKWRIGHT_SCAN

// Joins rows with those of earlier strips. `parents` holds all runs.
template <class T>
void join_strips(const T* labels, const Rows& rows, const RunBits& bits, const std::vector<Strip>& strips,
                 uint32_t* parents, const Cancellation& cancellation) {
  if (strips.size() < 2) return;
  Joiner<T> joiner(rows, cancellation);
  const size_t checked = rows_between_checks(rows);
  for (size_t index = 1; index < strips.size(); ++index) {
    const Strip& strip = strips[index];
    Shape position = rows.position(strip.first_row);
    const size_t last = std::min(strip.last_row, strip.first_row + rows.farthest());
    for (size_t row = strip.first_row; row < last; ++row, rows.advance(position)) {
      if (row % checked == 0) cancellation.check();
      const Borders borders = rows.borders(position);
      const T* voxels = labels + rows.begin(position);
      joiner.earlier().clear();
      for (size_t neighbour = 0; neighbour < rows.neighbours.size(); ++neighbour) {
        const size_t back = rows.neighbours[neighbour].back;
        if (row >= strip.first_row + back || !borders.has(rows.neighbours[neighbour])) continue;
        size_t owner = index;
        while (strips[owner].first_row > row - back) --owner;
        joiner.earlier().push_back({neighbour, voxels + rows.neighbours[neighbour].distance, RowBits(bits, row - back), strips[owner].base});
      }
      joiner.join(voxels, RowBits(bits, row), strip.base, parents);
    }
  }
}

// Writes [begin, end) in whole steps where no more than `limit` is touched: what comes after is written later.
template <class Id>
BLOCKWRIGHT_INLINE void fill(Id* output, size_t begin, size_t end, size_t limit, Id id) {
  constexpr size_t STEP = 128 / sizeof(Id);
  if (end + STEP > limit) {
    for (; begin < end; ++begin) output[begin] = id;
    return;
  }
  do {
    for (size_t i = 0; i < STEP; ++i) output[begin + i] = id;
    begin += STEP;
  } while (begin < end);
}

// Rows and words of them.
struct Part {
  size_t first_row, last_row, first_word, last_word;
};

// What is painted next: the numbers of the runs that begin later, and the id of the one at hand.
template <class Id>
struct Brush {
  const uint32_t* numbers;
  Id id;
};

// Paints a part of a strip. Returns the brush for what follows.
template <class Id>
BLOCKWRIGHT_INLINE Brush<Id> paint_part(const Rows& rows, const RunBits& bits, const Part& part, size_t limit, Brush<Id> brush,
                                        Id id_offset, Id* output) {
  const uint32_t* numbers = brush.numbers;
  Id id = brush.id;
  for (size_t row = part.first_row; row < part.last_row; ++row) {
    const RowBits own(bits, row);
    const size_t origin = row * rows.length;
    size_t begin = origin + part.first_word * 64;
    for (size_t word = part.first_word; word < part.last_word; ++word) {
      const uint64_t labelled = own.labelled[word];
      for (uint64_t changes = own.changes[word]; changes != 0; changes &= changes - 1) {
        const size_t end = origin + word * 64 + static_cast<size_t>(__builtin_ctzll(changes));
        if (begin < end) fill(output, begin, end, limit, id);
        begin = end;
        id = (labelled & changes & -changes) != 0 ? static_cast<Id>(id_offset + *numbers++) : 0;
      }
    }
    const size_t end = origin + std::min(rows.length, part.last_word * 64);
    if (begin < end) fill(output, begin, end, limit, id);
  }
  return {numbers, id};
}

#define BLOCKWRIGHT_PAINT(Id)                                                                                    \
  BLOCKWRIGHT_TARGET_CLONES Brush<Id> paint(const Rows& rows, const RunBits& bits, const Part& part,             \
                                            size_t limit, Brush<Id> brush, Id id_offset, Id* output) {           \
    return paint_part(rows, bits, part, limit, brush, id_offset, output);                                        \
  }
BLOCKWRIGHT_PAINT(uint32_t)
BLOCKWRIGHT_PAINT(uint64_t)
#undef BLOCKWRIGHT_PAINT

}  // namespace

template <class T, class Id>
uint64_t connected_components(const T* labels, const Shape& shape, const Box& box, int reach, uint64_t id_offset,
                              size_t threads, Id* output, const Cancellation& cancellation) {
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
  RunBits bits(rows);
  parallel_for(threads, parts, [&](size_t part) { rethrow(scan(labels, rows, bits, strips[part], cancellation)); });

  GrowingArray all = std::move(strips[0].parents);
  size_t runs = all.size();
  for (size_t part = 1; part < parts; ++part) {
    Strip& strip = strips[part];
    const GrowingArray own = std::move(strip.parents);
    if (runs + own.size() >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
    strip.base = static_cast<uint32_t>(runs);
    uint32_t* const parents = all.grow(runs + own.size()) + runs;
    for (size_t begin = 0; begin < own.size(); begin += RUNS_BETWEEN_CHECKS) {
      cancellation.check();
      const size_t end = std::min(own.size(), begin + RUNS_BETWEEN_CHECKS);
      for (size_t run = begin; run < end; ++run) parents[run] = strip.base + own.data()[run];
    }
    runs += own.size();
  }
  uint32_t* const parents = all.data();
  join_strips(labels, rows, bits, strips, parents, cancellation);

  // A root comes before all other runs of its component, so one pass turns parents into numbers.
  uint32_t components = 0;
  for (size_t begin = 0; begin < runs; begin += RUNS_BETWEEN_CHECKS) {
    cancellation.check();
    const auto end = static_cast<uint32_t>(std::min(runs, begin + RUNS_BETWEEN_CHECKS));
    for (auto run = static_cast<uint32_t>(begin); run < end; ++run) {
      parents[run] = parents[run] == run ? ++components : parents[parents[run]];
    }
  }
  constexpr uint64_t LARGEST = std::numeric_limits<Id>::max();
  if (id_offset > LARGEST || components > LARGEST - id_offset) {
    throw Error(ERR_LIMIT, "idOffset: ids would exceed 2^" + std::to_string(8 * sizeof(Id)) + " - 1");
  }
  parallel_for(threads, parts, [&](size_t part) {
    const Strip& strip = strips[part];
    const size_t limit = strip.last_row * rows.length;  // beyond it another thread writes
    Brush<Id> brush{parents + strip.base, 0};
    const size_t checked = rows_between_checks(rows);
    const size_t words = checked > 1 ? bits.words : PIECE;
    for (size_t row = strip.first_row; row < strip.last_row; row += checked) {
      const size_t last_row = std::min(row + checked, strip.last_row);
      for (size_t word = 0; word < bits.words; word += words) {
        cancellation.check();
        const Part piece{row, last_row, word, std::min(word + words, bits.words)};
        brush = paint(rows, bits, piece, limit, brush, static_cast<Id>(id_offset), output);
      }
    }
  });
  return components;
}

#define BLOCKWRIGHT_INSTANCE(T, Id)                                                                               \
  template uint64_t connected_components(const T* labels, const Shape& shape, const Box& box, int reach,             \
                                         uint64_t id_offset, size_t threads, Id* output, const Cancellation&);
#define BLOCKWRIGHT_INSTANCES(T)  \
  BLOCKWRIGHT_INSTANCE(T, uint32_t) \
  BLOCKWRIGHT_INSTANCE(T, uint64_t)
BLOCKWRIGHT_INSTANCES(uint8_t)
BLOCKWRIGHT_INSTANCES(uint16_t)
BLOCKWRIGHT_INSTANCES(uint32_t)
BLOCKWRIGHT_INSTANCES(uint64_t)
#undef BLOCKWRIGHT_INSTANCES
#undef BLOCKWRIGHT_INSTANCE

}  // namespace blockwright
