#include "kernels/mutex_watershed_keys.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/parallel.h"
#include "core/philox.h"
#include "kernels/mutex_watershed_values.h"

namespace blockwright {

namespace {

constexpr uint32_t NOISE = 1;  // purposes of random numbers
constexpr uint32_t KEEP = 2;
constexpr uint32_t AXIS = 16;

constexpr size_t NONE = ~size_t{0};

// `at` = channel * voxels + voxel.
[[noreturn]] void throw_not_a_number(const MutexWatershedInput& input, size_t at) {
  const size_t voxels = input.shape.count();
  const size_t channel = at / voxels;
  const int64_t voxel = static_cast<int64_t>(at % voxels);
  const Shape strides = input.shape.strides();
  std::string position;
  for (int axis = 0; axis < input.shape.dimensions; ++axis) {
    if (axis > 0) position += ", ";
    position += std::to_string(voxel / strides[axis] % input.shape[axis]);
  }
  throw Error(ERR_NOT_A_NUMBER, "affinities: NaN in channel " + std::to_string(channel) + " at voxel [" + position + "]");
}

// Where a channel has edges: voxels begin, begin + stride, ... below end, on every axis.
struct EdgeBox {
  Shape begin, end, stride;
  uint64_t keep_one_of = 1;  // randomised strides: an edge is kept with probability 1 / keep_one_of

  bool holds(int axis, int64_t position) const {
    return position >= begin[axis] && position < end[axis] && (position - begin[axis]) % stride[axis] == 0;
  }
};

EdgeBox edge_box(const MutexWatershedInput& input, uint32_t channel) {
  EdgeBox box;
  box.begin.dimensions = box.end.dimensions = box.stride.dimensions = input.shape.dimensions;
  for (int axis = 0; axis < input.shape.dimensions; ++axis) {
    const int64_t offset = input.offsets[channel][axis];
    const int64_t extent = input.shape[axis];
    const int64_t reach = std::clamp(offset, -extent, extent);
    box.begin[axis] = std::max<int64_t>(0, -reach);
    box.end[axis] = extent - std::max<int64_t>(0, reach);
    box.stride[axis] = 1;
    if (input.strides.empty()) continue;
    const int64_t stride = input.strides[channel][axis];
    if (!input.randomized_strides) {
      box.stride[axis] = stride;
    } else if (__builtin_mul_overflow(box.keep_one_of, static_cast<uint64_t>(stride), &box.keep_one_of)) {
      box.keep_one_of = ~uint64_t{0};
    }
  }
  return box;
}

// A row of voxels, and what its random numbers are made of: the last three coordinates are counters; others, and what the
// numbers are for, go into the key.
struct Row {
  size_t begin = 0;
  std::array<int64_t, MAX_DIMENSIONS> position{};
  RandomKey noise_key{}, keep_key{};
  std::array<uint32_t, 3> counter{};
};

Row row_at(const MutexWatershedInput& input, size_t index) {
  const int last = input.shape.dimensions - 1;
  Row row;
  row.begin = index * static_cast<size_t>(input.shape[last]);
  for (int axis = last - 1; axis >= 0; --axis) {
    row.position[axis] = static_cast<int64_t>(index % static_cast<size_t>(input.shape[axis]));
    index /= static_cast<size_t>(input.shape[axis]);
  }
  if (input.noise_eps == 0 && !input.randomized_strides) return row;
  row.noise_key = derive_key(seed_key(input.seed), input.stream, NOISE);
  row.keep_key = derive_key(seed_key(input.seed), input.stream, KEEP);
  for (int axis = 0; axis <= last; ++axis) {
    const uint64_t coordinate =
        static_cast<uint64_t>(row.position[axis]) + static_cast<uint64_t>(input.origin.empty() ? 0 : input.origin[axis]);
    if (last - axis < 3) {
      row.counter[last - axis] = static_cast<uint32_t>(coordinate);
    } else {
      row.noise_key = derive_key(row.noise_key, coordinate, AXIS + axis);
      row.keep_key = derive_key(row.keep_key, coordinate, AXIS + axis);
    }
  }
  return row;
}

// Makes the keys segment by segment; rows may be worked on by several threads.
template <class Key>
class KeyMaker {
 public:
  KeyMaker(const MutexWatershedInput& input, EdgeKeys<Key>& keys);

  void make(const Cancellation& cancellation);

 private:
  struct Buffers {
    SegmentWords noise_words, keep_words;
    int32_t noise[2][EDGE_SEGMENT];
    int32_t values[EDGE_SEGMENT];
    Key keys[EDGE_SEGMENT];
  };
  // Voxels [low, high) of a segment can have edges of a channel.
  struct Part {
    int64_t low, high;
  };

  template <class Work>
  void for_each_segment(const Cancellation& cancellation, const Work& work);
  Part part(uint32_t channel, const Row& row, int64_t segment, int64_t count) const;
  void mark(const Row& row, int64_t segment, int64_t count, Buffers& buffers);
  size_t fill(const Row& row, int64_t segment, int64_t count, Buffers& buffers);
  size_t find_nan(size_t at, const uint8_t* mask, int64_t count) const;

  const MutexWatershedInput& input_;
  EdgeKeys<Key>& keys_;
  const int last_;
  const int64_t length_;  // of a row
  std::vector<EdgeBox> boxes_;
  std::vector<std::array<int16_t, 256>> tables_;
};

template <class Key>
KeyMaker<Key>::KeyMaker(const MutexWatershedInput& input, EdgeKeys<Key>& keys)
    : input_(input), keys_(keys), last_(input.shape.dimensions - 1), length_(input.shape[last_]) {
  for (uint32_t c = 0; c < keys.channels; ++c) boxes_.push_back(edge_box(input, c));
  if constexpr (sizeof(Key) == 2) {
    tables_ = rank_tables(input);
    keys.largest = 0;
    for (const auto& table : tables_) {
      for (const int16_t key : table) keys.largest = std::max<uint32_t>(keys.largest, std::abs(key));
    }
  }
}

// Calls work(row, segment, count, buffers) for all rows, cut into segments of `count` voxels; each thread takes whole words of
// 64 voxels. The cancellation is looked at each time: a segment may have many channels, and rows any length.
template <class Key>
template <class Work>
void KeyMaker<Key>::for_each_segment(const Cancellation& cancellation, const Work& work) {
  const size_t rows = keys_.voxels / static_cast<size_t>(length_);
  const size_t chunk = 64 * (1 + 256 / static_cast<size_t>(length_));
  parallel_for(input_.threads, (rows + chunk - 1) / chunk, [&](size_t item) {
    const auto buffers = std::make_unique<Buffers>();
    for (size_t index = item * chunk; index < std::min(rows, (item + 1) * chunk); ++index) {
      const Row row = row_at(input_, index);
      for (int64_t segment = 0; segment < length_; segment += EDGE_SEGMENT) {
        cancellation.check();
        work(row, segment, std::min(EDGE_SEGMENT, length_ - segment), *buffers);
      }
    }
  });
}

template <class Key>
typename KeyMaker<Key>::Part KeyMaker<Key>::part(uint32_t channel, const Row& row, int64_t segment, int64_t count) const {
  const EdgeBox& box = boxes_[channel];
  for (int axis = 0; axis < last_; ++axis) {
    if (!box.holds(axis, row.position[axis])) return {0, 0};
  }
  const int64_t low = std::clamp<int64_t>(box.begin[last_] - segment, 0, count);
  return {low, std::clamp<int64_t>(box.end[last_] - segment, low, count)};
}

template <class Key>
void KeyMaker<Key>::make(const Cancellation& cancellation) {
  // First which edges there are, where that is not all of them, so that their values find their places.
  std::vector<bool> strided;
  for (const EdgeBox& box : boxes_) {
    bool any = box.keep_one_of > 1;
    for (int axis = 0; axis <= last_; ++axis) any = any || box.stride[axis] > 1;
    strided.push_back(any);
    keys_.packed.push_back(any ? large_array<PackedEdges>(keys_.voxels / 64 + 1) : nullptr);
  }
  if (std::find(strided.begin(), strided.end(), true) != strided.end()) {
    for (auto& words : keys_.packed) {
      cancellation.check();
      if (words != nullptr) std::fill(words.get(), words.get() + keys_.voxels / 64 + 1, PackedEdges{0, 0});
    }
    for_each_segment(cancellation, [&](const Row& row, int64_t segment, int64_t count, Buffers& buffers) {
      mark(row, segment, count, buffers);
    });
  }
  size_t total = 0;
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    keys_.begins.push_back(total);
    if (!strided[c]) {
      total += keys_.voxels;
      continue;
    }
    for (size_t word = 0; word <= keys_.voxels / 64; ++word) {
      if (word % 65536 == 0) cancellation.check();
      keys_.packed[c][word].before = total;
      total += static_cast<size_t>(__builtin_popcountll(keys_.packed[c][word].present));
    }
  }
  keys_.begins.push_back(total);
  keys_.values = large_array<Key>(total);
  // All rows are looked at, so that the NaN that is told does not depend on threads.
  std::atomic<size_t> broken{NONE};
  for_each_segment(cancellation, [&](const Row& row, int64_t segment, int64_t count, Buffers& buffers) {
    const size_t found = fill(row, segment, count, buffers);
    for (size_t known = broken; found < known && !broken.compare_exchange_weak(known, found);) {
    }
  });
  if (broken != NONE) throw_not_a_number(input_, broken);
}

// Notes which edges of channels with strides a segment has.
template <class Key>
void KeyMaker<Key>::mark(const Row& row, int64_t segment, int64_t count, Buffers& buffers) {
  const uint32_t x = row.counter[0] + static_cast<uint32_t>(segment);
  bool ready = false;  // whether the words of a group of four channels are there
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    if (c % 4 == 0) ready = false;
    PackedEdges* const words = keys_.packed[c].get();
    const auto [low, high] = part(c, row, segment, count);
    if (words == nullptr || low == high) continue;
    const EdgeBox& box = boxes_[c];
    const auto set = [&](int64_t i) {
      const size_t voxel = row.begin + static_cast<size_t>(segment + i);
      words[voxel / 64].present |= uint64_t{1} << (voxel % 64);
    };
    if (box.keep_one_of > 1) {
      if (!ready) philox_segment(row.keep_key, x, row.counter[1], row.counter[2], c / 4, count, buffers.keep_words);
      ready = true;
      const uint64_t limit = 0xFFFFFFFF / box.keep_one_of;  // word / 2^32 < 1 / keep_one_of
      for (int64_t i = low; i < high; ++i) {
        if (buffers.keep_words[c % 4][i] <= limit) set(i);
      }
    } else {
      const int64_t stride = box.stride[last_];
      const int64_t beyond = (segment + low - box.begin[last_]) % stride;
      for (int64_t i = beyond == 0 ? low : low + stride - beyond; i < high; i += stride) set(i);
    }
  }
}

// Computes the keys of a segment. Returns channel * voxels + voxel of its first NaN, or NONE.
template <class Key>
size_t KeyMaker<Key>::fill(const Row& row, int64_t segment, int64_t count, Buffers& buffers) {
  size_t broken = NONE;
  const size_t voxel = row.begin + static_cast<size_t>(segment);
  const uint32_t x = row.counter[0] + static_cast<uint32_t>(segment);
  const uint8_t* const mask = input_.mask == nullptr ? nullptr : input_.mask + voxel;
  bool ready = false;  // whether the noise of a pair of channels is there
  for (uint32_t c = 0; c < keys_.channels; ++c) {
    if (c % 2 == 0) ready = false;
    const size_t at = c * size_t{keys_.voxels} + voxel;
    const bool packed = keys_.packed[c] != nullptr;
    const auto [low, high] = part(c, row, segment, count);
    Key* const out = packed ? buffers.keys : keys_.values.get() + keys_.begins[c] + voxel;
    if (low == high) {
      if (!packed) std::fill(out, out + count, Key{0});
      broken = std::min(broken, find_nan(at, mask, count));
      continue;
    }
    if constexpr (sizeof(Key) == 2) {
      const std::array<int16_t, 256>& table = tables_[c];
      const uint8_t* const bytes = input_.affinities_uint8 + at;
      for (int64_t i = 0; i < count; ++i) out[i] = table[bytes[i]];
      for (int64_t i = 0; mask != nullptr && i < count; ++i) out[i] = mask[i] != 0 ? out[i] : table[0];
    } else {
      if (input_.noise_eps != 0 && !ready) {
        philox_segment(row.noise_key, x, row.counter[1], row.counter[2], c / 2, count, buffers.noise_words);
        normal_segment(buffers.noise_words[0], buffers.noise_words[1], count, buffers.noise[0]);
        normal_segment(buffers.noise_words[2], buffers.noise_words[3], count, buffers.noise[1]);
        ready = true;
      }
      if (value_segment(input_, c, at, mask, input_.noise_eps != 0 ? buffers.noise[c % 2] : nullptr, count, out)) {
        const auto beyond = std::find_if(out, out + count, [](int32_t key) { return std::abs(key) > 0x7F800000; });
        broken = std::min(broken, at + static_cast<size_t>(beyond - out));
      }
    }
    if (packed) {
      keys_.for_each_packed(c, voxel, static_cast<size_t>(count), [&](size_t i, Key& key) { key = out[i]; });
    } else {
      std::fill(out, out + low, Key{0});
      std::fill(out + high, out + count, Key{0});
    }
  }
  return broken;
}

// A NaN is told also where there is no edge.
template <class Key>
size_t KeyMaker<Key>::find_nan(size_t at, const uint8_t* mask, int64_t count) const {
  if (input_.affinities_float32 == nullptr) return NONE;
  for (int64_t i = 0; i < count; ++i) {
    if (std::isnan(input_.affinities_float32[at + i]) && (mask == nullptr || mask[i] != 0)) return at + i;
  }
  return NONE;
}

}  // namespace

bool has_int16_keys(const MutexWatershedInput& input) {
  return input.affinities_uint8 != nullptr && input.noise_eps == 0 && input.smoothed == nullptr &&
         input.offsets.size() <= 127;
}


template <class Key>
EdgeKeys<Key> edge_keys(const MutexWatershedInput& input, const Cancellation& cancellation) {
  const Shape& shape = input.shape;
  const size_t voxels = shape.count();
  const size_t channels = input.offsets.size();
  if (voxels >= (size_t{1} << 31) || (voxels != 0 && channels > (size_t{1} << 32) / voxels - 1)) {
    throw Error(ERR_LIMIT, "shape: expected fewer than 2^31 voxels and 2^32 edges, found " + std::to_string(voxels) +
                               " voxels and " + std::to_string(channels) + " channels; work in blocks");
  }
  EdgeKeys<Key> keys;
  keys.voxels = static_cast<uint32_t>(voxels);
  keys.channels = static_cast<uint32_t>(channels);
  const Shape raster = shape.strides();
  for (uint32_t c = 0; c < channels; ++c) {
    uint64_t step = 0;  // modulo 2^64: an offset beyond the volume has no edges, so its step is never used
    for (int axis = 0; axis < shape.dimensions; ++axis) {
      step += static_cast<uint64_t>(input.offsets[c][axis]) * static_cast<uint64_t>(raster[axis]);
    }
    keys.step.push_back(static_cast<int64_t>(step));
  }
  if (voxels == 0) {
    keys.begins.resize(channels + 1);
    keys.packed.resize(channels);
    keys.values = large_array<Key>(0);
  } else {
    KeyMaker<Key>(input, keys).make(cancellation);
  }
  return keys;
}

template EdgeKeys<int16_t> edge_keys(const MutexWatershedInput&, const Cancellation&);
template EdgeKeys<int32_t> edge_keys(const MutexWatershedInput&, const Cancellation&);

}  // namespace blockwright
