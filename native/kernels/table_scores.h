// Variation of information and adapted Rand error of a contingency table, and which labels they come from.
//
// With a = segmentation and b = truth, n_ab the voxels of a pair, n_a and n_b those of a label, N of all:
// VOI split = H(a | b) = sum n_ab / N log2(n_b / n_ab), VOI merge = H(b | a) = sum n_ab / N log2(n_a / n_ab) (Meila, 2007);
// the Rand figures are made of the sums of n_ab^2, n_a^2, n_b^2 (Arganda-Carreras et al., 2015).
// The sums over the rows of one label are what that label adds to the score: the labels that add most are told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancellation.h"
#include "core/span.h"

namespace blockwright {

// A label that meets several of the other array.
struct ErrorOfLabel {
  uint64_t id = 0;
  double bits = 0;                // of the score
  double voxels = 0;
  size_t partners = 0;
  std::vector<size_t> rows;       // of the table, those of most voxels first, ties in the order of the table
};

struct TableScores {
  double voxels = 0;
  double voi_split = 0, voi_merge = 0;
  double joint_squares = 0, a_squares = 0, b_squares = 0;
  size_t a_labels = 0, b_labels = 0;
  std::vector<ErrorOfLabel> merges;  // labels of a, most bits first, ties by id
  std::vector<ErrorOfLabel> splits;  // labels of b
};

struct TableScoreOptions {
  bool ignore_b_background = true;  // rows with b = 0 are left out
  size_t labels = 0;                // of merges and of splits at most
  size_t partners = 0;              // rows of each at most
};

// Sums are taken in the order of labels, compensated, so they do not depend on how the table was made. ERR_ARGUMENT when the
// rows do not ascend by (a, b) or a count is not above 0.
// Peak memory: 32 bytes a row.
TableScores table_scores(Span<uint64_t> a, Span<uint64_t> b, Span<double> counts, const TableScoreOptions& options,
                         const Cancellation& cancellation);

}  // namespace blockwright
