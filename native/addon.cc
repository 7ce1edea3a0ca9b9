// The export table of the kernels addon, nothing else.
#include "boundary/exports.h"

namespace blockwright {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  export_fragment_statistics(exports);
  export_regions(exports);
  return exports;
}

}  // namespace blockwright

using blockwright::initialise;
NODE_API_MODULE(blockwright_kernels, initialise)
