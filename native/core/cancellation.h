// How a kernel learns that its caller no longer wants the result: it polls one byte that JavaScript sets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#ifdef BLOCKWRIGHT_COUNT_POLLS
#include <atomic>
#endif

#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

class Cancellation {
 public:
  Cancellation() = default;
  explicit Cancellation(const uint8_t* flag) : flag_(flag) {}
#ifdef BLOCKWRIGHT_COUNT_POLLS
  // Only in the unit tests, which ask how often kernels look.
  Cancellation(const uint8_t* flag, std::atomic<uint64_t>* polls) : flag_(flag), polls_(polls) {}
#endif

  bool requested() const {
#ifdef BLOCKWRIGHT_COUNT_POLLS
    if (polls_ != nullptr) ++*polls_;
#endif
    return flag_ != nullptr && __atomic_load_n(flag_, __ATOMIC_RELAXED) != 0;
  }

  // Call every millisecond or so of work.
  void check() const {
    if (requested()) throw Error(ERR_CANCELLED, "cancelled");
  }

 private:
  const uint8_t* flag_ = nullptr;
#ifdef BLOCKWRIGHT_COUNT_POLLS
  std::atomic<uint64_t>* polls_ = nullptr;
#endif
};

// Calls work(i) for every i in [0, count), and looks at the cancellation now and then.
template <class Work>
void for_each_checked(size_t count, const Cancellation& cancellation, const Work& work) {
  constexpr size_t UNLOOKED = 65536;
  for (size_t begin = 0; begin < count; begin += UNLOOKED) {
    cancellation.check();
    const size_t end = std::min(count, begin + UNLOOKED);
    for (size_t i = begin; i < end; ++i) work(i);
  }
}

}  // namespace blockwright
