// Clusters of a mutex watershed as sets of members and of excluded clusters: slow, and plain enough to be believed.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

namespace blockwright {

class NaiveClusters {
 public:
  explicit NaiveClusters(size_t count) : owner_(count), members_(count), exclusive_(count) {
    for (size_t i = 0; i < count; ++i) {
      owner_[i] = i;
      members_[i] = {i};
    }
  }

  size_t owner(size_t element) const { return owner_[element]; }

  // An edge between two elements comes up.
  void visit(bool attractive, size_t u, size_t v) {
    const size_t a = owner_[u], b = owner_[v];
    if (a == b || exclusive_[a].count(b) != 0) return;
    if (!attractive) {
      exclusive_[a].insert(b);
      exclusive_[b].insert(a);
      return;
    }
    for (const size_t member : members_[b]) owner_[member] = a;
    members_[a].insert(members_[b].begin(), members_[b].end());
    for (const size_t other : exclusive_[b]) {
      exclusive_[other].erase(b);
      exclusive_[other].insert(a);
      exclusive_[a].insert(other);
    }
  }

 private:
  std::vector<size_t> owner_;
  std::vector<std::set<size_t>> members_, exclusive_;
};

}  // namespace blockwright
