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

// A part of the rows and the union-find of its runs, which are numbered within the part.
struct Strip {
  size_t first_row = 0, last_row = 0;
  uint32_t base = 0;  // runs of all strips before
  GrowingArray parents;
};

// Finds the runs of a strip and joins those that touch.
template <class T>
BLOCKWRIGHT_INLINE void scan_strip(const T* labels, const Rows& rows, RunBits& bits, Strip& strip,
                                   const Cancellation& cancellation) {
  Joiner<T> joiner(rows);
  const auto mark_runs = label_bits<T>().mark_runs;
  const size_t words = bits.words, checked = rows_between_checks(rows);
  size_t runs = 0;
  Shape position = rows.position(strip.first_row);
  for (size_t row = strip.first_row; row < strip.last_row; ++row, rows.advance(position)) {
    if (row % checked == 0) cancellation.check();
    const T* voxels = labels + rows.begin(position);
    uint64_t *changes = &bits.changes[row * words], *labelled = &bits.labelled[row * words];
    uint32_t* before = &bits.before[row * words];
    mark_runs(voxels, rows.length, changes, labelled);
    const size_t first = runs;
    for (size_t word = 0; word < words; ++word) {
      before[word] = static_cast<uint32_t>(runs);
      runs += static_cast<size_t>(__builtin_popcountll(changes[word] & labelled[word]));
    }
    if (first == runs) continue;
    if (runs >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
    uint32_t* const parents = strip.parents.grow(runs);
    for (size_t run = first; run < runs; ++run) parents[run] = static_cast<uint32_t>(run);
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
  Joiner<T> joiner(rows);
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

// Paints some rows of a strip. `numbers`: of their runs. Returns those of the runs that follow.
template <class Id>
BLOCKWRIGHT_INLINE const uint32_t* paint_rows(const Rows& rows, const RunBits& bits, size_t first_row, size_t last_row,
                                              size_t limit, const uint32_t* numbers, Id id_offset, Id* output) {
  for (size_t row = first_row; row < last_row; ++row) {
    const RowBits own(bits, row);
    const size_t origin = row * rows.length;
    size_t begin = origin;
    Id id = 0;
    for (size_t word = 0; word < bits.words; ++word) {
      const uint64_t labelled = own.labelled[word];
      for (uint64_t changes = own.changes[word]; changes != 0; changes &= changes - 1) {
        const size_t end = origin + word * 64 + static_cast<size_t>(__builtin_ctzll(changes));
        if (begin < end) fill(output, begin, end, limit, id);
        begin = end;
        id = (labelled & changes & -changes) != 0 ? static_cast<Id>(id_offset + *numbers++) : 0;
      }
    }
    const size_t end = origin + rows.length;
    if (begin < end) fill(output, begin, end, limit, id);
  }
  return numbers;
}

#define BLOCKWRIGHT_PAINT(Id)                                                                                    \
  BLOCKWRIGHT_TARGET_CLONES const uint32_t* paint(const Rows& rows, const RunBits& bits, size_t first_row,       \
                                                  size_t last_row, size_t limit, const uint32_t* numbers,        \
                                                  Id id_offset, Id* output) {                                    \
    return paint_rows(rows, bits, first_row, last_row, limit, numbers, id_offset, output);                       \
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
    for (size_t run = 0; run < own.size(); ++run) parents[run] = strip.base + own.data()[run];
    runs += own.size();
  }
  cancellation.check();
  uint32_t* const parents = all.data();
  join_strips(labels, rows, bits, strips, parents, cancellation);

  // A root comes before all other runs of its component, so one pass turns parents into numbers.
  uint32_t components = 0;
  for (uint32_t run = 0; run < runs; ++run) {
    parents[run] = parents[run] == run ? ++components : parents[parents[run]];
  }
  constexpr uint64_t LARGEST = std::numeric_limits<Id>::max();
  if (id_offset > LARGEST || components > LARGEST - id_offset) {
    throw Error(ERR_LIMIT, "idOffset: ids would exceed 2^" + std::to_string(8 * sizeof(Id)) + " - 1");
  }
  parallel_for(threads, parts, [&](size_t part) {
    const Strip& strip = strips[part];
    const size_t limit = strip.last_row * rows.length;  // beyond it another thread writes
    const uint32_t* numbers = parents + strip.base;
    const size_t checked = rows_between_checks(rows);
    for (size_t row = strip.first_row; row < strip.last_row; row += checked) {
      cancellation.check();
      const size_t last = std::min(row + checked, strip.last_row);
      numbers = paint(rows, bits, row, last, limit, numbers, static_cast<Id>(id_offset), output);
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
