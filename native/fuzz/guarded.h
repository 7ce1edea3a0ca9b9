// Memory that ends at a page that cannot be touched: also what a codec library, which is not instrumented, reads or writes beyond
// the end is seen.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace blockwright {

class Guarded {
 public:
  explicit Guarded(size_t capacity)
      : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        capacity_((capacity + MARGIN + page_ - 1) / page_ * page_),
        begin_(static_cast<uint8_t*>(
            mmap(nullptr, capacity_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    if (begin_ == MAP_FAILED || mprotect(begin_ + capacity_, page_, PROT_NONE) != 0) throw std::bad_alloc();
  }
  ~Guarded() { munmap(begin_, capacity_ + page_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  // The last `size` bytes, all set to `value`, behind a margin that begins_whole() looks at.
  uint8_t* last(size_t size, uint8_t value) {
    uint8_t* const data = begin_ + capacity_ - size;
    std::memset(data - MARGIN, MARK, MARGIN);
    std::memset(data, value, size);
    return data;
  }
  // Whether nothing was written before the bytes that last() gave.
  static bool begins_whole(const uint8_t* data) {
    for (size_t i = 1; i <= MARGIN; ++i) {
      if (data[-static_cast<ptrdiff_t>(i)] != MARK) return false;
    }
    return true;
  }

 private:
  static constexpr size_t MARGIN = 64;
  static constexpr uint8_t MARK = 0xa5;
  const size_t page_;
  const size_t capacity_;
  uint8_t* const begin_;
};

}  // namespace blockwright
