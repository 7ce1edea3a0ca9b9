// exp() from IEEE additions, multiplications and one division only, so that it gives the same bits on every machine
// (libm's differs between C libraries). Within 2 units in the last place.
#pragma once

#include <cmath>
#include <cstdint>

namespace blockwright {

// Accurate for x in [-700, 700]; below, 0; above, infinity. NaN stays NaN.
inline double deterministic_exp(double x) {
  if (x != x) return x;
  if (x < -700.0) return 0.0;
  if (x > 700.0) return HUGE_VAL;
  // x = n ln 2 + r, |r| <= 0.35; ln 2 in two parts, the first with zeros at the end, so that n times it is exact.
  constexpr double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;
  const double scaled = x * 0x1.71547652b82fep0;  // x / ln 2
  const int64_t n = static_cast<int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
  const double r = (x - static_cast<double>(n) * LN2_HIGH) - static_cast<double>(n) * LN2_LOW;
  // Taylor series to r^14 / 14!, below 2^-60 of the result beyond.
  double sum = 1.0;
  for (int k = 14; k >= 1; --k) sum = 1.0 + sum * r / static_cast<double>(k);
  return std::ldexp(sum, static_cast<int>(n));  // exact
}

}  // namespace blockwright
