#include "kernels/relabel.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/equal_bits.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/id_map.h"
#include "core/parallel.h"

namespace blockwright {

namespace {

uint64_t look_up(uint64_t label, const LookupTable& table, Missing missing, uint64_t minimum_size) {
  const uint64_t* end = table.fragments + table.size;
  const uint64_t* found = std::lower_bound(table.fragments, end, label);
  if (found != end && *found == label) {
    const size_t entry = static_cast<size_t>(found - table.fragments);
    return table.sizes != nullptr && table.sizes[entry] < minimum_size ? 0 : table.segments[entry];
  }
  if (label == 0 || missing == Missing::background) return 0;
  if (missing == Missing::error) {
    throw Error(ERR_ARGUMENT, "lookup table: expected an entry for every label, found none for " + std::to_string(label));
  }
  return label;
}

// What the labels met so far become.
class Outcomes {
 public:
  Outcomes(const LookupTable& table, Missing missing, uint64_t minimum_size)
      : table_(table), missing_(missing), minimum_size_(minimum_size), zero_(look_up(0, table, missing, minimum_size)) {}

  uint64_t of(uint64_t label) {
    if (label == 0) return zero_;
    const uint32_t number = numbers_.insert(label);
    if (number == outcomes_.size()) outcomes_.push_back(look_up(label, table_, missing_, minimum_size_));
    return outcomes_[number];
  }

 private:
  const LookupTable& table_;
  Missing missing_;
  uint64_t minimum_size_;
  uint64_t zero_;
  IdMap numbers_;
  std::vector<uint64_t> outcomes_;
};

void relabel_part(const uint64_t* labels, uint64_t* output, size_t count, Outcomes& outcomes) {
  constexpr size_t STEP = 8;
  for_each_run(labels, count, [&](size_t at, size_t end) {
    const uint64_t outcome = outcomes.of(labels[at]);
    // Whole steps may write beyond the run, where the next runs write again, unless the output is the input or ends.
    if (output != labels && end + STEP <= count) {
      do {
        for (size_t i = 0; i < STEP; ++i) output[at + i] = outcome;
        at += STEP;
      } while (at < end);
    } else {
      std::fill(output + at, output + end, outcome);
    }
  });
}

}  // namespace

void relabel(const uint64_t* labels, uint64_t* output, size_t count, const LookupTable& table, Missing missing,
             uint64_t minimum_size, size_t threads, const Cancellation& cancellation) {
  if (table.size <= count) {
    for (size_t entry = 1; entry < table.size; ++entry) {
      if (table.fragments[entry - 1] >= table.fragments[entry]) {
        throw Error(ERR_ARGUMENT, "lookup table: expected ascending fragments, found " +
                                      std::to_string(table.fragments[entry]) + " after " +
                                      std::to_string(table.fragments[entry - 1]) + " at entry " + std::to_string(entry));
      }
    }
  }
  // One slab a thread, so that each remembers what it looked up.
  constexpr size_t PART = size_t{1} << 20;
  const size_t slabs = std::min(std::max<size_t>(threads, 1), count / PART + 1);
  parallel_for(slabs, slabs, [&](size_t slab) {
    Outcomes outcomes(table, missing, minimum_size);
    const size_t end = count / slabs * (slab + 1) + std::min(count % slabs, slab + 1);
    size_t begin = count / slabs * slab + std::min(count % slabs, slab);
    for (; begin < end; begin += PART) {
      cancellation.check();
      relabel_part(labels + begin, output + begin, std::min(PART, end - begin), outcomes);
    }
  });
}

}  // namespace blockwright
