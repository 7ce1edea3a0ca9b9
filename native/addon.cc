// The export table of the kernels addon, nothing else.
#include "boundary/exports.h"

namespace blockwright {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  export_fragment_statistics(exports);
  export_graph_mutex_watershed(exports);
  export_mutex_watershed(exports);
  return exports;
}

}  // namespace blockwright

using blockwright::initialise;
NODE_API_MODULE(blockwright_kernels, initialise)
