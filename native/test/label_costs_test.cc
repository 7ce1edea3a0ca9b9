// Kernels that read labels, on much work: how often they look at the cancellation, and what memory they ask for.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "core/box.h"
#include "core/cancellation.h"
#include "kernels/connected_components.h"
#include "test/check.h"

namespace {
std::atomic<size_t> asked{0};  // bytes, by all that uses operator new
}

void* operator new(size_t bytes) {
  asked += bytes;
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

using namespace blockwright;

namespace {

struct Costs {
  uint64_t polls;
  size_t asked;  // bytes
};

template <class Call>
Costs costs_of(const Call& call) {
  const uint8_t lowered = 0;
  const uint64_t polls_before = polls;
  const size_t asked_before = asked;
  call(Cancellation(&lowered));
  return {polls - polls_before, asked - asked_before};
}

// `kinds`: labels 1, 2, .., kinds by turns along a row.
Costs components(const Shape& shape, size_t kinds, int reach, size_t threads) {
  const Exact<uint8_t> labels(shape.count());
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<uint8_t>(1 + i % kinds);
  const Exact<uint32_t> output(labels.size());
  Box all{shape, shape};
  for (int axis = 0; axis < shape.dimensions; ++axis) all.begin[axis] = 0;
  return costs_of([&](const Cancellation& cancellation) {
    connected_components(labels.data(), shape, all, reach, 0, threads, output.data(), cancellation);
  });
}

void components_of_long_rows() {
  constexpr size_t MEGA = size_t{1} << 20, LENGTH = 4 * MEGA, PIECES = LENGTH / 65536;
  const Shape row({LENGTH}), rows({2, LENGTH});

  // The row is looked at and painted piece by piece, and has no neighbours to be joined with.
  const Costs one = components(row, 1, 1, 1);
  CHECK(one.polls >= 2 * PIECES);
  CHECK(one.asked < 65536);

  for (const int reach : {1, 2}) {
    const Costs two = components(rows, 1, reach, 1);
    CHECK(two.polls >= 5 * PIECES);  // both rows twice, and the second joined with the first
    CHECK(two.asked < 2 * MEGA);
  }

  // Runs are numbered, and those of two strips put behind each other, 2^20 at a time.
  CHECK(components(row, 2, 1, 1).polls >= one.polls + LENGTH / MEGA - 1);
  const Costs together = components(rows, 2, 2, 1), strips = components(rows, 2, 2, 2);
  CHECK(strips.polls >= together.polls + LENGTH / MEGA);
  CHECK(strips.asked < 3 * 2 * MEGA);
}

}  // namespace

int main() {
  components_of_long_rows();
  return 0;
}
