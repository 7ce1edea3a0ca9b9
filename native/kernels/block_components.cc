#include "kernels/block_components.h"

#include <algorithm>
#include <utility>

#include "core/box.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/large_array.h"
#include "kernels/connected_components.h"

namespace blockwright {

namespace {

using Pair = std::pair<uint64_t, uint64_t>;

constexpr size_t CHECKED = 65536;  // voxels between looks at the cancellation

// The next place of a box in raster order, over its first `axes` axes.
void advance(Shape& position, const Shape& box, int axes) {
  for (int axis = axes - 1; axis >= 0; --axis) {
    if (++position[axis] < box[axis]) return;
    position[axis] = 0;
  }
}

Shape place_at(size_t index, const Shape& box) {
  Shape result = box;
  for (int axis = box.dimensions - 1; axis >= 0; --axis) {
    result[axis] = static_cast<int64_t>(index % static_cast<size_t>(box[axis]));
    index /= static_cast<size_t>(box[axis]);
  }
  return result;
}

size_t offset_of(const Shape& position, const Shape& strides) {
  int64_t result = 0;
  for (int axis = 0; axis < strides.dimensions; ++axis) result += position[axis] * strides[axis];
  return static_cast<size_t>(result);
}

// A box in the labels that is one voxel thick along some axes, cut into connected pieces.
struct Layer {
  Box box;
  std::vector<uint64_t> pieces;  // of each voxel: 0, or the number of its piece from 1
  std::vector<size_t> first;     // of each piece: its first voxel
};

template <class Label>
class Contacts {
 public:
  Contacts(const Label* labels, const Shape& shape, const BlockPlace& place, int reach, const uint64_t* output,
           const Cancellation& cancellation)
      : labels_(labels), shape_(shape), place_(place), reach_(reach), output_(output), cancellation_(cancellation) {
    block_ = shape;
    for (int axis = 0; axis < dimensions(); ++axis) block_[axis] -= place.low[axis];
    strides_ = shape.strides();
    block_strides_ = block_.strides();
    volume_strides_ = place.volume.strides();
  }

  // What the block behind will find of this block's last layers.
  void find_pieces(BlockComponents& result) {
    for (unsigned axes = 1; axes < 1u << dimensions(); ++axes) {
      if (!is_layer(axes, [&](int axis) { return place_.begin[axis] + block_[axis] < place_.volume[axis]; })) continue;
      const Layer layer = cut(axes, true);
      size_t seen = 0;
      for (const size_t first : layer.first) {
        if (seen++ % CHECKED == 0) cancellation_.check();
        const Shape position = in_labels(layer, first);
        const uint64_t piece = name(position), component = component_at(position);
        if (piece == component) continue;
        result.pieces.push_back(piece);
        pairs_.push_back({component, piece});
      }
    }
    std::sort(result.pieces.begin(), result.pieces.end());
    result.pieces.erase(std::unique(result.pieces.begin(), result.pieces.end()), result.pieces.end());
  }

  // What touches what across the block's first layers.
  void find_contacts() {
    layers_.resize(size_t{1} << dimensions());
    names_.resize(layers_.size());
    for (unsigned axes = 1; axes < layers_.size(); ++axes) {
      if (!is_layer(axes, [&](int axis) { return place_.low[axis] == 1; })) continue;
      layers_[axes] = cut(axes, false);
      for (const size_t first : layers_[axes].first) names_[axes].push_back(name(in_labels(layers_[axes], first)));
    }
    for (unsigned axes = 1; axes < layers_.size(); ++axes) {
      if (!layers_[axes].first.empty()) join(axes);
    }
  }

  void finish(BlockComponents& result) {
    std::sort(pairs_.begin(), pairs_.end());
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
    for (const Pair& pair : pairs_) {
      result.u.push_back(pair.first);
      result.v.push_back(pair.second);
    }
  }

  // Names the block's components, whose numbers are those of connected_components.
  void name_components(uint64_t* output, uint64_t count) const {
    std::vector<uint64_t> names(count + 1);
    const int outer = dimensions() - 1;
    const size_t length = static_cast<size_t>(block_[outer]);
    const size_t rows = length == 0 ? 0 : block_.count() / length;
    uint64_t next = 1;
    Shape position = block_;
    position.extent.fill(0);
    size_t left = 0;  // voxels until the next look
    for (size_t row = 0; row < rows; ++row, advance(position, block_, outer)) {
      const uint64_t first = name(plus_low(position));
      uint64_t* const voxels = output + row * length;
      for (size_t x = 0; x < length;) {
        if (left == 0) {
          cancellation_.check();
          left = CHECKED;
        }
        const size_t end = std::min(length, x + left);
        left -= end - x;
        for (; x < end; ++x) {
          if (voxels[x] == next && next <= count) names[next++] = first + x;
          voxels[x] = names[voxels[x]];
        }
      }
    }
  }

 private:
  int dimensions() const { return shape_.dimensions; }

  // Whether neighbours may differ in all these axes, and there is a neighbour along each.
  template <class HasNeighbour>
  bool is_layer(unsigned axes, const HasNeighbour& has_neighbour) const {
    if (__builtin_popcount(axes) > reach_) return false;
    for (int axis = 0; axis < dimensions(); ++axis) {
      if ((axes >> axis & 1) != 0 && !has_neighbour(axis)) return false;
    }
    return true;
  }

  // Of a place in the labels.
  uint64_t name(const Shape& position) const {
    int64_t result = 1;
    for (int axis = 0; axis < dimensions(); ++axis) {
      result += (place_.begin[axis] - place_.low[axis] + position[axis]) * volume_strides_[axis];
    }
    return static_cast<uint64_t>(result);
  }

  Shape plus_low(Shape position) const {
    for (int axis = 0; axis < dimensions(); ++axis) position[axis] += place_.low[axis];
    return position;
  }

  Shape in_labels(const Layer& layer, size_t index) const {
    Shape result = place_at(index, layer.box.shape);
    for (int axis = 0; axis < dimensions(); ++axis) result[axis] += layer.box.begin[axis];
    return result;
  }

  uint64_t component_at(Shape position) const {
    for (int axis = 0; axis < dimensions(); ++axis) position[axis] -= place_.low[axis];
    return output_[offset_of(position, block_strides_)];
  }

  // The name of whatever has a label at a place in the labels.
  uint64_t name_at(const Shape& position) const {
    unsigned axes = 0;
    for (int axis = 0; axis < dimensions(); ++axis) axes |= (position[axis] < place_.low[axis] ? 1u : 0u) << axis;
    if (axes == 0) return component_at(position);
    const Layer& layer = layers_[axes];
    size_t index = 0;
    for (int axis = 0; axis < dimensions(); ++axis) {
      index = index * static_cast<size_t>(layer.box.shape[axis]) +
              static_cast<size_t>(position[axis] - layer.box.begin[axis]);
    }
    return names_[axes][layer.pieces[index] - 1];
  }

  // The block's last layer along `axes`, or that of the block before it.
  Layer cut(unsigned axes, bool last) const {
    Layer layer{{place_.low, block_}, {}, {}};
    Shape thin;  // without the axes along which the layer is one voxel thick: rows stay long
    for (int axis = 0; axis < dimensions(); ++axis) {
      if ((axes >> axis & 1) == 0) {
        thin[thin.dimensions++] = block_[axis];
        continue;
      }
      layer.box.begin[axis] = last ? shape_[axis] - 1 : 0;
      layer.box.shape[axis] = 1;
    }
    if (thin.dimensions == 0) thin[thin.dimensions++] = 1;
    const size_t count = thin.count();
    std::vector<Label> labels(count);
    Shape position = layer.box.shape;
    position.extent.fill(0);
    const size_t corner = offset_of(layer.box.begin, strides_);
    for (size_t index = 0; index < count; ++index, advance(position, layer.box.shape, dimensions())) {
      if (index % CHECKED == 0) cancellation_.check();
      labels[index] = labels_[corner + offset_of(position, strides_)];
    }
    layer.pieces.resize(count);
    Box all{thin, thin};
    all.begin.extent.fill(0);
    const int reach = std::min(reach_, thin.dimensions);
    const uint64_t pieces =
        connected_components(labels.data(), thin, all, reach, 0, 1, layer.pieces.data(), cancellation_);
    layer.first.reserve(pieces);
    for (size_t index = 0; layer.first.size() < pieces; ++index) {
      if (layer.pieces[index] == layer.first.size() + 1) layer.first.push_back(index);
    }
    return layer;
  }

  // Steps from a voxel of the layer before the block to neighbours that are not before it along these axes: straight
  // ahead, and then all others.
  std::vector<Shape> steps_from(unsigned axes) const {
    std::vector<Shape> result;
    size_t codes = 1;
    for (int axis = 0; axis < dimensions(); ++axis) codes *= 3;
    for (size_t code = 0; code < codes; ++code) {
      Shape step = shape_;
      size_t rest = code;
      int changes = 0;
      bool wanted = true;
      for (int axis = 0; axis < dimensions(); ++axis, rest /= 3) {
        step[axis] = static_cast<int64_t>(rest % 3) - 1;
        changes += step[axis] != 0;
        wanted = wanted && ((axes >> axis & 1) == 0 || step[axis] == 1);
      }
      if (!wanted || changes > reach_) continue;
      result.push_back(step);
      if (changes == __builtin_popcount(axes)) std::swap(result.front(), result.back());
    }
    return result;
  }

  void join(unsigned axes) {
    const Layer& layer = layers_[axes];
    const std::vector<Shape> steps = steps_from(axes);
    Pair last{0, 0};
    Shape position = layer.box.shape;
    position.extent.fill(0);
    for (size_t index = 0; index < layer.pieces.size(); ++index, advance(position, layer.box.shape, dimensions())) {
      if (index % CHECKED == 0) cancellation_.check();
      if (layer.pieces[index] == 0) continue;
      const uint64_t own = names_[axes][layer.pieces[index] - 1];
      Shape from = position;
      for (int axis = 0; axis < dimensions(); ++axis) from[axis] += layer.box.begin[axis];
      const Label label = labels_[offset_of(from, strides_)];
      for (size_t step = 0; step < steps.size(); ++step) {
        Shape to = from;
        bool inside = true;
        for (int axis = 0; axis < dimensions(); ++axis) {
          to[axis] += steps[step][axis];
          inside = inside && to[axis] >= 0 && to[axis] < shape_[axis];
        }
        if (!inside || labels_[offset_of(to, strides_)] != label) continue;
        const uint64_t other = name_at(to);
        const Pair pair{std::min(own, other), std::max(own, other)};
        if (pair != last) pairs_.push_back(pair);
        last = pair;
        // Whatever else this voxel touches touches the voxel straight ahead, too, and is joined with that one.
        if (step == 0) break;
      }
    }
  }

  const Label* labels_;
  const Shape shape_;
  const BlockPlace& place_;
  const int reach_;
  const uint64_t* output_;
  const Cancellation& cancellation_;
  Shape block_, strides_, block_strides_, volume_strides_;
  std::vector<Layer> layers_;                // by axes: of the blocks before
  std::vector<std::vector<uint64_t>> names_;  // of their pieces
  std::vector<Pair> pairs_;
};

template <class Label>
BlockComponents components_of(const Label* labels, const Shape& shape, const BlockPlace& place, int reach, size_t threads,
                              uint64_t* output, const Cancellation& cancellation) {
  Box block{place.low, shape};
  for (int axis = 0; axis < shape.dimensions; ++axis) block.shape[axis] -= place.low[axis];
  BlockComponents result;
  result.count = connected_components(labels, shape, block, reach, 0, threads, output, cancellation);
  if (block.shape.count() == 0) return result;
  Contacts<Label> contacts(labels, shape, place, reach, output, cancellation);
  contacts.name_components(output, result.count);
  contacts.find_pieces(result);
  contacts.find_contacts();
  contacts.finish(result);
  return result;
}

}  // namespace

void check_place(const Shape& shape, const BlockPlace& place) {
  const int dimensions = shape.dimensions;
  bool good = place.low.dimensions == dimensions && place.begin.dimensions == dimensions &&
              place.volume.dimensions == dimensions;
  for (int axis = 0; good && axis < dimensions; ++axis) {
    const int64_t low = place.low[axis], begin = place.begin[axis];
    good = (low == 0 || low == 1) && low <= shape[axis] && begin >= low && begin <= place.volume[axis] &&
           shape[axis] - low <= place.volume[axis] - begin;
  }
  if (!good) throw Error(ERR_ARGUMENT, "block: expected one inside the volume, behind the layers before it");
  place.volume.count();
}

template <class Label>
BlockComponents block_components(const Label* labels, const Shape& shape, const BlockPlace& place, int reach, bool binary,
                                 size_t threads, uint64_t* output, const Cancellation& cancellation) {
  check_place(shape, place);
  if (!binary) return components_of(labels, shape, place, reach, threads, output, cancellation);
  const size_t voxels = shape.count();
  const LargeArray<uint8_t> mask = large_array<uint8_t>(voxels);
  constexpr size_t STEP = size_t{1} << 20;
  for (size_t begin = 0; begin < voxels; begin += STEP) {
    cancellation.check();
    const size_t end = std::min(voxels, begin + STEP);
    for (size_t i = begin; i < end; ++i) mask[i] = labels[i] != 0;
  }
  return components_of(mask.get(), shape, place, reach, threads, output, cancellation);
}

#define BLOCKWRIGHT_INSTANCE(Label)                                                                             \
  template BlockComponents block_components(const Label*, const Shape&, const BlockPlace&, int, bool, size_t, \
                                            uint64_t*, const Cancellation&);
BLOCKWRIGHT_INSTANCE(uint8_t)
BLOCKWRIGHT_INSTANCE(uint16_t)
BLOCKWRIGHT_INSTANCE(uint32_t)
BLOCKWRIGHT_INSTANCE(uint64_t)
#undef BLOCKWRIGHT_INSTANCE

}  // namespace blockwright
