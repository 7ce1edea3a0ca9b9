// Memory that is reused from chunk to chunk and never initialised: fresh pages cost five times warm ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace blockwright {

class Buffer {
 public:
  // At least `size` bytes. What was in the buffer is lost when it grows.
  uint8_t* reserve(size_t size) {
    if (size > capacity_) {
      data_.reset();
      capacity_ = 0;
      data_.reset(new uint8_t[size]);
      capacity_ = size;
    }
    return data_.get();
  }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t capacity_ = 0;
};

}  // namespace blockwright
