// Encoded bytes of a chunk, in memory or in an open file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "io/buffer.h"
#include "io/codec.h"
#include "io/file.h"

namespace blockwright {

class Stretch {
 public:
  explicit Stretch(Bytes bytes) : bytes_(bytes), size_(bytes.size) {}
  // File and path must outlive it.
  Stretch(const File& file, const std::string& path, size_t size) : file_(&file), path_(&path), size_(size) {}

  size_t size() const { return size_; }
  // offset + size must not exceed its own size.
  Stretch part(size_t offset, size_t size) const {
    Stretch result = *this;
    result.offset_ += offset;
    result.size_ = size;
    return result;
  }
  void copy_to(uint8_t* target) const {
    if (file_ != nullptr) {
      read_exactly(*file_, *path_, offset_, target, size_);
    } else if (size_ > 0) {
      std::memcpy(target, bytes_.data + offset_, size_);
    }
  }
  // The bytes in memory: where they are, or in `buffer`.
  Bytes load(Buffer& buffer) const {
    if (file_ == nullptr) return {bytes_.data + offset_, size_};
    uint8_t* const target = buffer.reserve(size_);
    copy_to(target);
    return {target, size_};
  }

 private:
  Bytes bytes_;
  const File* file_ = nullptr;
  const std::string* path_ = nullptr;
  size_t offset_ = 0;
  size_t size_ = 0;
};

}  // namespace blockwright
