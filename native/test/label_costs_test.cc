// Kernels that read labels, on much work: how often they look at the cancellation, and what memory they ask for.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "core/box.h"
#include "core/cancellation.h"
#include "kernels/connected_components.h"
#include "kernels/relabel.h"
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
  std::atomic<uint64_t> polls{0};
  const size_t asked_before = asked;
  call(Cancellation(&lowered, &polls));
  return {polls, asked - asked_before};
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

// `label_of(i)`: the i-th label; `entries`: of a table 0, 1, 2, ..
template <class LabelOf>
Costs relabelled(size_t count, const LabelOf& label_of, size_t entries, Missing missing) {
  const Exact<uint64_t> labels(count), output(count), ids(entries);
  for (size_t i = 0; i < count; ++i) labels[i] = label_of(i);
  for (size_t i = 0; i < entries; ++i) ids[i] = i;
  const LookupTable table{ids.data(), ids.data(), nullptr, entries};
  return costs_of([&](const Cancellation& cancellation) {
    relabel(labels.data(), output.data(), count, table, missing, 0, 1, cancellation);
  });
}

void relabelled_with_much_to_look_up() {
  constexpr size_t MEGA = size_t{1} << 20, WINDOW = 65536;
  const auto same = [](size_t) { return uint64_t{0}; };
  const uint64_t plain = relabelled(MEGA, same, 1, Missing::error).polls;

  // The table is checked 2^20 entries at a time.
  CHECK(relabelled(4 * MEGA, same, 4 * MEGA, Missing::error).polls >= 4 * plain + 3);

  // What is known of distinct labels grows: 2^20 of them are in 2^21 places or more, all of which are filled and emptied.
  const auto distinct = [](size_t i) { return uint64_t{i}; };
  CHECK(relabelled(MEGA, distinct, MEGA, Missing::error).polls >= plain + 2 * MEGA / WINDOW);

  // As many windows as the labels pay for are filled at once, and take no more memory than is told.
  const auto far = [](size_t i) { return (i % 300) * WINDOW; };
  const Costs windows = relabelled(4 * MEGA, far, 1, Missing::keep);
  CHECK(windows.polls >= 4 * plain + 4 * MEGA / 32768);
  CHECK(windows.asked < (size_t{32} << 20) + 300 * 130 + 65536);
}

// Where the labels pay for as many windows as there are, all are looked up there, and none remembered one by one.
void relabelled_in_as_many_windows_as_it_pays_for() {
  constexpr size_t WINDOW = 65536, WINDOWS = 64;
  const auto mixed = [](size_t i) { return i * 0x9e3779b97f4a7c15u % (WINDOWS * WINDOW); };
  CHECK(relabelled(WINDOWS * 32768, mixed, 1, Missing::keep).asked < (size_t{32} << 20) + WINDOWS * 130 + 65536);
}

// The first label without an entry is told, though threads that begin behind it find theirs long before.
void first_missing_label() {
  constexpr size_t COUNT = size_t{1} << 22, QUARTER = COUNT / 4;
  const Exact<uint64_t> labels(COUNT), output(COUNT), ids(QUARTER);
  for (size_t i = 0; i < QUARTER; ++i) labels[i] = ids[i] = i;
  for (size_t slab = 1; slab < 4; ++slab) labels[slab * QUARTER] = COUNT + slab;
  labels[QUARTER - 1] = COUNT;
  const LookupTable table{ids.data(), ids.data(), nullptr, QUARTER - 1};
  for (const size_t threads : {size_t{1}, size_t{2}, size_t{4}}) {
    std::string told;
    try {
      relabel(labels.data(), output.data(), COUNT, table, Missing::error, 0, threads, Cancellation());
    } catch (const Error& error) {
      told = error.what();
    }
    CHECK(told == "lookup table: expected an entry for every label, found none for " + std::to_string(COUNT));
  }
}

}  // namespace

int main() {
  components_of_long_rows();
  relabelled_with_much_to_look_up();
  relabelled_in_as_many_windows_as_it_pays_for();
  first_missing_label();
  return 0;
}
