#include "kernels/connected_components.h"

#include <algorithm>
#include <vector>

#include "core/equal_bits.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/parallel.h"

namespace blockwright {

namespace {

// An earlier row whose voxels may touch those of a row.
struct Neighbour {
  Shape step;              // over the outer axes
  size_t back = 0;         // rows before
  bool corners = false;    // voxels whose places along the row differ by one touch too
  // Neighbours (by index) whose voxel at the same place touches every voxel of this row that could be met there. Where
  // one of them has the label, this row is already joined with it, and joining it again can be left out.
  std::vector<size_t> covered_by;
};

// The rows of the box, in raster order.
struct Rows {
  Shape box;               // shape of the box
  Shape strides;           // of the array
  int axes;                // outer axes, all but that of the rows
  size_t corner = 0;       // first voxel of the box in the array
  size_t count = 0;
  size_t length = 0;
  std::vector<Neighbour> neighbours;  // those with the fewest changes first

  Rows(const Shape& shape, const Box& part, int reach)
      : box(part.shape), strides(shape.strides()), axes(shape.dimensions - 1) {
    for (int axis = 0; axis <= axes; ++axis) corner += static_cast<size_t>(part.begin[axis] * strides[axis]);
    Shape outer = box;
    outer.dimensions = axes;
    count = outer.count();
    length = static_cast<size_t>(box[axes]);
    find_neighbours(outer.strides(), reach);
  }

  Shape position(size_t row) const {
    Shape result;
    for (int axis = axes - 1; axis >= 0; --axis) {
      result[axis] = static_cast<int64_t>(row % static_cast<size_t>(box[axis]));
      row /= static_cast<size_t>(box[axis]);
    }
    return result;
  }
  void advance(Shape& position) const {
    for (int axis = axes - 1; axis >= 0; --axis) {
      if (++position[axis] < box[axis]) return;
      position[axis] = 0;
    }
  }
  // First voxel of the row at `position + step`, in the array.
  size_t begin(const Shape& position, const Shape& step = Shape()) const {
    int64_t result = static_cast<int64_t>(corner);
    for (int axis = 0; axis < axes; ++axis) result += (position[axis] + step[axis]) * strides[axis];
    return static_cast<size_t>(result);
  }
  bool has(const Shape& position, const Neighbour& neighbour) const {
    for (int axis = 0; axis < axes; ++axis) {
      const int64_t at = position[axis] + neighbour.step[axis];
      if (at < 0 || at >= box[axis]) return false;
    }
    return true;
  }
  size_t farthest() const {
    size_t result = 0;
    for (const Neighbour& neighbour : neighbours) result = std::max(result, neighbour.back);
    return result;
  }

 private:
  // All steps of -1, 0, 1 over the outer axes that go back in raster order and change no more than `reach` of them.
  void find_neighbours(const Shape& row_strides, int reach) {
    size_t steps = 1;
    for (int axis = 0; axis < axes; ++axis) steps *= 3;
    for (int wanted = 1; wanted <= std::min(reach, axes); ++wanted) {
      for (size_t code = 0; code < steps / 2; ++code) {  // the codes below the middle go back
        Neighbour neighbour;
        int changes = 0;
        int64_t back = 0;
        bool possible = true;
        size_t rest = code;
        for (int axis = axes - 1; axis >= 0; --axis, rest /= 3) {
          neighbour.step[axis] = static_cast<int64_t>(rest % 3) - 1;
          changes += neighbour.step[axis] != 0;
          possible = possible && (neighbour.step[axis] == 0 || box[axis] > 1);
          back -= neighbour.step[axis] * row_strides[axis];
        }
        if (changes != wanted || !possible) continue;
        neighbour.back = static_cast<size_t>(back);
        neighbour.corners = changes < reach;
        for (size_t other = 0; other < neighbours.size(); ++other) {
          int apart = neighbour.corners ? 1 : 0;
          bool near = true;
          for (int axis = 0; axis < axes; ++axis) {
            const int64_t difference = neighbour.step[axis] - neighbours[other].step[axis];
            apart += difference != 0;
            near = near && difference >= -1 && difference <= 1;
          }
          if (near && apart <= reach) neighbour.covered_by.push_back(other);
        }
        neighbours.push_back(neighbour);
      }
    }
  }
};

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

// Fills [begin, end) in whole steps; writes up to STEP - 1 elements beyond.
template <size_t STEP, class T>
inline void fill_beyond(T* values, size_t begin, size_t end, T value) {
  do {
    for (size_t i = 0; i < STEP; ++i) values[begin + i] = value;
    begin += STEP;
  } while (begin < end);
}

// Clears the bits [begin, end).
inline void clear_bits(uint64_t* words, size_t begin, size_t end) {
  for (size_t at = begin; at < end;) {
    const size_t stop = std::min(end, (at / 64 + 1) * 64);
    words[at / 64] &= ~((stop - at == 64 ? ~uint64_t{0} : (uint64_t{1} << (stop - at)) - 1) << (at % 64));
    at = stop;
  }
}

// Finds the runs of a strip and joins those that touch. Works on bits, one a voxel of a row, 64 a word.
class Scanner {
 public:
  Scanner(const uint64_t* labels, const Rows& rows, Strip& strip)
      : labels_(labels), rows_(rows), strip_(strip), words_(rows.length / 64 + 1) {
    ring_ = std::min(rows.farthest() + 1, strip.last_row - strip.first_row);
    numbers_.resize(ring_ * (rows.length + SLACK));
    starts_.resize(words_);
    ends_.resize(words_);
    labelled_.resize(words_);
    same_.resize(rows.neighbours.size() * words_);
    open_.resize(words_);
    strip.row_runs.reserve(strip.last_row - strip.first_row + 1);
  }

  void scan(const Cancellation& cancellation) {
    Shape position = rows_.position(strip_.first_row);
    for (size_t row = strip_.first_row; row < strip_.last_row; ++row, rows_.advance(position)) {
      if (row % 1024 == 0) cancellation.check();
      const size_t first = strip_.runs.size();
      strip_.row_runs.push_back(static_cast<uint32_t>(first));
      const uint64_t* voxels = labels_ + rows_.begin(position);
      find_runs(row, voxels);
      if (first == strip_.runs.size()) continue;
      if (strip_.runs.size() >= UINT32_MAX) throw Error(ERR_LIMIT, "labels: 2^32 runs or more in one call");
      for (size_t index = 0; index < rows_.neighbours.size(); ++index) {
        const Neighbour& neighbour = rows_.neighbours[index];
        if (row >= strip_.first_row + neighbour.back && rows_.has(position, neighbour)) {
          join(row, voxels, labels_ + rows_.begin(position, neighbour.step), index);
        } else {
          std::fill(same(index), same(index) + words_, 0);
        }
      }
    }
    strip_.row_runs.push_back(static_cast<uint32_t>(strip_.runs.size()));
  }

 private:
  static constexpr size_t SLACK = 16;

  // The number of the run at each voxel of a row, for the last rows only; meaningless at background.
  uint32_t* numbers(size_t row) { return &numbers_[row % ring_ * (rows_.length + SLACK)]; }
  // Bits: the voxel has a label, and the neighbour's at this place is the same.
  uint64_t* same(size_t index) { return &same_[index * words_]; }

  void find_runs(size_t row, const uint64_t* voxels) {
    const size_t length = rows_.length;
    starts_[words_ - 1] = 0;
    equal_bits(voxels + 1, voxels, length - 1, starts_.data());
    uint64_t carry = 0;  // voxel 0 equals nothing before it
    for (size_t word = 0; word < words_; ++word) {
      const uint64_t equal = starts_[word];
      starts_[word] = ~(equal << 1 | carry);
      carry = equal >> 63;
    }
    // One start more marks the end of the last run; none beyond.
    const uint64_t last = uint64_t{1} << (length % 64);
    starts_[words_ - 1] = (starts_[words_ - 1] & (last - 1)) | last;
    std::fill(labelled_.begin(), labelled_.end(), ~uint64_t{0});
    labelled_[words_ - 1] = last - 1;
    for (size_t word = 0; word < words_; ++word) {
      ends_[word] = starts_[word] >> 1 | (word + 1 < words_ ? starts_[word + 1] << 63 : 0);
    }
    uint32_t* numbers = this->numbers(row);
    uint32_t number = static_cast<uint32_t>(strip_.runs.size());
    for_each_run(voxels, length, [&](size_t begin, size_t end) {
      if (voxels[begin] == 0) return clear_bits(labelled_.data(), begin, end);
      fill_beyond<SLACK>(numbers, begin, end, number);
      strip_.runs.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      strip_.parents.push_back(number++);
    });
  }

  // Joins the runs of a row with those of one neighbour: runs that share places at the first place they share, runs
  // that meet at a corner there.
  void join(size_t row, const uint64_t* voxels, const uint64_t* others, size_t index) {
    const Neighbour& neighbour = rows_.neighbours[index];
    const uint32_t* own = numbers(row);
    const uint32_t* other = numbers(row - neighbour.back);
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
      for (uint64_t bits = open & same[word] & (starts_[word] | ~before); bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        unite(parents, own[at], other[at]);
      }
      if (!neighbour.corners) continue;
      for (uint64_t bits = open & ~same[word] & starts_[word]; bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (at > 0 && others[at - 1] == voxels[at]) unite(parents, own[at], other[at - 1]);
      }
      for (uint64_t bits = open & ~same[word] & ends_[word]; bits != 0; bits &= bits - 1) {
        const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (at + 1 < rows_.length && others[at + 1] == voxels[at]) unite(parents, own[at], other[at + 1]);
      }
    }
  }

  const uint64_t* labels_;
  const Rows& rows_;
  Strip& strip_;
  size_t words_;     // a row, with one bit more
  size_t ring_ = 1;  // rows whose numbers are kept
  std::vector<uint32_t> numbers_;
  std::vector<uint64_t> starts_, ends_, labelled_, open_, same_;
};

// Joins rows with those of earlier strips. `parents` holds all runs.
void join_strips(const uint64_t* labels, const Rows& rows, const std::vector<Strip>& strips, uint32_t* parents) {
  for (size_t index = 1; index < strips.size(); ++index) {
    const Strip& strip = strips[index];
    Shape position = rows.position(strip.first_row);
    const size_t last = std::min(strip.last_row, strip.first_row + rows.farthest());
    for (size_t row = strip.first_row; row < last; ++row, rows.advance(position)) {
      const uint64_t* voxels = labels + rows.begin(position);
      for (const Neighbour& neighbour : rows.neighbours) {
        if (row >= strip.first_row + neighbour.back || !rows.has(position, neighbour)) continue;
        const uint64_t* others = labels + rows.begin(position, neighbour.step);
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

void paint(const Rows& rows, const Strip& strip, const std::vector<uint32_t>& numbers, uint64_t id_offset,
           uint64_t* output, const Cancellation& cancellation) {
  constexpr size_t STEP = 16;
  const size_t limit = strip.last_row * rows.length;  // beyond it another thread writes
  const auto fill = [&](size_t begin, size_t end, uint64_t id) {
    if (end + STEP <= limit) {
      fill_beyond<STEP>(output, begin, end, id);
    } else {
      std::fill(output + begin, output + end, id);
    }
  };
  for (size_t row = strip.first_row; row < strip.last_row; ++row) {
    if (row % 1024 == 0) cancellation.check();
    const size_t origin = row * rows.length;
    size_t at = origin;
    for (uint32_t run = strip.row_runs[row - strip.first_row]; run < strip.row_runs[row - strip.first_row + 1]; ++run) {
      const size_t begin = origin + strip.runs[run].begin, end = origin + strip.runs[run].end;
      if (at < begin) fill(at, begin, 0);
      fill(begin, end, id_offset + numbers[strip.base + run]);
      at = end;
    }
    if (at < origin + rows.length) fill(at, origin + rows.length, 0);
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
  const size_t parts = std::min(std::max<size_t>(threads, 1), rows.count);
  std::vector<Strip> strips(parts);
  for (size_t part = 0; part < parts; ++part) {
    strips[part].first_row = part == 0 ? 0 : strips[part - 1].last_row;
    strips[part].last_row = rows.count / parts * (part + 1) + std::min(rows.count % parts, part + 1);
  }
  parallel_for(threads, parts, [&](size_t part) { Scanner(labels, rows, strips[part]).scan(cancellation); });

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

}  // namespace blockwright
