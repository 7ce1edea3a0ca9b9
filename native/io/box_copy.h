// Copies and fills n-dimensional boxes between memory of different strides.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/shape.h"

namespace blockwright {

// Copies `extent` items of `item_size` bytes (1, 2, 4 or 8); strides are in bytes. `swap` reverses the bytes of each item.
void copy_box(const Shape& extent, uint8_t* target, const Shape& target_strides, const uint8_t* source,
              const Shape& source_strides, size_t item_size, bool swap);

// Copies `extent` float16 items to float items, or back; `swap` reverses the bytes of each float16.
void widen_box(const Shape& extent, uint8_t* floats, const Shape& float_strides, const uint8_t* halves,
               const Shape& half_strides, bool swap);
void narrow_box(const Shape& extent, uint8_t* halves, const Shape& half_strides, const uint8_t* floats,
                const Shape& float_strides, bool swap);

// Sets `extent` items to the `item_size` bytes at `item`.
void fill_box(const Shape& extent, uint8_t* target, const Shape& target_strides, const uint8_t* item, size_t item_size);

// Whether `count` items, one after the other, all have the bytes of `item`.
bool is_filled_with(const uint8_t* data, size_t count, const uint8_t* item, size_t item_size);

}  // namespace blockwright
