// 32-bit numbers whose count is not known before: uninitialised, and large ones grow without being copied, as the system moves
// their pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "core/large_pages.h"

namespace blockwright {

class GrowingArray {
 public:
  GrowingArray() = default;
  GrowingArray(GrowingArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)) {}
  GrowingArray& operator=(GrowingArray&&) = delete;
  ~GrowingArray() { std::free(data_); }

  uint32_t* data() const { return data_; }
  size_t size() const { return size_; }

  // Makes it `size` long, no shorter than it was. Returns the data, which may have moved.
  uint32_t* grow(size_t size) {
    if (size > room_) {
      const size_t room = size + size / 2 + 1024;
      void* const data = std::realloc(data_, room * sizeof(uint32_t));
      if (data == nullptr) throw std::bad_alloc();
      data_ = static_cast<uint32_t*>(data);
      room_ = room;
      if (room * sizeof(uint32_t) >= 4 * LARGE_PAGE) prefer_large_pages(data_, room * sizeof(uint32_t));
    }
    size_ = size;
    return data_;
  }

 private:
  uint32_t* data_ = nullptr;
  size_t size_ = 0, room_ = 0;
};

}  // namespace blockwright
