// The lower envelope of parabolas along a line: Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions"
// (Theory of Computing, 2012). Places where one parabola takes over from another are compared as fractions, without a division
// for each comparison.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "core/cancellation.h"

namespace blockwright {

class Parabolas {
 public:
  Parabolas() = default;
  explicit Parabolas(size_t length) : parts_(length) {}

  // result[x] = the least (x - place)^2 * scale + heights[place] of all places with a finite height; infinity where there is
  // none. `length` at most that of the constructor. Exact where all products are whole numbers below 2^53.
  void lowest(const double* heights, double* result, size_t length, double scale, const Cancellation& cancellation) {
    constexpr double INFINITE = std::numeric_limits<double>::infinity();
    size_t count = 0;
    for (size_t place = 0; place < length; ++place) {
      if (place % UNLOOKED == 0) cancellation.check();
      if (heights[place] == INFINITE) continue;
      Part next{static_cast<double>(place), heights[place], 0.0, 0.0};
      while (count > 0) {
        const Part& last = parts_[count - 1];
        next.step = next.place - last.place;
        next.crossing = (next.height - last.height) + scale * (next.step * (next.place + last.place));
        // The last one is lowest nowhere where the next one takes over before it began itself.
        if (count == 1 || next.crossing * last.step > last.crossing * next.step) break;
        --count;
      }
      parts_[count++] = next;
    }
    if (count == 0) {
      std::fill(result, result + length, INFINITE);
      return;
    }
    size_t begin = 0;
    for (size_t part = 0; part < count; ++part) {
      const Part& own = parts_[part];
      size_t end = length;
      if (part + 1 < count) {
        const Part& next = parts_[part + 1];
        const double border = next.crossing / (2.0 * scale * next.step);
        if (!(border >= static_cast<double>(begin))) continue;  // it was lowest before the line begins, or between two places
        if (border < static_cast<double>(length)) end = std::min(length, static_cast<size_t>(border) + 1);
      }
      for (size_t x = begin; x < end; ++x) {
        const double away = static_cast<double>(x) - own.place;
        result[x] = away * away * scale + own.height;
      }
      begin = end;
      if (begin == length) return;
    }
  }

 private:
  static constexpr size_t UNLOOKED = size_t{1} << 18;  // places between two looks at the cancellation
  struct Part {
    double place, height;
    double step, crossing;  // to the one before: it is crossed at crossing / (2 scale step)
  };
  std::vector<Part> parts_;  // whose parabolas are part of the envelope, left to right
};

}  // namespace blockwright
