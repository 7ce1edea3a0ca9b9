// What the C++ unit tests need: a check that ends the program, and numbers that depend on a seed alone.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/shape.h"

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                  \
    }                                                                                \
  } while (false)

// The expression must throw an Error with this code.
#define CHECK_ERROR(expected, expression)                                                            \
  do {                                                                                               \
    std::string error_code = "nothing";                                                              \
    try {                                                                                            \
      static_cast<void>(expression);                                                                 \
    } catch (const blockwright::Error& thrown_error) {                                               \
      error_code = thrown_error.code();                                                              \
    }                                                                                                \
    if (error_code != (expected)) {                                                                  \
      std::fprintf(stderr, "%s:%d: expected %s, found %s: %s\n", __FILE__, __LINE__, expected,       \
                   error_code.c_str(), #expression);                                                 \
      std::exit(1);                                                                                  \
    }                                                                                                \
  } while (false)

namespace blockwright {

// splitmix64
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // In [0, below).
  uint64_t below(uint64_t limit) { return next() % limit; }
  // In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

// Shapes that have broken kernels: nothing, single voxels, thin axes, rows about as long as a machine word has bits.
inline std::vector<Shape> hostile_shapes() {
  const std::vector<std::vector<int64_t>> shapes = {
      {0},          {1},          {2},          {63},         {64},      {65},         {130},           {0, 5},
      {5, 0},       {1, 1},       {1, 64},      {64, 1},      {2, 65},   {3, 1, 4},    {1, 1, 1},       {1, 7, 1},
      {2, 2, 2},    {5, 4, 3},    {3, 3, 128},  {0, 1LL << 40, 3}, {2, 1, 2, 1}, {3, 2, 1, 5}, {2, 3, 2, 3, 2}, {1, 1, 1, 1, 1, 1},
      {2, 1, 3, 1, 2, 4}};
  std::vector<Shape> result;
  for (const std::vector<int64_t>& shape : shapes) result.emplace_back(shape);
  return result;
}

// A heap array of exactly this length, so that the address sanitizer sees every step beyond it (also for length 0).
template <class T>
class Exact {
 public:
  explicit Exact(size_t length) : data_(static_cast<T*>(std::calloc(length == 0 ? 1 : length, sizeof(T)))), size_(length) {
    if (length == 0) data_ = static_cast<T*>(std::realloc(data_, 1));
  }
  ~Exact() { std::free(data_); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t index) const { return data_[index]; }

 private:
  T* data_;
  size_t size_;
};

}  // namespace blockwright
