// Gaussian smoothing, as scipy.ndimage.gaussian_filter(mode='reflect', truncate=4.0).
#pragma once

#include <vector>

#include "core/cancellation.h"
#include "core/shape.h"

namespace blockwright {

// Smooths along every axis whose sigma (in voxels) is above 0, the first axis first. Weights reach to 4 sigma and add up
// to 1; beyond the ends the array is mirrored (c b a | a b c | c b a). Sums are float64; between axes values are stored
// as Value (float or double). output: [shape], may be the input. Elementwise and in a fixed order: the same bytes for
// any number of threads and on every machine. Peak memory beside the arrays: 512 (length + 8 sigma) bytes a thread for the longest axis.
template <class Value>
void gaussian_smoothing(const Value* values, Value* output, const Shape& shape, const std::vector<double>& sigma, size_t threads,
                        const Cancellation& cancellation);

extern template void gaussian_smoothing(const float*, float*, const Shape&, const std::vector<double>&, size_t, const Cancellation&);
extern template void gaussian_smoothing(const double*, double*, const Shape&, const std::vector<double>&, size_t, const Cancellation&);

// The weights at distance 0, 1, ..., radius = floor(4 sigma + 0.5).
std::vector<double> gaussian_weights(double sigma);

}  // namespace blockwright
