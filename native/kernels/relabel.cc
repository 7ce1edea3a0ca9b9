#include "kernels/relabel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/equal_bits.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/id_map.h"
#include "core/parallel.h"
#include "core/target_clones.h"

namespace blockwright {

namespace {

// Looks labels up in the table, from where the last one was: the labels of a block are often close together there.
class Lookup {
 public:
  Lookup(const LookupTable& table, Missing missing, uint64_t minimum_size)
      : table_(table), missing_(missing), minimum_size_(minimum_size) {}

  uint64_t outcome(uint64_t label) {
    last_ = entry_of(label);
    if (last_ < table_.size && table_.fragments[last_] == label) return segment(last_);
    if (label == 0 || missing_ == Missing::background) return 0;
    if (missing_ == Missing::error) {
      throw Error(ERR_ARGUMENT, "lookup table: expected an entry for every label, found none for " + std::to_string(label));
    }
    return label;
  }

  // outcomes[i] = outcome of first + i; not where a label without an entry is an error.
  void outcomes(uint64_t first, size_t count, uint64_t* outcomes) {
    for (size_t i = 0; i < count; ++i) outcomes[i] = missing_ == Missing::keep ? first + i : 0;
    for (last_ = entry_of(first); last_ < table_.size && table_.fragments[last_] - first < count; ++last_) {
      outcomes[table_.fragments[last_] - first] = segment(last_);
    }
  }

 private:
  uint64_t segment(size_t entry) const {
    return table_.sizes != nullptr && table_.sizes[entry] < minimum_size_ ? 0 : table_.segments[entry];
  }

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
  Outcomes(Lookup lookup, const Cancellation& cancellation)
      : lookup_(lookup), zero_(lookup_.outcome(0)), recent_(RECENT), numbers_(cancellation) {
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

// What all ids of a window become, whether they occur or not: where labels that follow each other are of one window, as the
// ids of a block mostly are, a voxel costs one look-up without a branch. Windows are filled when they are first met.
class Windows {
 public:
  static constexpr uint64_t SPAN = uint64_t{1} << 16;  // ids: the place in a window is the lower half of a word

  // As many windows are filled as the voxels can pay for: in the worst case about a tenth of the time goes into it.
  Windows(Lookup lookup, Outcomes& others, size_t voxels, const Cancellation& cancellation)
      : lookup_(lookup), others_(others), cancellation_(cancellation), left_(voxels / COST) {}

  // One window more was wanted than is filled: the labels are in so many of them that it does not pay.
  bool exhausted() const { return refused_; }

  // The outcomes of a window, valid until the next call; null when it would be one too many.
  const uint64_t* find(uint64_t window) {
    size_t slot = slot_of(window);
    while (slots_[slot].window != window) {
      if (slots_[slot].window == NONE) return fill(window, slot);
      slot = (slot + 1) % slots_.size();
    }
    return slots_[slot].outcomes;
  }

  // For a label of any window.
  uint64_t outcome(uint64_t label) {
    const uint64_t* outcomes = label == 0 ? nullptr : find(label / SPAN);
    return outcomes == nullptr ? others_.of(label) : outcomes[label % SPAN];
  }

 private:
  static constexpr size_t COST = size_t{1} << 15, MOST = 64;
  static constexpr uint64_t NONE = ~uint64_t{0};  // no window has this number
  struct Slot {
    uint64_t window = NONE;
    uint64_t* outcomes = nullptr;
  };

  static size_t slot_of(uint64_t window) { return (window * 0x9e3779b97f4a7c15u) >> (64 - 8); }

  const uint64_t* fill(uint64_t window, size_t slot) {
    if (left_ == 0) {
      refused_ = true;
      return nullptr;
    }
    cancellation_.check();
    --left_;
    if (used_ == MOST) {  // all of them go, and their memory is used again
      std::fill(slots_.begin(), slots_.end(), Slot());
      used_ = 0;
      slot = slot_of(window);
    }
    if (used_ == memory_.size()) memory_.emplace_back(new uint64_t[SPAN]);
    uint64_t* const outcomes = memory_[used_++].get();
    lookup_.outcomes(window * SPAN, SPAN, outcomes);
    slots_[slot] = {window, outcomes};
    return outcomes;
  }

  Lookup lookup_;
  Outcomes& others_;
  const Cancellation cancellation_;
  size_t left_;
  bool refused_ = false;
  size_t used_ = 0;
  std::vector<Slot> slots_ = std::vector<Slot>(size_t{1} << 8);
  std::vector<std::unique_ptr<uint64_t[]>> memory_;
};

// Labels that are looked at together: 16 took 1.06 ns a voxel (the loop over them is unrolled and then not vectorised), 32 0.83, 64 0.92.
constexpr size_t GROUP = 32;

// The bits in which labels, and labels other than 0, differ from an id.
struct Differences {
  uint64_t any = 0, labelled = 0;
};

__attribute__((always_inline)) inline Differences differences(const uint64_t* labels, uint64_t id) {
  Differences result;
  for (size_t k = 0; k < GROUP; ++k) {
    const uint64_t difference = labels[k] ^ id;
    result.any |= difference;
    result.labelled |= labels[k] == 0 ? 0 : difference;
  }
  return result;
}

__attribute__((always_inline)) inline void relabel_groups(const uint64_t* labels, uint64_t* output, size_t count,
                                                          Windows& windows) {
  constexpr uint64_t SPAN = Windows::SPAN;
  const uint64_t zero = windows.outcome(0);
  uint64_t first = labels[0] / SPAN * SPAN;  // id of the current window
  const uint64_t* outcomes = windows.find(first / SPAN);
  size_t i = 0;
  for (; i + GROUP <= count; i += GROUP) {
    const uint64_t* const group = labels + i;
    Differences found = differences(group, first);
    if (found.labelled >= SPAN) {  // perhaps all of them are of another one
      const uint64_t last = group[GROUP - 1];
      if (last != 0) first = last / SPAN * SPAN;
      outcomes = windows.find(first / SPAN);
      found = differences(group, first);
    }
    if (outcomes == nullptr || found.labelled >= SPAN) {
      for (size_t k = 0; k < GROUP; ++k) output[i + k] = windows.outcome(group[k]);
      outcomes = windows.find(first / SPAN);
    } else if (found.any < SPAN) {
      for (size_t k = 0; k < GROUP; ++k) output[i + k] = outcomes[group[k] % SPAN];
    } else {
      for (size_t k = 0; k < GROUP; ++k) output[i + k] = group[k] == 0 ? zero : outcomes[group[k] % SPAN];
    }
  }
  for (; i < count; ++i) output[i] = windows.outcome(labels[i]);
}

BLOCKWRIGHT_TARGET_CLONES std::exception_ptr relabel_windows(const uint64_t* labels, uint64_t* output, size_t count,
                                                             Windows& windows) {
  try {
    relabel_groups(labels, output, count, windows);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

void relabel_runs(const uint64_t* labels, uint64_t* output, size_t count, Outcomes& outcomes) {
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

void check_ascending(const LookupTable& table, const Cancellation& cancellation) {
  constexpr size_t PART = size_t{1} << 20;
  for (size_t begin = 1; begin < table.size; begin += PART) {
    cancellation.check();
    const size_t end = std::min(table.size, begin + PART);
    for (size_t entry = begin; entry < end; ++entry) {
      if (table.fragments[entry - 1] < table.fragments[entry]) continue;
      throw Error(ERR_ARGUMENT, "lookup table: expected ascending fragments, found " + std::to_string(table.fragments[entry]) +
                                    " after " + std::to_string(table.fragments[entry - 1]) + " at entry " + std::to_string(entry));
    }
  }
}

}  // namespace

void relabel(const uint64_t* labels, uint64_t* output, size_t count, const LookupTable& table, Missing missing,
             uint64_t minimum_size, size_t threads, const Cancellation& cancellation) {
  if (table.size <= count) check_ascending(table, cancellation);
  // One slab a thread, so that each remembers what it looked up.
  constexpr size_t PART = size_t{1} << 20;
  const size_t slabs = std::min(std::max<size_t>(threads, 1), count / PART + 1);
  const auto relabel_slab = [&](size_t slab, const std::atomic<size_t>& failed) {
    const Lookup lookup(table, missing, minimum_size);
    Outcomes outcomes(lookup, cancellation);
    const size_t end = count / slabs * (slab + 1) + std::min(count % slabs, slab + 1);
    size_t begin = count / slabs * slab + std::min(count % slabs, slab);
    std::optional<Windows> windows;
    if (missing != Missing::error) windows.emplace(lookup, outcomes, end - begin, cancellation);
    // Labels of which no two are the same take a microsecond each.
    constexpr size_t CHECKED = size_t{1} << 15;
    for (; begin < end && slab < failed; begin += CHECKED) {
      cancellation.check();
      const size_t part = std::min(CHECKED, end - begin);
      if (windows && windows->exhausted()) windows.reset();
      if (windows) {
        rethrow(relabel_windows(labels + begin, output + begin, part, *windows));
      } else {
        relabel_runs(labels + begin, output + begin, part, outcomes);
      }
    }
  };
  // Those before one that failed go on, so that the label that is told does not depend on threads.
  std::atomic<size_t> failed{slabs};
  std::vector<std::exception_ptr> failures(slabs);
  parallel_for(slabs, slabs, [&](size_t slab) {
    try {
      relabel_slab(slab, failed);
    } catch (...) {
      failures[slab] = std::current_exception();
      for (size_t known = failed; slab < known && !failed.compare_exchange_weak(known, slab);) {
      }
    }
  });
  if (failed != slabs) std::rethrow_exception(failures[failed]);
}

}  // namespace blockwright
