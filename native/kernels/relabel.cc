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

// Looks labels up in the table, from where the last one was: the labels of a block are often close together there.
class Lookup {
 public:
  Lookup(const LookupTable& table, Missing missing, uint64_t minimum_size)
      : table_(table), missing_(missing), minimum_size_(minimum_size) {}

  uint64_t outcome(uint64_t label) {
    last_ = entry_of(label);
    if (last_ < table_.size && table_.fragments[last_] == label) {
      return table_.sizes != nullptr && table_.sizes[last_] < minimum_size_ ? 0 : table_.segments[last_];
    }
    if (label == 0 || missing_ == Missing::background) return 0;
    if (missing_ == Missing::error) {
      throw Error(ERR_ARGUMENT, "lookup table: expected an entry for every label, found none for " + std::to_string(label));
    }
    return label;
  }

 private:
  // First entry that is not below the label: steps that double until the label is passed, then halving.
  size_t entry_of(uint64_t label) const {
    const uint64_t* fragments = table_.fragments;
    size_t low = last_, high = last_;  // entries before low are below the label, entries from high on are not
    if (last_ < table_.size && fragments[last_] < label) {
      for (size_t step = 1; high < table_.size && fragments[high] < label; step *= 2) {
        low = high + 1;
        high = step < table_.size - high ? high + step : table_.size;
      }
    } else {
      for (size_t step = 1; low > 0 && fragments[low - 1] >= label; step *= 2) {
        high = low - 1;
        low = step < low ? low - step : 0;
      }
    }
    return static_cast<size_t>(std::lower_bound(fragments + low, fragments + high, label) - fragments);
  }

  const LookupTable& table_;
  Missing missing_;
  uint64_t minimum_size_;
  size_t last_ = 0;
};

// What the labels met so far become. The last ones sit in a small table of their own, one memory access away.
class Outcomes {
 public:
  explicit Outcomes(Lookup lookup) : lookup_(lookup), zero_(lookup_.outcome(0)), recent_(RECENT) {
    recent_[0].outcome = zero_;  // all places start with label 0; this one is its own
  }

  uint64_t of(uint64_t label) {
    Entry& entry = recent_[((label ^ (label >> 32)) * 0x9e3779b97f4a7c15u) >> 54];
    if (entry.label != label) {
      entry.label = label;
      entry.outcome = label == 0 ? zero_ : known(label);
    }
    return entry.outcome;
  }

 private:
  static constexpr size_t RECENT = size_t{1} << 10;
  struct Entry {
    uint64_t label = 0, outcome = 0;
  };

  uint64_t known(uint64_t label) {
    const uint32_t number = numbers_.insert(label);
    if (number == outcomes_.size()) outcomes_.push_back(lookup_.outcome(label));
    return outcomes_[number];
  }

  Lookup lookup_;
  uint64_t zero_;
  std::vector<Entry> recent_;
  IdMap numbers_;
  std::vector<uint64_t> outcomes_;
};

void relabel_part(const uint64_t* labels, uint64_t* output, size_t count, Outcomes& outcomes) {
  constexpr size_t STEP = 16;
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
    Outcomes outcomes(Lookup(table, missing, minimum_size));
    const size_t end = count / slabs * (slab + 1) + std::min(count % slabs, slab + 1);
    size_t begin = count / slabs * slab + std::min(count % slabs, slab);
    for (; begin < end; begin += PART) {
      cancellation.check();
      relabel_part(labels + begin, output + begin, std::min(PART, end - begin), outcomes);
    }
  });
}

}  // namespace blockwright
