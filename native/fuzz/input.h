// The bytes of a fuzz input, written field by field and read back. Reading beyond the end gives zeros, so that any file is an
// input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/span.h"

namespace blockwright {

class InputWriter {
 public:
  void number(uint64_t value) {
    for (int byte = 0; byte < 8; ++byte) bytes_.push_back(static_cast<uint8_t>(value >> (8 * byte)));
  }
  void rest(const std::vector<uint8_t>& bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

class InputReader {
 public:
  explicit InputReader(Span<const uint8_t> bytes) : bytes_(bytes) {}
  uint64_t number() {
    uint64_t value = 0;
    for (int byte = 0; byte < 8 && position_ < bytes_.size; ++byte) value |= uint64_t{bytes_[position_++]} << (8 * byte);
    return value;
  }
  // A number in [0, limit).
  uint64_t below(uint64_t limit) { return number() % limit; }
  // What follows the first `size` bytes.
  Span<const uint8_t> after(size_t size) const {
    size = std::min(size, bytes_.size);
    return {bytes_.data + size, bytes_.size - size};
  }

 private:
  Span<const uint8_t> bytes_;
  size_t position_ = 0;
};

}  // namespace blockwright
