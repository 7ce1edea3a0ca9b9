// Memory that is reused from chunk to chunk and never initialised: fresh pages cost five times warm ones.
#pragma once

#include <cstddef>
#include <cstdint>

namespace blockwright {

class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { release(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // At least `size` bytes. What was in the buffer is lost when it grows. Throws std::bad_alloc.
  uint8_t* reserve(size_t size) {
    if (size > capacity_) grow(size);
    return data_;
  }

 private:
  void grow(size_t size);
  void release();

  void* memory_ = nullptr;
  size_t mapped_ = 0;  // bytes of its own mapping; 0 where the memory is the allocator's
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace blockwright
