// The helpers under the kernels: bits of equal labels, numbering, mapped files, threads.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <limits>
#include <map>
#include <numeric>

#include "core/equal_bits.h"
#include "core/error_codes.h"
#include "core/id_index.h"
#include "core/id_map.h"
#include "core/label_table.h"
#include "core/mapped_file.h"
#include "core/memory_pool.h"
#include "core/parallel.h"
#include "core/radix_sort.h"
#include "core/recent_pairs.h"
#include "core/workspace.h"
#include "test/check.h"

using namespace blockwright;

namespace {

template <class T>
void equal_labels(void (*equal_bits)(const T* a, const T* b, size_t count, uint64_t* words)) {
  Random random(5);
  for (size_t count = 0; count < 200; ++count) {
    Exact<T> a(count), b(count);
    Exact<uint64_t> words((count + 63) / 64);
    for (size_t i = 0; i < count; ++i) {
      // Differences in any one bit alone.
      a[i] = static_cast<T>(random.next());
      b[i] = static_cast<T>(a[i] ^ (random.below(3) == 0 ? uint64_t{1} << random.below(8 * sizeof(T)) : 0));
    }
    equal_bits(a.data(), b.data(), count, words.data());
    for (size_t i = 0; i < words.size() * 64; ++i) {
      CHECK((words[i / 64] >> (i % 64) & 1) == (i < count && a[i] == b[i] ? 1u : 0u));
    }
  }
}

template <class T>
void marked_runs(void (*mark_runs)(const T* values, size_t count, uint64_t* changes, uint64_t* labelled)) {
  Random random(9);
  for (size_t count = 1; count < 200; ++count) {
    Exact<T> values(count);
    Exact<uint64_t> changes((count + 63) / 64), labelled((count + 63) / 64);
    for (size_t i = 0; i < count; ++i) {
      // Differences in any one bit alone.
      const T other = random.below(2) == 0 ? T{0} : static_cast<T>(T{1} << random.below(8 * sizeof(T)));
      values[i] = i == 0 || random.below(3) == 0 ? other : values[i - 1];
    }
    mark_runs(values.data(), count, changes.data(), labelled.data());
    for (size_t i = 0; i < changes.size() * 64; ++i) {
      const bool change = i == 0 || i == count || (i < count && values[i] != values[i - 1]);
      CHECK((changes[i / 64] >> (i % 64) & 1) == (change ? 1u : 0u));
      CHECK((labelled[i / 64] >> (i % 64) & 1) == (i < count && values[i] != 0 ? 1u : 0u));
    }
  }
}

void changes(const LabelComparison& comparison) {
  Random random(8);
  for (size_t count = 1; count < 200; ++count) {
    for (const uint64_t mean : {1, 2, 40}) {
      Exact<uint64_t> values(count);
      Exact<uint32_t> places(count + 8);
      for (size_t i = 0; i < count; ++i) values[i] = i == 0 || random.below(mean) == 0 ? random.next() : values[i - 1];
      const size_t found = comparison.find_changes(values.data(), count, places.data());
      size_t expected = 0;
      for (size_t i = 1; i < count; ++i) {
        if (values[i] != values[i - 1]) CHECK(places[expected++] == i);
      }
      CHECK(found == expected);
    }
  }
}

void runs() {
  Random random(6);
  for (const size_t count : {size_t{0}, size_t{1}, size_t{64}, size_t{2048}, size_t{2049}, size_t{2050}, size_t{9000}}) {
    for (const uint64_t mean : {1, 3, 500, 100000}) {
      Exact<uint64_t> values(count);
      for (size_t i = 0; i < count; ++i) values[i] = i == 0 || random.below(mean) == 0 ? random.below(3) : values[i - 1];
      size_t next = 0;
      for_each_run(values.data(), count, [&](size_t begin, size_t end) {
        CHECK(begin == next && begin < end && end <= count);
        for (size_t i = begin; i < end; ++i) CHECK(values[i] == values[begin]);
        CHECK(end == count || values[end] != values[begin]);
        next = end;
      });
      CHECK(next == count);
    }
  }
}

void numbering() {
  Random random(7);
  const uint64_t largest = std::numeric_limits<uint64_t>::max();
  for (const uint64_t spread : {uint64_t{1}, uint64_t{0x9e3779b97f4a7c15u}, uint64_t{1} << 32, uint64_t{1} << 54}) {
    IdMap map;
    std::map<uint64_t, uint32_t> expected;
    for (int i = 0; i < 20000; ++i) {
      const uint64_t key = random.below(9000) * spread + 1;
      const uint32_t number = expected.emplace(key, static_cast<uint32_t>(expected.size())).first->second;
      CHECK(map.insert(key) == number && map.keys()[number] == key);
    }
    CHECK(map.size() == expected.size());
  }
  for (const uint64_t base : {uint64_t{0}, largest - 40}) {
    for (const uint64_t step : {uint64_t{1}, uint64_t{1} << 50}) {
      Exact<uint64_t> labels(3000);
      for (size_t i = 0; i < labels.size(); ++i) labels[i] = random.below(4) == 0 ? 0 : base + random.below(41) * step;
      LabelTable table(labels.data(), labels.size(), Cancellation());
      for (size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] != 0) CHECK(table.ids()[table.number(labels[i])] == labels[i]);
      }
      const std::vector<uint32_t> order = table.ascending(Cancellation());
      CHECK(order.size() == table.ids().size());
      for (size_t i = 1; i < order.size(); ++i) CHECK(table.ids()[order[i - 1]] < table.ids()[order[i]]);
    }
  }
  const uint64_t zeros[] = {0, 0};
  CHECK(label_range(zeros, 2, Cancellation()).largest == 0 && LabelTable(zeros, 2, Cancellation()).ascending(Cancellation()).empty());
  const uint64_t ends[] = {0, largest, 1};
  CHECK(label_range(ends, 3, Cancellation()).smallest == 1 && label_range(ends, 3, Cancellation()).largest == largest);
}

void mapping() {
  const std::string path = "core_test.tmp";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr && std::fputs("content", file) >= 0 && std::fclose(file) == 0);
  {
    const MappedFile mapped(path);
    CHECK(mapped.size() == 7 && std::string(static_cast<const char*>(mapped.data()), 7) == "content");
    static_cast<char*>(mapped.data())[0] = 'C';
    CHECK(static_cast<const char*>(MappedFile(path).data())[0] == 'c');
  }
  std::remove(path.c_str());
  CHECK_ERROR(ERR_IO, MappedFile(path));
  CHECK_ERROR(ERR_IO, MappedFile("."));
}

void threads() {
  std::vector<int> done(1000);
  parallel_for(7, done.size(), [&](size_t item) { ++done[item]; });
  CHECK(std::accumulate(done.begin(), done.end(), 0) == 1000);
  CHECK_ERROR(ERR_LIMIT, parallel_for(3, 100, [](size_t item) {
                if (item == 50) throw Error(ERR_LIMIT, "fifty");
              }));
}

// Blocks of ids with and without gaps, near and far from each other, and all ids around them.
void positions() {
  Random random(12);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint64_t> ids;
    uint64_t id = random.below(3) == 0 ? 0 : random.next() >> random.below(60);
    const uint64_t gap = 1 + random.below(3) * random.below(9);
    const uint64_t distance = uint64_t{1} << random.below(40);
    for (uint64_t count = random.below(400); count > 0; --count) {
      ids.push_back(id);
      const uint64_t step = random.below(50) == 0 ? distance : 1 + random.below(gap);
      if (id > std::numeric_limits<uint64_t>::max() - step - 2) break;
      id += step;
    }
    const IdIndex index({ids.data(), ids.size()}, Cancellation());
    CHECK(index.find(0) == (ids.empty() || ids[0] != 0 ? IdIndex::NONE : 0));
    CHECK(index.find(std::numeric_limits<uint64_t>::max()) == IdIndex::NONE);
    for (size_t i = 0; i < ids.size(); ++i) {
      CHECK(index.find(ids[i]) == i);
      if (i + 1 == ids.size() || ids[i + 1] != ids[i] + 1) CHECK(index.find(ids[i] + 1) == IdIndex::NONE);
      if (i > 0 && ids[i - 1] != ids[i] - 1) CHECK(index.find(ids[i] - 1) == IdIndex::NONE);
    }
  }
}

void workspace() {
  for (const size_t large : {1, 1 << 20}) {
    Workspace memory(Workspace::room<uint8_t>(1) + Workspace::room<uint64_t>(large));
    CHECK(memory.used() == 0);
    memory.array<uint8_t>(1)[0] = 1;
    const size_t before = memory.used();
    uint64_t* const numbers = memory.array<uint64_t>(large);
    numbers[large - 1] = 2;
    CHECK(reinterpret_cast<uintptr_t>(numbers) % 64 == 0);
#ifdef __SANITIZE_ADDRESS__
    CHECK(!__asan_address_is_poisoned(numbers + large - 1) && __asan_address_is_poisoned(numbers + large));
#endif
    memory.forget(before);
#ifdef __SANITIZE_ADDRESS__
    CHECK(__asan_address_is_poisoned(numbers));
#endif
    CHECK(memory.array<uint64_t>(large) == numbers);
  }
}

// Sorts like the library, stops in the midst of it, and looks at the cancellation for every so many records.
void radix_sorted() {
  Random random(31);
  std::vector<uint32_t> records(300'000), scratch(records.size());
  for (uint32_t& record : records) record = random.next() % 3'000'000;
  std::vector<uint32_t> expected = records;
  std::sort(expected.begin(), expected.end());
  const auto key = [](uint32_t record) { return record; };
  for (const size_t threads : {1, 3}) {
    std::vector<uint32_t> given = records;
    std::atomic<uint64_t> polls{0};
    uint8_t raised = 0;
    const Cancellation counted(&raised, &polls);
    const uint32_t* const sorted = radix_sort(given.data(), scratch.data(), given.size(), 0u, 3'000'000u, key, counted, threads);
    CHECK(std::equal(expected.begin(), expected.end(), sorted));
    CHECK(polls >= 2 * 2 * given.size() / 65536);
    raised = 1;
    std::string code = "none";
    try {
      radix_sort(given.data(), scratch.data(), given.size(), 0u, 3'000'000u, key, counted, threads);
    } catch (const Error& error) {
      code = error.code();
    }
    CHECK(code == ERR_CANCELLED);
  }
}

void recent_pairs() {
  Workspace memory(RecentPairs::room(5000));
  RecentPairs pairs(5000, memory);
  CHECK(!pairs.contains(0, 1));
  for (uint32_t i = 0; i < 5000; ++i) {
    pairs.add(i, 3 * i + 1);
    CHECK(pairs.contains(i, 3 * i + 1) && pairs.contains(3 * i + 1, i));
    CHECK(!pairs.contains(i, 3 * i + 2) && !pairs.contains(i + 1, 3 * i + 1));
  }
}

void pool() {
  MemoryPool pool(100);
  MemoryPool::Piece first = pool.take(60);
  const uint8_t* const memory = first.memory.get();
  pool.give(std::move(first));
  CHECK(pool.size() == 60);
  // one that is much larger, or smaller, is left
  CHECK(pool.take(40).memory.get() != memory);
  CHECK(pool.take(61).memory.get() != memory);
  MemoryPool::Piece again = pool.take(50);
  CHECK(again.memory.get() == memory);
  CHECK(again.bytes == 60);
  CHECK(pool.size() == 0);
  // the closest is taken
  pool.give(std::move(again));
  pool.give(pool.take(40));
  CHECK(pool.size() == 100);
  CHECK(pool.take(33).bytes == 40);
  CHECK(pool.size() == 60);
  // the oldest goes where all would be too many, and what is larger than all is not kept
  pool.give(pool.take(101));
  CHECK(pool.size() == 60);
  pool.give(pool.take(45));
  CHECK(pool.size() == 45);
  pool.rest();
  CHECK(pool.size() == 0);
  MemoryPool::Piece late = pool.take(20);
  pool.rest();
  pool.give(std::move(late));
  CHECK(pool.size() == 0);
  pool.give(pool.take(20));
  CHECK(pool.size() == 20);
  // whatever the system did with what was kept: it can be written and read
  MemoryPool large(size_t{1} << 25);
  const size_t bytes = (size_t{1} << 24) + 5;
  for (uint8_t turn = 1; turn < 4; ++turn) {
    MemoryPool::Piece piece = large.take(bytes);
    std::fill(piece.memory.get(), piece.memory.get() + bytes, turn);
    CHECK(std::count(piece.memory.get(), piece.memory.get() + bytes, turn) == static_cast<std::ptrdiff_t>(bytes));
    large.give(std::move(piece));
  }
}

}  // namespace

int main() {
  pool();
  workspace();
  recent_pairs();
  radix_sorted();
  for (const LabelComparison& comparison : label_comparisons()) {
    if (!comparison.supported()) continue;
    equal_labels(comparison.bits8.equal);
    marked_runs(comparison.bits8.mark_runs);
    equal_labels(comparison.bits16.equal);
    marked_runs(comparison.bits16.mark_runs);
    equal_labels(comparison.bits32.equal);
    marked_runs(comparison.bits32.mark_runs);
    equal_labels(comparison.bits64.equal);
    marked_runs(comparison.bits64.mark_runs);
    changes(comparison);
  }
  runs();
  numbering();
  positions();
  mapping();
  threads();
  return 0;
}
