// How large the segments of a table of nodes are.
#pragma once

#include <cstdint>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

// sizes[i]: the sum of node_sizes, modulo 2^64, over all nodes whose segment is that of node i. Ids ascend, and a segment's id
// is that of one of its nodes (ERR_ARGUMENT otherwise). Peak memory: 4 to 12 bytes a node.
void segment_sizes(Span<uint64_t> ids, Span<uint64_t> segments, Span<uint64_t> node_sizes, uint64_t* sizes,
                   const Cancellation& cancellation);

}  // namespace blockwright
