// Hints to the system about large memory. That it is about to be filled: pages of 2 MiB cost a fraction of the faults of 4 kB ones. Most of the
// time of reading a well compressed array into new memory went into faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/resource.h>
#endif

namespace blockwright {

constexpr size_t LARGE_PAGE = size_t{1} << 21;

#if defined(__linux__)
// Only the large pages that lie wholly inside the memory. A hint: its failure changes nothing.
inline void advise_large_pages(const void* memory, size_t bytes, int advice) {
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t begin = (address + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
  const uintptr_t end = (address + bytes) / LARGE_PAGE * LARGE_PAGE;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}
#endif

// Memory so prepared occupies no more than without large pages, but for what its owner has rounded up.
inline void prefer_large_pages([[maybe_unused]] const void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  advise_large_pages(memory, bytes, MADV_HUGEPAGE);
#endif
}

// What is in the memory is of no use any more: where memory is short the system may take its large pages, without notice, until
// they are written again.
inline void may_be_taken([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__linux__) && defined(MADV_FREE)
  advise_large_pages(memory, bytes, MADV_FREE);
#endif
}

// Whether the memory that this process may have is limited (ulimit -v, -d): what the system may take counts there all the same.
inline bool memory_is_limited() {
#if defined(__linux__)
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) return true;
  }
#endif
  return false;
}

}  // namespace blockwright
