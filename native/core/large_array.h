// Uninitialised memory for arrays that are read at random: in large pages where the system has them, which saves most
// page faults and most misses of the address cache.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace blockwright {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

template <class T>
using LargeArray = std::unique_ptr<T[], FreeMemory>;

template <class T>
LargeArray<T> large_array(size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  constexpr size_t PAGE = size_t{1} << 21;
  size_t bytes;
  if (__builtin_mul_overflow(count, sizeof(T), &bytes) || bytes > ~size_t{0} - PAGE) throw std::bad_alloc();
  const bool large = bytes >= 4 * PAGE;
  bytes = large ? (bytes + PAGE - 1) / PAGE * PAGE : (bytes / 64 + 1) * 64;
  void* const memory = std::aligned_alloc(large ? PAGE : 64, bytes);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: without it everything works, slower
#endif
  return LargeArray<T>(static_cast<T*>(memory));
}

}  // namespace blockwright
