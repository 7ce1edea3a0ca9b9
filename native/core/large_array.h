// Uninitialised memory for arrays that are read at random: in large pages where the system has them, which saves most
// page faults and most misses of the address cache.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#include "core/large_pages.h"

namespace blockwright {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

template <class T>
using LargeArray = std::unique_ptr<T[], FreeMemory>;

template <class T>
LargeArray<T> large_array(size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  size_t bytes;
  if (__builtin_mul_overflow(count, sizeof(T), &bytes) || bytes > ~size_t{0} - LARGE_PAGE) throw std::bad_alloc();
  // The rest behind the last whole large page is made a large page too only where that is little beside the array.
  const bool large = bytes >= LARGE_PAGE;
  const size_t room = large ? (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE : (bytes / 64 + 1) * 64;
  void* const memory = std::aligned_alloc(large ? LARGE_PAGE : 64, room);
  if (memory == nullptr) throw std::bad_alloc();
  if (large) prefer_large_pages(memory, bytes >= 4 * LARGE_PAGE ? room : bytes);
  return LargeArray<T>(static_cast<T*>(memory));
}

}  // namespace blockwright
