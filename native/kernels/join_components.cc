#include "kernels/join_components.h"

#include <algorithm>

#include "core/disjoint_sets.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/id_index.h"

namespace blockwright {

namespace {

constexpr size_t STEP = size_t{1} << 18;

}  // namespace

JoinedCount join_components(Span<uint64_t> names, Span<uint64_t> sizes, const std::vector<PairRun>& runs,
                            uint64_t minimum_size, const JoinedComponents& joined, const Cancellation& cancellation) {
  if (names.size >= size_t{1} << 31) throw Error(ERR_LIMIT, "2^31 components of blocks or more");
  for (size_t i = 1; i < names.size; ++i) {
    if (i % STEP == 0) cancellation.check();
    if (names[i] <= names[i - 1]) throw Error(ERR_ARGUMENT, "names: expected to ascend");
  }
  cancellation.check();
  const IdIndex index(names, cancellation);
  const uint32_t count = static_cast<uint32_t>(names.size);
  DisjointSets sets(count);
  for (const PairRun& run : runs) {
    for (size_t row = 0; row < run.u.size; ++row) {
      if (row % STEP == 0) cancellation.check();
      const size_t u = index.find(run.u[row]), v = index.find(run.v[row]);
      if (u == IdIndex::NONE || v == IdIndex::NONE) continue;
      const uint32_t a = sets.find(static_cast<uint32_t>(u)), b = sets.find(static_cast<uint32_t>(v));
      if (a != b) sets.join(a, b);
    }
  }
  std::vector<uint64_t> voxels(count);  // of a component, at its root
  for (uint32_t i = 0; i < count; ++i) {
    if (i % STEP == 0) cancellation.check();
    voxels[sets.find(i)] += sizes[i];
  }
  JoinedCount result;
  const uint64_t least = std::max<uint64_t>(minimum_size, 1);
  std::vector<uint32_t> numbers(count);  // likewise; 0 = not met yet
  for (uint32_t i = 0; i < count; ++i) {
    if (i % STEP == 0) cancellation.check();
    const uint32_t root = sets.find(i);
    if (voxels[root] >= least && numbers[root] == 0) numbers[root] = static_cast<uint32_t>(++result.components);
    if (sizes[i] == 0) continue;
    joined.fragments[result.rows] = names[i];
    joined.segments[result.rows] = numbers[root];
    joined.sizes[result.rows++] = voxels[root];
  }
  return result;
}

}  // namespace blockwright
