// Numbers the labels of one array 0.. in order of first use: through a plain table where the range of the labels is
// small beside the array (as after a relabel: an id offset and 1, 2, 3, ...), else through a hash.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/id_map.h"
#include "core/target_clones.h"

namespace blockwright {

struct LabelRange {
  uint64_t smallest = 0;  // without background 0
  uint64_t largest = 0;   // 0 = no label
};

LabelRange label_range(const uint64_t* labels, size_t count, const Cancellation& cancellation);

class LabelTable {
 public:
  LabelTable(const uint64_t* labels, size_t count, const Cancellation& cancellation);

  // The number of a label of the array; not for background 0.
  uint32_t number(uint64_t label) {
    const uint64_t offset = label - smallest_;
    if (offset >= direct_.size()) return hashed_.insert(label);
    uint32_t& entry = direct_[offset];
    if (entry == 0) {
      ids_.push_back(label);
      entry = static_cast<uint32_t>(ids_.size());
    }
    return entry - 1;
  }

  // Labels by their number.
  const std::vector<uint64_t>& ids() const { return direct_.empty() ? hashed_.keys() : ids_; }

  // The numbers in ascending order of their labels. Memory: 4 bytes a label, 32 more while they are sorted.
  std::vector<uint32_t> ascending(const Cancellation& cancellation) const;

 private:
  uint64_t smallest_ = 0;
  std::vector<uint32_t> direct_;  // number + 1 of label smallest_ + index, 0 = not met yet
  std::vector<uint64_t> ids_;
  IdMap hashed_;
};

}  // namespace blockwright
