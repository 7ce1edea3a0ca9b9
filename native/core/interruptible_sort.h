// A sort that looks at the cancellation now and then.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/cancellation.h"

namespace blockwright {

// As std::sort: parts of it, then merges of them. Elements that are equal may end in another order.
template <class Iterator, class Less>
void interruptible_sort(Iterator begin, Iterator end, const Less& less, const Cancellation& cancellation) {
  constexpr ptrdiff_t PART = ptrdiff_t{1} << 16;
  const ptrdiff_t count = end - begin;
  for (ptrdiff_t at = 0; at < count; at += PART) {
    cancellation.check();
    std::sort(begin + at, begin + std::min(at + PART, count), less);
  }
  for (ptrdiff_t width = PART; width < count; width *= 2) {
    for (ptrdiff_t at = 0; at + width < count; at += 2 * width) {
      cancellation.check();
      std::inplace_merge(begin + at, begin + at + width, begin + std::min(at + 2 * width, count), less);
    }
  }
}

}  // namespace blockwright
