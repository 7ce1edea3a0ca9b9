// Edge scores against a plain version, on hostile shapes, offsets and ids.
#include "kernels/edge_scores.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "test/check.h"

using namespace blockwright;

namespace {

const Cancellation NEVER;

template <class Value>
void compare(const Shape& shape, Random& random, uint64_t base) {
  const size_t count = shape.count();
  Exact<uint64_t> fragments(count);
  for (size_t i = 0; i < count; ++i) fragments[i] = random.below(4) == 0 ? 0 : base + random.below(6);
  constexpr size_t CHANNELS = 4, SCORES = 2;
  Exact<Value> affinities(CHANNELS * count);
  for (size_t i = 0; i < affinities.size(); ++i) affinities[i] = static_cast<Value>(random.below(256));
  Box box{shape, shape};
  for (int axis = 0; axis < shape.dimensions; ++axis) {
    box.begin[axis] = static_cast<int64_t>(random.below(static_cast<uint64_t>(shape[axis]) + 1));
    box.shape[axis] = static_cast<int64_t>(random.below(static_cast<uint64_t>(shape[axis] - box.begin[axis]) + 1));
  }
  const int64_t lengths[] = {0, 1, -1, 2, -3, 64, INT64_MAX, INT64_MIN};
  std::vector<EdgeChannel> channels(CHANNELS);
  for (size_t channel = 0; channel < CHANNELS; ++channel) {
    channels[channel].index = static_cast<int64_t>(channel);
    channels[channel].offset.dimensions = shape.dimensions;
    for (int axis = 0; axis < shape.dimensions; ++axis) channels[channel].offset[axis] = lengths[random.below(channel == 3 ? 8 : 5)];
    channels[channel].scores = channel == 0 ? std::vector<uint32_t>{0, 1} : std::vector<uint32_t>{static_cast<uint32_t>(channel % 2)};
  }
  std::map<std::pair<uint64_t, uint64_t>, std::vector<double>> rows;
  const Shape strides = shape.strides();
  for (size_t i = 0; i < count; ++i) {
    for (const EdgeChannel& channel : channels) {
      bool inside = true;
      int64_t other = 0;
      for (int axis = 0; axis < shape.dimensions; ++axis) {
        const int64_t place = static_cast<int64_t>(i) / strides[axis] % shape[axis];
        inside = inside && place >= box.begin[axis] && place < box.begin[axis] + box.shape[axis];
        if (channel.offset[axis] > 1000 || channel.offset[axis] < -1000) inside = false;
        if (!inside) break;
        const int64_t end = place + channel.offset[axis];
        inside = end >= 0 && end < shape[axis];
        other += end * strides[axis];
      }
      if (!inside) continue;
      const uint64_t a = fragments[i], b = fragments[other];
      if (a == 0 || b == 0 || a == b) continue;
      std::vector<double>& row = rows[std::minmax({a, b})];
      row.resize(2 * SCORES);
      for (const uint32_t score : channel.scores) {
        row[2 * score] += static_cast<double>(affinities[channel.index * count + i]);
        row[2 * score + 1] += 1;
      }
    }
  }
  const EdgeScores found = edge_scores(fragments.data(), affinities.data(), shape, box, channels, SCORES, NEVER);
  CHECK(found.u.size() == rows.size());
  size_t at = 0;
  for (const auto& [pair, row] : rows) {
    CHECK(found.u[at] == pair.first && found.v[at] == pair.second);
    for (size_t score = 0; score < SCORES; ++score) {
      CHECK(found.sums[score][at] == row[2 * score] && found.counts[score][at] == row[2 * score + 1]);
    }
    ++at;
  }
}

}  // namespace

int main() {
  Random random(2);
  for (const Shape& shape : hostile_shapes()) {
    for (int round = 0; round < 10; ++round) {
      compare<uint8_t>(shape, random, 1);
      compare<float>(shape, random, std::numeric_limits<uint64_t>::max() - 5);
    }
  }
  const uint64_t fragments[] = {1, 2};
  const float nan[] = {std::numeric_limits<float>::quiet_NaN(), 0};
  EdgeChannel next;
  next.offset = Shape({1});
  next.scores = {0};
  const Shape two({2});
  const Box all{Shape({0}), two};
  CHECK_ERROR(ERR_NOT_A_NUMBER, edge_scores(fragments, nan, two, all, {next}, 1, NEVER));
  CHECK_ERROR(ERR_ARGUMENT, edge_scores(fragments, nan, two, {Shape({1}), two}, {next}, 1, NEVER));
  const uint8_t raised = 1;
  CHECK_ERROR(ERR_CANCELLED, edge_scores(fragments, nan, two, all, {next}, 1, Cancellation(&raised)));
  return 0;
}
