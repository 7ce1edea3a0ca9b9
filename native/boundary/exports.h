// One declaration a boundary file; addon.cc puts them into the export table.
#pragma once

#include <napi.h>

namespace blockwright {

using Exports = Napi::Object;

// Adds `function` under `name`, with errors turned into JavaScript exceptions.
#define BLOCKWRIGHT_EXPORT(exports, name, function) \
  (exports).Set(name, Napi::Function::New((exports).Env(), guarded<function>, name))

void export_argmax(Exports exports);
void export_block_components(Exports exports);
void export_compare_voxels(Exports exports);
void export_connected_components(Exports exports);
void export_contingency_table(Exports exports);
void export_distance_transform(Exports exports);
void export_downsample(Exports exports);
void export_edge_scores(Exports exports);
void export_filter_fragments(Exports exports);
void export_find_seeds(Exports exports);
void export_fragment_statistics(Exports exports);
void export_gaussian_smoothing(Exports exports);
void export_regions(Exports exports);
void export_map_file(Exports exports);
void export_join_components(Exports exports);
void export_output_memory(Exports exports);
void export_merge_edges(Exports exports);
void export_merge_nodes(Exports exports);
void export_relabel(Exports exports);
void export_remove_debris(Exports exports);
void export_graph_mutex_watershed(Exports exports);
void export_mutex_watershed(Exports exports);
void export_table_scores(Exports exports);
void export_segment_sizes(Exports exports);
void export_voxel_steps(Exports exports);

}  // namespace blockwright
