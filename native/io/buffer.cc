#include "io/buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

#include "core/large_pages.h"

namespace blockwright {

// Large buffers have a mapping of their own, that begins on a large page and is given back as a whole: in the allocator's heaps
// large pages would stay behind.
void Buffer::grow(size_t size) {
  release();
  if (size < LARGE_PAGE) {
    memory_ = std::malloc(size);
    if (memory_ == nullptr) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(memory_);
  } else {
    if (size > SIZE_MAX - LARGE_PAGE) throw std::bad_alloc();
    void* const memory = mmap(nullptr, size + LARGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = memory;
    mapped_ = size + LARGE_PAGE;
    data_ = static_cast<uint8_t*>(memory) + (LARGE_PAGE - reinterpret_cast<uintptr_t>(memory) % LARGE_PAGE);
    prefer_large_pages(data_, size);
  }
  capacity_ = size;
}

void Buffer::release() {
  if (mapped_ > 0) {
    munmap(memory_, mapped_);
  } else {
    std::free(memory_);
  }
  memory_ = nullptr;
  data_ = nullptr;
  mapped_ = capacity_ = 0;
}

}  // namespace blockwright
