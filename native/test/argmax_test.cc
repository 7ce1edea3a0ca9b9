// Classes of highest values against a plain version, on odd numbers of voxels, channels and groups.
#include "kernels/argmax.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;
using Groups = std::vector<std::vector<size_t>>;

template <class Value, class Class>
void compare(size_t channels, size_t voxels, const Groups& groups, Random& random) {
  Exact<Value> values(channels * voxels);
  for (size_t i = 0; i < values.size(); ++i) {
    const Value ends[] = {std::numeric_limits<Value>::lowest(), std::numeric_limits<Value>::max(), 0, 1};
    values[i] = ends[random.below(4)];
    if (std::is_floating_point_v<Value> && random.below(8) == 0) values[i] = static_cast<Value>(NAN);
  }
  using Sum = std::conditional_t<std::is_floating_point_v<Value>, Value, __int128>;
  Exact<Class> found(voxels);
  argmax(values.data(), channels, voxels, groups, found.data(), 2, NEVER);
  for (size_t voxel = 0; voxel < voxels; ++voxel) {
    size_t best = 0;
    Sum highest = 0;
    for (size_t group = 0; group < groups.size(); ++group) {
      Sum sum = static_cast<Sum>(values[groups[group][0] * voxels + voxel]);
      for (size_t member = 1; member < groups[group].size(); ++member) {
        sum = static_cast<Sum>(sum + static_cast<Sum>(values[groups[group][member] * voxels + voxel]));
      }
      const bool higher = group == 0 || (highest == highest && (sum != sum || sum > highest));
      if (higher) best = group, highest = sum;
    }
    CHECK(found[voxel] == best);
  }
}

template <class Value>
void compare_all(Random& random) {
  for (const size_t voxels : {0, 1, 63, 64, 65, 1023, 1025, 70000}) {
    for (const size_t channels : {size_t{1}, size_t{2}, 1 + random.below(9)}) {
      Groups single(channels), mixed(1 + random.below(5));
      for (size_t channel = 0; channel < channels; ++channel) single[channel] = {channel};
      for (std::vector<size_t>& group : mixed) {
        group.resize(1 + random.below(4));
        for (size_t& channel : group) channel = random.below(channels);
      }
      compare<Value, uint8_t>(channels, voxels, single, random);
      compare<Value, uint64_t>(channels, voxels, mixed, random);
    }
  }
}

}  // namespace

int main() {
  Random random(7);
  compare_all<uint8_t>(random);
  compare_all<int8_t>(random);
  compare_all<uint16_t>(random);
  compare_all<int16_t>(random);
  compare_all<uint32_t>(random);
  compare_all<int32_t>(random);
  compare_all<float>(random);
  compare_all<double>(random);

  Groups many(1000, {0, 0});
  compare<uint8_t, uint16_t>(1, 5, many, random);
  for (size_t group = 0; group < many.size(); ++group) many[group] = {group};
  compare<uint8_t, uint32_t>(1000, 70, many, random);
  compare<double, uint16_t>(1000, 70, many, random);

  // Refusals.
  const uint8_t values[] = {1, 2}, raised = 1;
  uint8_t classes[1];
  CHECK_ERROR(ERR_ARGUMENT, argmax(values, 2, 1, Groups{}, classes, 1, NEVER));
  CHECK_ERROR(ERR_ARGUMENT, argmax(values, 2, 1, Groups{{}}, classes, 1, NEVER));
  CHECK_ERROR(ERR_ARGUMENT, argmax(values, 2, 1, Groups{{2}}, classes, 1, NEVER));
  CHECK_ERROR(ERR_ARGUMENT, argmax(values, 2, 1, Groups{{SIZE_MAX}}, classes, 1, NEVER));
  CHECK_ERROR(ERR_ARGUMENT, argmax(values, 2, 1, Groups(257, {0}), classes, 1, NEVER));
  uint32_t wide[1];
  CHECK_ERROR(ERR_ARGUMENT, argmax(values, 2, 1, Groups(MAX_CLASSES + 1, {0}), wide, 1, NEVER));
  CHECK_ERROR(ERR_CANCELLED, argmax(values, 2, 1, Groups{{0}}, classes, 1, Cancellation(&raised)));
  return 0;
}
