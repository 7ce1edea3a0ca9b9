// An array of any form that the region engine knows, as a fuzz input describes it, and the same array in plain memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "io/array_description.h"

namespace blockwright {

// A description in `folder` that passes its own check.
ArrayDescription read_array(InputReader& input, const std::string& folder);

// The key of the file that holds a voxel, by division alone.
std::string file_of(const ArrayDescription& array, const Shape& voxel);

// Every voxel in memory.
class PlainArray {
 public:
  explicit PlainArray(const ArrayDescription& array);
  // A random part of the array, in memory of its own that may be a larger box around it.
  Region read_box(InputReader& input, std::vector<uint8_t>& memory) const;
  // Copies a region to the array, or says whether it is equal to it; `skip` has the keys of files that do not count.
  void write(const Region& region);
  bool equals(const Region& region, const std::vector<std::string>& skip) const;
  // Whether voxels of the region lie in one of the files.
  bool meets(const Region& region, const std::vector<std::string>& keys) const;
  // `memory`, of the region's box, with the region's voxels in it.
  std::vector<uint8_t> with_voxels(const Region& region, std::vector<uint8_t> memory) const;

 private:
  template <class Visit>
  void visit(const Region& region, const Visit& voxel_item_place) const;

  const ArrayDescription& array_;
  size_t item_;
  std::vector<uint8_t> voxels_;
};

}  // namespace blockwright
