#include "kernels/connected_components.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/label_table.h"
#include "core/parallel.h"

namespace blockwright {

namespace {

struct Run {
  uint64_t label;
  uint32_t begin, end;  // voxels of the row
};

// The rows of the box, in raster order: where each starts, and which earlier rows touch it.
class Rows {
 public:
  struct Neighbour {
    size_t back;        // rows before
    uint32_t margin;    // 1 when runs that only meet at a corner touch
    Shape step;
  };

  Rows(const Shape& shape, const Box& box, int reach) : box_(box.shape), strides_(shape.strides()) {
    axes_ = shape.dimensions - 1;
    for (int axis = 0; axis <= axes_; ++axis) corner_ += static_cast<size_t>(box.begin[axis] * strides_[axis]);
    Shape outer;
    outer.dimensions = axes_;
    for (int axis = 0; axis < axes_; ++axis) outer[axis] = box_[axis];
    const Shape row_strides = outer.strides();
    // All steps of -1, 0, 1 over the outer axes that go back in raster order and change no more than `reach` of them.
    size_t steps = 1;
    for (int axis = 0; axis < axes_; ++axis) steps *= 3;
    for (size_t code = 0; code < steps; ++code) {
      Neighbour neighbour{};
      int changes = 0;
      int64_t back = 0;
      int64_t first = 0;
      size_t rest = code;
      for (int axis = axes_ - 1; axis >= 0; --axis, rest /= 3) {
        const int64_t step = static_cast<int64_t>(rest % 3) - 1;
        neighbour.step[axis] = step;
        changes += step != 0;
        back -= step * row_strides[axis];
        if (step != 0) first = step;  // ends as the step of the slowest axis that changes
      }
      if (first >= 0 || changes > reach) continue;
      neighbour.back = static_cast<size_t>(back);
      neighbour.margin = changes < reach ? 1 : 0;
      neighbours_.push_back(neighbour);
    }
    count_ = outer.count();
    length_ = static_cast<size_t>(box_[axes_]);
  }

  size_t count() const { return count_; }
  size_t length() const { return length_; }
  const std::vector<Neighbour>& neighbours() const { return neighbours_; }

  Shape position(size_t row) const {
    Shape result;
    for (int axis = axes_ - 1; axis >= 0; --axis) {
      result[axis] = static_cast<int64_t>(row % static_cast<size_t>(box_[axis]));
      row /= static_cast<size_t>(box_[axis]);
    }
    return result;
  }
  void advance(Shape& position) const {
    for (int axis = axes_ - 1; axis >= 0; --axis) {
      if (++position[axis] < box_[axis]) return;
      position[axis] = 0;
    }
  }
  size_t begin(const Shape& position) const {
    size_t result = corner_;
    for (int axis = 0; axis < axes_; ++axis) result += static_cast<size_t>(position[axis] * strides_[axis]);
    return result;
  }
  bool has(const Shape& position, const Neighbour& neighbour) const {
    for (int axis = 0; axis < axes_; ++axis) {
      const int64_t at = position[axis] + neighbour.step[axis];
      if (at < 0 || at >= box_[axis]) return false;
    }
    return true;
  }

 private:
  Shape box_;
  Shape strides_;
  int axes_ = 0;
  size_t corner_ = 0;
  size_t count_ = 0;
  size_t length_ = 0;
  std::vector<Neighbour> neighbours_;
};

// A part of the rows and what is known about it. Runs are numbered within the part.
struct Strip {
  size_t first_row = 0, last_row = 0;
  std::vector<Run> runs;
  std::vector<uint32_t> row_runs;  // [rows + 1]: first run of each row
  std::vector<uint32_t> parents;
  uint32_t base = 0;               // runs of all parts before
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

// Joins the runs of one row with those of an earlier one that they touch.
inline void join_rows(const Run* runs, uint32_t a, uint32_t a_end, const Run* others, uint32_t b, uint32_t b_end,
                      uint32_t margin, uint32_t* parents, uint32_t a_base, uint32_t b_base) {
  for (; a < a_end; ++a) {
    const Run& run = runs[a];
    while (b < b_end && others[b].end + margin <= run.begin) ++b;
    for (uint32_t other = b; other < b_end && others[other].begin < run.end + margin; ++other) {
      if (others[other].label == run.label) unite(parents, a_base + a, b_base + other);
    }
  }
}

void find_runs(const uint64_t* row, size_t length, std::vector<Run>& runs) {
  for (size_t x = 0; x < length;) {
    const uint64_t label = row[x];
    const size_t end = run_end(row, x, length);
    if (label != 0) runs.push_back({label, static_cast<uint32_t>(x), static_cast<uint32_t>(end)});
    x = end;
  }
}

void scan(const uint64_t* labels, const Rows& rows, Strip& strip, const Cancellation& cancellation) {
  strip.row_runs.reserve(strip.last_row - strip.first_row + 1);
  Shape position = rows.position(strip.first_row);
  for (size_t row = strip.first_row; row < strip.last_row; ++row, rows.advance(position)) {
    if (row % 1024 == 0) cancellation.check();
    const size_t begin = strip.runs.size();
    strip.row_runs.push_back(static_cast<uint32_t>(begin));
    find_runs(labels + rows.begin(position), rows.length(), strip.runs);
    if (strip.runs.size() >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
    const uint32_t end = static_cast<uint32_t>(strip.runs.size());
    for (uint32_t run = static_cast<uint32_t>(begin); run < end; ++run) strip.parents.push_back(run);
    for (const Rows::Neighbour& neighbour : rows.neighbours()) {
      if (row < strip.first_row + neighbour.back || !rows.has(position, neighbour)) continue;
      const size_t other = row - strip.first_row - neighbour.back;
      join_rows(strip.runs.data(), static_cast<uint32_t>(begin), end, strip.runs.data(), strip.row_runs[other],
                strip.row_runs[other + 1], neighbour.margin, strip.parents.data(), 0, 0);
    }
  }
  strip.row_runs.push_back(static_cast<uint32_t>(strip.runs.size()));
}

// Joins rows with those of earlier strips. `parents` holds all runs.
void join_strips(const Rows& rows, const std::vector<Strip>& strips, std::vector<uint32_t>& parents) {
  size_t farthest = 0;
  for (const Rows::Neighbour& neighbour : rows.neighbours()) farthest = std::max(farthest, neighbour.back);
  for (size_t index = 1; index < strips.size(); ++index) {
    const Strip& strip = strips[index];
    const size_t last = std::min(strip.last_row, strip.first_row + farthest);
    Shape position = rows.position(strip.first_row);
    for (size_t row = strip.first_row; row < last; ++row, rows.advance(position)) {
      for (const Rows::Neighbour& neighbour : rows.neighbours()) {
        if (row >= strip.first_row + neighbour.back || !rows.has(position, neighbour)) continue;
        const size_t other_row = row - neighbour.back;
        size_t owner = index;
        while (strips[owner].first_row > other_row) --owner;
        const Strip& other = strips[owner];
        const uint32_t* own = &strip.row_runs[row - strip.first_row];
        const uint32_t* theirs = &other.row_runs[other_row - other.first_row];
        join_rows(strip.runs.data(), own[0], own[1], other.runs.data(), theirs[0], theirs[1], neighbour.margin,
                  parents.data(), strip.base, other.base);
      }
    }
  }
}

void paint(const Rows& rows, const Strip& strip, const std::vector<uint32_t>& numbers, uint64_t id_offset,
           uint64_t* output, const Cancellation& cancellation) {
  for (size_t row = strip.first_row; row < strip.last_row; ++row) {
    if (row % 1024 == 0) cancellation.check();
    uint64_t* target = output + row * rows.length();
    size_t at = 0;
    for (uint32_t run = strip.row_runs[row - strip.first_row]; run < strip.row_runs[row - strip.first_row + 1]; ++run) {
      const Run& painted = strip.runs[run];
      const uint64_t id = id_offset + numbers[strip.base + run];
      while (at < painted.begin) target[at++] = 0;
      while (at < painted.end) target[at++] = id;
    }
    while (at < rows.length()) target[at++] = 0;
  }
}

}  // namespace

uint64_t connected_components(const uint64_t* labels, const Shape& shape, const Box& box, int reach, uint64_t id_offset,
                              size_t threads, uint64_t* output, const Cancellation& cancellation) {
  check_box("crop", box, shape);
  if (box.shape.count() == 0) return 0;
  if (box.shape[shape.dimensions - 1] >= static_cast<int64_t>(UINT32_MAX)) {
    throw Error(ERR_LIMIT, "shape: rows of 2^32 - 1 voxels or more");
  }
  const Rows rows(shape, box, reach);
  const size_t parts = std::min(std::max<size_t>(threads, 1), rows.count());
  std::vector<Strip> strips(parts);
  for (size_t part = 0; part < parts; ++part) {
    strips[part].first_row = part == 0 ? 0 : strips[part - 1].last_row;
    strips[part].last_row = rows.count() / parts * (part + 1) + std::min(rows.count() % parts, part + 1);
  }
  parallel_for(threads, parts, [&](size_t part) { scan(labels, rows, strips[part], cancellation); });

  std::vector<uint32_t> parents = std::move(strips[0].parents);
  for (size_t part = 1; part < parts; ++part) {
    Strip& strip = strips[part];
    if (parents.size() + strip.parents.size() >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
    strip.base = static_cast<uint32_t>(parents.size());
    for (const uint32_t parent : strip.parents) parents.push_back(strip.base + parent);
    std::vector<uint32_t>().swap(strip.parents);
  }
  cancellation.check();
  join_strips(rows, strips, parents);

  // A root comes before all other runs of its component, so one pass turns parents into numbers.
  uint32_t components = 0;
  for (uint32_t run = 0; run < parents.size(); ++run) {
    parents[run] = parents[run] == run ? ++components : parents[parents[run]];
  }
  if (components > UINT64_MAX - id_offset) throw Error(ERR_LIMIT, "idOffset: ids would exceed 2^64 - 1");
  parallel_for(threads, parts, [&](size_t part) { paint(rows, strips[part], parents, id_offset, output, cancellation); });
  return components;
}

}  // namespace blockwright
