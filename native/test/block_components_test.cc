// Components of blocks, put together, against those of the whole volume: hostile shapes, blocks of any size, huge labels.
#include <algorithm>
#include <limits>
#include <map>

#include "kernels/block_components.h"
#include "kernels/connected_components.h"
#include "kernels/join_components.h"
#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;

Shape zeros(const Shape& like) {
  Shape result = like;
  result.extent.fill(0);
  return result;
}

// Visits the voxels of a box of an array: (index in the array, index in the box).
template <class Action>
void each_voxel(const Shape& shape, const Shape& begin, const Shape& box, const Action& action) {
  const Shape strides = shape.strides();
  for (size_t index = 0; index < box.count(); ++index) {
    int64_t rest = static_cast<int64_t>(index), whole = 0;
    for (int axis = shape.dimensions - 1; axis >= 0; --axis) {
      whole += (begin[axis] + rest % box[axis]) * strides[axis];
      rest /= box[axis];
    }
    action(static_cast<size_t>(whole), index);
  }
}

template <class Label>
void by_blocks(const Exact<Label>& labels, const Shape& shape, const Shape& block, int reach, bool binary, size_t threads) {
  Exact<uint64_t> wide(labels.size()), expected(labels.size()), found(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) wide[i] = binary ? labels[i] != 0 : labels[i];
  const uint64_t components =
      connected_components(wide.data(), shape, {zeros(shape), shape}, reach, 0, 1, expected.data(), NEVER);

  std::map<uint64_t, uint64_t> names;
  std::vector<BlockComponents> results;
  Shape grid = shape;
  for (int axis = 0; axis < shape.dimensions; ++axis) grid[axis] = (shape[axis] + block[axis] - 1) / block[axis];
  each_voxel(grid, zeros(grid), grid, [&](size_t, size_t index) {
    BlockPlace place{zeros(shape), zeros(shape), shape};
    Shape box = shape, read = shape, corner = shape;
    int64_t rest = static_cast<int64_t>(index);
    for (int axis = shape.dimensions - 1; axis >= 0; --axis) {
      place.begin[axis] = rest % grid[axis] * block[axis];
      rest /= grid[axis];
      place.low[axis] = place.begin[axis] > 0 ? 1 : 0;
      box[axis] = std::min(block[axis], shape[axis] - place.begin[axis]);
      read[axis] = box[axis] + place.low[axis];
      corner[axis] = place.begin[axis] - place.low[axis];
    }
    Exact<Label> part(read.count());
    each_voxel(shape, corner, read, [&](size_t whole, size_t at) { part[at] = labels[whole]; });
    Exact<uint64_t> output(box.count());
    results.push_back(block_components(part.data(), read, place, reach, binary, threads, output.data(), NEVER));
    each_voxel(shape, place.begin, box, [&](size_t whole, size_t at) { found[whole] = output[at]; });
    for (const uint64_t piece : results.back().pieces) CHECK(names.emplace(piece, 0).second);
    size_t count = names.size();
    for (size_t at = 0; at < output.size(); ++at) {
      if (output[at] != 0) ++names[output[at]];
    }
    CHECK(names.size() - count == results.back().count);
  });

  Exact<uint64_t> ids(names.size()), sizes(names.size()), fragments(names.size()), segments(names.size()), totals(names.size());
  size_t at = 0;
  for (const auto& [name, size] : names) {
    ids[at] = name;
    sizes[at++] = size;
  }
  std::vector<PairRun> runs;
  for (BlockComponents& result : results) {
    CHECK(result.u.size() == result.v.size());
    for (size_t row = 0; row < result.u.size(); ++row) CHECK(0 < result.u[row] && result.u[row] < result.v[row]);
    runs.push_back({{result.u.data(), result.u.size()}, {result.v.data(), result.v.size()}});
  }
  const JoinedCount joined = join_components({ids.data(), ids.size()}, {sizes.data(), sizes.size()}, runs, 0,
                                             {fragments.data(), segments.data(), totals.data()}, NEVER);
  CHECK(joined.components == components);
  std::map<uint64_t, uint64_t> table{{0, 0}};
  for (size_t row = 0; row < joined.rows; ++row) table.emplace(fragments[row], segments[row]);
  for (size_t i = 0; i < found.size(); ++i) CHECK(table.at(found[i]) == expected[i]);
}

}  // namespace

int main() {
  Random random(3);
  const uint64_t ids[] = {0, 0, std::numeric_limits<uint64_t>::max(), uint64_t{1} << 63, 1};
  for (const Shape& shape : hostile_shapes()) {
    for (int turn = 0; turn < 4; ++turn) {
      Exact<uint64_t> labels(shape.count());
      Exact<uint8_t> bytes(shape.count());
      for (size_t i = 0; i < labels.size(); ++i) {
        labels[i] = i > 0 && random.below(3) == 0 ? labels[i - 1] : ids[random.below(turn == 0 ? 5 : 3)];
        bytes[i] = static_cast<uint8_t>(labels[i] % 251);
      }
      Shape block = shape;
      for (int axis = 0; axis < shape.dimensions; ++axis) {
        block[axis] = 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(std::max<int64_t>(shape[axis], 1))));
      }
      for (int reach = 1; reach <= shape.dimensions; ++reach) {
        by_blocks(labels, shape, block, reach, false, 1);
        by_blocks(bytes, shape, block, reach, turn % 2 == 0, 3);
      }
    }
  }

  // Refusals.
  const Shape two({2});
  const uint64_t labels[] = {5, 5};
  uint64_t output[2];
  const auto refused = [&](const Shape& low, const Shape& begin, const Shape& volume) {
    block_components(labels, two, {low, begin, volume}, 1, false, 1, output, NEVER);
  };
  CHECK_ERROR(ERR_ARGUMENT, refused(Shape({1}), Shape({0}), Shape({9})));
  CHECK_ERROR(ERR_ARGUMENT, refused(Shape({2}), Shape({2}), Shape({9})));
  CHECK_ERROR(ERR_ARGUMENT, refused(Shape({-1}), Shape({2}), Shape({9})));
  CHECK_ERROR(ERR_ARGUMENT, refused(Shape({0}), Shape({8}), Shape({9})));
  CHECK_ERROR(ERR_ARGUMENT, refused(Shape({0}), Shape({INT64_MAX}), Shape({9})));
  CHECK_ERROR(ERR_ARGUMENT, refused(Shape({0, 0}), Shape({0}), Shape({9})));
  CHECK_ERROR(ERR_LIMIT, refused(Shape({0}), Shape({0}), Shape({INT64_MAX})));
  uint64_t descending[] = {4, 3};
  CHECK_ERROR(ERR_ARGUMENT, join_components({descending, 2}, {descending, 2}, {}, 0, {output, output, output}, NEVER));
  const uint8_t raised = 1;
  const Cancellation cancelled(&raised);
  CHECK_ERROR(ERR_CANCELLED, block_components(labels, two, {Shape({0}), Shape({0}), two}, 1, false, 1, output, cancelled));
  CHECK_ERROR(ERR_CANCELLED, join_components({}, {}, {}, 0, {output, output, output}, cancelled));
  // The flag is a byte of the first voxel that is 0 in the number of its component, not in its name: raised within the one row.
  const Shape row({1, 1 << 17}), nothing({0, 0});
  Exact<uint8_t> ones(row.count());
  Exact<uint64_t> named(row.count());
  std::fill_n(ones.data(), row.count(), uint8_t{1});
  const Cancellation late(reinterpret_cast<const uint8_t*>(named.data()) + 2);
  const BlockPlace last{nothing, Shape({1, 0}), Shape({2, 1 << 17})};
  CHECK_ERROR(ERR_CANCELLED, block_components(ones.data(), row, last, 1, false, 1, named.data(), late));
  return 0;
}
