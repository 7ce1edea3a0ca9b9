// The export table of the kernels addon, nothing else.
#include "boundary/exports.h"

namespace blockwright {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  export_argmax(exports);
  export_block_components(exports);
  export_compare_voxels(exports);
  export_connected_components(exports);
  export_contingency_table(exports);
  export_distance_transform(exports);
  export_downsample(exports);
  export_edge_scores(exports);
  export_filter_fragments(exports);
  export_find_seeds(exports);
  export_fragment_statistics(exports);
  export_gaussian_smoothing(exports);
  export_regions(exports);
  export_map_file(exports);
  export_join_components(exports);
  export_output_memory(exports);
  export_merge_edges(exports);
  export_merge_nodes(exports);
  export_relabel(exports);
  export_remove_debris(exports);
  export_graph_mutex_watershed(exports);
  export_mutex_watershed(exports);
  export_table_scores(exports);
  export_segment_sizes(exports);
  export_voxel_steps(exports);
  return exports;
}

}  // namespace blockwright

using blockwright::initialise;
NODE_API_MODULE(blockwright_kernels, initialise)
