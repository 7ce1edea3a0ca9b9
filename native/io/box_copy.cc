#include "io/box_copy.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/error_codes.h"
#include "io/float16.h"

namespace blockwright {

namespace {

uint8_t swapped(uint8_t value) { return value; }
uint16_t swapped(uint16_t value) { return __builtin_bswap16(value); }
uint32_t swapped(uint32_t value) { return __builtin_bswap32(value); }
uint64_t swapped(uint64_t value) { return __builtin_bswap64(value); }

// Copies rows along the last axis. Items may be unaligned (a region may begin anywhere in a file), hence memcpy.
template <class Item, bool Swap>
void copy_row(int64_t count, uint8_t* target, int64_t target_stride, const uint8_t* source, int64_t source_stride) {
  constexpr int64_t size = sizeof(Item);
  if (target_stride == size && source_stride == size) {
    if constexpr (!Swap) {
      std::memcpy(target, source, count * size);
      return;
    }
    target_stride = source_stride = size;  // known to the compiler, so that it uses vectors
    for (int64_t i = 0; i < count; ++i) {
      Item item;
      std::memcpy(&item, source + i * size, size);
      item = swapped(item);
      std::memcpy(target + i * size, &item, size);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    Item item;
    std::memcpy(&item, source + i * source_stride, size);
    if constexpr (Swap) item = swapped(item);
    std::memcpy(target + i * target_stride, &item, size);
  }
}

// Calls row(target offset, source offset, length) for every row along the last axis.
template <class Row>
void for_each_row(const Shape& extent, const Shape& target_strides, const Shape& source_strides, const Row& row) {
  for (int axis = 0; axis < extent.dimensions; ++axis) {
    if (extent[axis] <= 0) return;
  }
  if (extent.dimensions == 0) return row(0, 0, 1, 0, 0);
  // Axes that are contiguous on both sides are joined into longer rows.
  Shape count = extent;
  Shape target = target_strides;
  Shape source = source_strides;
  int last = extent.dimensions - 1;
  while (last > 0 && target[last - 1] == target[last] * count[last] && source[last - 1] == source[last] * count[last]) {
    count[last - 1] *= count[last];
    target[last - 1] = target[last];
    source[last - 1] = source[last];
    --last;
  }
  Shape position;
  int64_t target_offset = 0;
  int64_t source_offset = 0;
  while (true) {
    row(target_offset, source_offset, count[last], target[last], source[last]);
    int axis = last - 1;
    for (; axis >= 0; --axis) {
      target_offset += target[axis];
      source_offset += source[axis];
      if (++position[axis] < count[axis]) break;
      target_offset -= target[axis] * count[axis];
      source_offset -= source[axis] * count[axis];
      position[axis] = 0;
    }
    if (axis < 0) return;
  }
}

template <class Item>
void copy_items(const Shape& extent, uint8_t* target, const Shape& target_strides, const uint8_t* source,
                const Shape& source_strides, bool swap) {
  for_each_row(extent, target_strides, source_strides,
               [=](int64_t target_offset, int64_t source_offset, int64_t count, int64_t target_stride, int64_t source_stride) {
                 const auto copy = swap ? copy_row<Item, true> : copy_row<Item, false>;
                 copy(count, target + target_offset, target_stride, source + source_offset, source_stride);
               });
}

template <class Convert>
void convert_items(const Shape& extent, uint8_t* target, const Shape& target_strides, const uint8_t* source,
                   const Shape& source_strides, const Convert& convert) {
  for_each_row(extent, target_strides, source_strides,
               [&](int64_t target_offset, int64_t source_offset, int64_t count, int64_t target_stride, int64_t source_stride) {
                 for (int64_t i = 0; i < count; ++i) {
                   convert(target + target_offset + i * target_stride, source + source_offset + i * source_stride);
                 }
               });
}

template <class Item>
void fill_items(const Shape& extent, uint8_t* target, const Shape& target_strides, const uint8_t* item) {
  Item value;
  std::memcpy(&value, item, sizeof(Item));
  const bool zero = value == 0;
  for_each_row(extent, target_strides, target_strides,
               [=](int64_t offset, int64_t, int64_t count, int64_t stride, int64_t) {
                 if (zero && stride == static_cast<int64_t>(sizeof(Item))) {
                   std::memset(target + offset, 0, count * sizeof(Item));
                   return;
                 }
                 for (int64_t i = 0; i < count; ++i) std::memcpy(target + offset + i * stride, &value, sizeof(Item));
               });
}

}  // namespace

void copy_box(const Shape& extent, uint8_t* target, const Shape& target_strides, const uint8_t* source,
              const Shape& source_strides, size_t item_size, bool swap) {
  switch (item_size) {
    case 1:
      return copy_items<uint8_t>(extent, target, target_strides, source, source_strides, false);
    case 2:
      return copy_items<uint16_t>(extent, target, target_strides, source, source_strides, swap);
    case 4:
      return copy_items<uint32_t>(extent, target, target_strides, source, source_strides, swap);
    case 8:
      return copy_items<uint64_t>(extent, target, target_strides, source, source_strides, swap);
  }
  throw Error(ERR_ARGUMENT, "itemSize: expected 1, 2, 4 or 8");
}

void widen_box(const Shape& extent, uint8_t* floats, const Shape& float_strides, const uint8_t* halves,
               const Shape& half_strides, bool swap) {
  convert_items(extent, floats, float_strides, halves, half_strides, [swap](uint8_t* target, const uint8_t* source) {
    uint16_t half;
    std::memcpy(&half, source, sizeof(half));
    const float value = float_from_half(swap ? swapped(half) : half);
    std::memcpy(target, &value, sizeof(value));
  });
}

void narrow_box(const Shape& extent, uint8_t* halves, const Shape& half_strides, const uint8_t* floats,
                const Shape& float_strides, bool swap) {
  convert_items(extent, halves, half_strides, floats, float_strides, [swap](uint8_t* target, const uint8_t* source) {
    float value;
    std::memcpy(&value, source, sizeof(value));
    uint16_t half = half_from_float(value);
    if (swap) half = swapped(half);
    std::memcpy(target, &half, sizeof(half));
  });
}

void fill_box(const Shape& extent, uint8_t* target, const Shape& target_strides, const uint8_t* item, size_t item_size) {
  switch (item_size) {
    case 1:
      return fill_items<uint8_t>(extent, target, target_strides, item);
    case 2:
      return fill_items<uint16_t>(extent, target, target_strides, item);
    case 4:
      return fill_items<uint32_t>(extent, target, target_strides, item);
    case 8:
      return fill_items<uint64_t>(extent, target, target_strides, item);
  }
  throw Error(ERR_ARGUMENT, "itemSize: expected 1, 2, 4 or 8");
}

bool is_filled_with(const uint8_t* data, size_t count, const uint8_t* item, size_t item_size) {
  if (count == 0) return true;
  // The first item is right and every byte equals the one an item before it.
  return std::memcmp(data, item, item_size) == 0 && std::memcmp(data, data + item_size, (count - 1) * item_size) == 0;
}

}  // namespace blockwright
