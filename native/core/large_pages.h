// A hint to the system that memory is about to be filled: pages of 2 MiB cost a fraction of the faults of 4 kB ones. Most of the
// time of reading a well compressed array into new memory went into faults.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace blockwright {

constexpr size_t LARGE_PAGE = size_t{1} << 21;

// Only the large pages that lie wholly inside the memory, so that it occupies no more than without them.
inline void prefer_large_pages(const void* memory, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t begin = (address + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
  const uintptr_t end = (address + bytes) / LARGE_PAGE * LARGE_PAGE;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // a hint: its failure changes nothing
#else
  (void)memory;
  (void)bytes;
#endif
}

}  // namespace blockwright
