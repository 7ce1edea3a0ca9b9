// Memory for the arrays of one call, in one piece: in large pages where the system has them, also where each array is smaller than such a
// page. New memory that comes in small pages costs as much as a fast kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <type_traits>

#include "core/large_array.h"
#include "core/large_pages.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace blockwright {

// Arrays are uninitialised, and live as long as the workspace or until it is told to forget them.
class Workspace {
 public:
  // What an array of `count` takes.
  template <class T>
  static size_t room(size_t count) {
    size_t bytes;
    if (__builtin_mul_overflow(count, sizeof(T), &bytes) || bytes > ~size_t{0} / 16) throw std::bad_alloc();
    return (bytes + LINE - 1) / LINE * LINE + GAP;
  }

  // Occupies what its arrays write to, and what is left of their last large page.
  explicit Workspace(size_t bytes) {
    const size_t alignment = bytes < LARGE_PAGE / 2 ? LINE : LARGE_PAGE;
    bytes_ = (bytes / alignment + 1) * alignment;
    void* memory = nullptr;
    if (posix_memalign(&memory, alignment, bytes_) != 0) throw std::bad_alloc();
    memory_ = LargeArray<uint8_t>(static_cast<uint8_t*>(memory));
    prefer_large_pages(memory_.get(), bytes_);
    forbid(0, bytes_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { allow(0, bytes_); }

  template <class T>
  T* array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= LINE);
    const size_t bytes = room<T>(count);
    if (bytes > bytes_ - used_) throw std::logic_error("workspace: too small");
    allow(used_, count * sizeof(T));
    used_ += bytes;
    return reinterpret_cast<T*>(memory_.get() + used_ - bytes);
  }

  size_t used() const { return used_; }
  // Forgets the arrays that were asked for since used() was `used`.
  void forget(size_t used) {
    forbid(used, used_ - used);
    used_ = used;
  }

 private:
  static constexpr size_t LINE = 64;

  // AddressSanitizer knows the one piece only: it is told where arrays lie.
#ifdef __SANITIZE_ADDRESS__
  static constexpr size_t GAP = LINE;
  void forbid(size_t begin, size_t bytes) { __asan_poison_memory_region(memory_.get() + begin, bytes); }
  void allow(size_t begin, size_t bytes) { __asan_unpoison_memory_region(memory_.get() + begin, bytes); }
#else
  static constexpr size_t GAP = 0;
  void forbid(size_t, size_t) {}
  void allow(size_t, size_t) {}
#endif

  size_t bytes_;
  size_t used_ = 0;
  LargeArray<uint8_t> memory_;
};

}  // namespace blockwright
