#include "kernels/table_scores.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/row_order.h"

namespace blockwright {

namespace {

// Neumaier's sum: exact to the last bits however many terms there are.
class Sum {
 public:
  void add(double term) {
    const double next = sum_ + term;
    rest_ += std::fabs(sum_) >= std::fabs(term) ? (sum_ - next) + term : (term - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + rest_; }

 private:
  double sum_ = 0;
  double rest_ = 0;
};

size_t row_of(const RowReference& reference) { return static_cast<size_t>(reference.run) << 32 | reference.row; }

// The first `most` of many items in an order, without keeping the others.
template <class Item, class Before>
class First {
 public:
  // The item only gives the type.
  First(size_t most, Before before, Item) : most_(most), before_(before) {}

  void add(const Item& item) {
    if (items_.size() == most_) {
      if (most_ == 0 || !before_(item, items_.front())) return;
      std::pop_heap(items_.begin(), items_.end(), before_);
      items_.pop_back();
    }
    items_.push_back(item);
    std::push_heap(items_.begin(), items_.end(), before_);
  }

  std::vector<Item> in_order() {
    std::sort_heap(items_.begin(), items_.end(), before_);
    return std::move(items_);
  }

 private:
  size_t most_;
  Before before_;
  std::vector<Item> items_;  // a heap with the last of them on top
};

struct Group {
  size_t begin, end;  // of the references
  double bits, voxels;
};

struct GroupScores {
  size_t labels = 0;
  double bits = 0, squares = 0;
  std::vector<Group> worst;
};

// The references ascend by key: those of one key are the rows of one label.
GroupScores score_groups(const std::vector<RowReference>& references, Span<double> counts, double voxels, size_t worst,
                         const Cancellation& cancellation) {
  GroupScores result;
  Sum bits, squares;
  First first(worst, [&](const Group& x, const Group& y) {
    return x.bits != y.bits ? x.bits > y.bits : references[x.begin].key < references[y.begin].key;
  }, Group{});
  for (size_t begin = 0; begin < references.size(); ++result.labels) {
    size_t end = begin;
    double sum = 0;  // whole numbers
    for (; end < references.size() && references[end].key == references[begin].key; ++end) {
      if (end % 65536 == 0) cancellation.check();
      sum += counts[row_of(references[end])];
    }
    squares.add(sum * sum);
    Group group{begin, end, 0, sum};
    if (end - begin > 1) {
      Sum of_group;
      for (size_t i = begin; i < end; ++i) {
        if (i % 65536 == 0) cancellation.check();
        const double count = counts[row_of(references[i])];
        of_group.add(count * std::log2(sum / count));
      }
      group.bits = of_group.value() / voxels;
      bits.add(group.bits);
      first.add(group);
    }
    begin = end;
  }
  result.worst = first.in_order();
  result.bits = bits.value();
  result.squares = squares.value();
  return result;
}

std::vector<ErrorOfLabel> errors_of(const std::vector<Group>& groups, const std::vector<RowReference>& references,
                                    Span<double> counts, size_t partners, const Cancellation& cancellation) {
  std::vector<ErrorOfLabel> result;
  for (const Group& group : groups) {
    First first(partners, [&](size_t x, size_t y) { return counts[x] != counts[y] ? counts[x] > counts[y] : x < y; },
                size_t{});
    for (size_t i = group.begin; i < group.end; ++i) {
      if (i % 65536 == 0) cancellation.check();
      first.add(row_of(references[i]));
    }
    result.push_back({references[group.begin].key, group.bits, group.voxels, group.end - group.begin, first.in_order()});
  }
  return result;
}

}  // namespace

TableScores table_scores(Span<uint64_t> a, Span<uint64_t> b, Span<double> counts, const TableScoreOptions& options,
                         const Cancellation& cancellation) {
  TableScores result;
  Sum joint_squares;
  std::vector<RowReference> references;
  references.reserve(a.size);
  for (size_t row = 0; row < a.size; ++row) {
    if (row % 65536 == 0) cancellation.check();
    if (row > 0 && !(a[row - 1] < a[row] || (a[row - 1] == a[row] && b[row - 1] < b[row]))) {
      throw Error(ERR_ARGUMENT, "table: expected rows that ascend by (a, b), found row " + std::to_string(row) + " out of order");
    }
    if (!(counts[row] > 0) || std::isinf(counts[row])) {
      throw Error(ERR_ARGUMENT, "table: expected counts above 0, found " + std::to_string(counts[row]));
    }
    if (options.ignore_b_background && b[row] == 0) continue;
    references.push_back({a[row], static_cast<uint32_t>(row >> 32), static_cast<uint32_t>(row)});
    result.voxels += counts[row];
    joint_squares.add(counts[row] * counts[row]);
  }
  result.joint_squares = joint_squares.value();
  const GroupScores of_a = score_groups(references, counts, result.voxels, options.labels, cancellation);
  result.merges = errors_of(of_a.worst, references, counts, options.partners, cancellation);
  result.voi_merge = of_a.bits;
  result.a_squares = of_a.squares;
  result.a_labels = of_a.labels;
  for (RowReference& reference : references) reference.key = b[row_of(reference)];
  sort_by_key(references, cancellation);
  const GroupScores of_b = score_groups(references, counts, result.voxels, options.labels, cancellation);
  result.splits = errors_of(of_b.worst, references, counts, options.partners, cancellation);
  result.voi_split = of_b.bits;
  result.b_squares = of_b.squares;
  result.b_labels = of_b.labels;
  return result;
}

}  // namespace blockwright
