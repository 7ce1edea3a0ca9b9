#include "kernels/voxel_step_loops.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "core/target_clones.h"

// Comparisons of floats may be computed for several voxels at once: what they do to the floating-point exception flags, which nobody
// reads, may differ; results may not.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

// Everything below is inlined into one function a source type, which is compiled for several instruction sets.
#define BLOCKWRIGHT_INLINE [[gnu::always_inline]] inline

namespace blockwright {

namespace {

enum class Boolean : uint8_t {};

template <class T>
constexpr bool is_boolean = std::is_same_v<T, Boolean>;

// Half to even for |value| < 2^51, in the two additions that every machine has; the build keeps them as they stand.
BLOCKWRIGHT_INLINE double rounded(double value) { return (value + 0x1.8p52) - 0x1.8p52; }

template <class To>
BLOCKWRIGHT_INLINE To integer_of(double value) {
  using Limits = std::numeric_limits<To>;
  if constexpr (sizeof(To) <= 4) {
    value = value == value ? value : 0;
    value = value < static_cast<double>(Limits::min()) ? static_cast<double>(Limits::min()) : value;
    value = value > static_cast<double>(Limits::max()) ? static_cast<double>(Limits::max()) : value;
    using Wide = std::conditional_t<std::is_same_v<To, uint32_t>, int64_t, int32_t>;
    return static_cast<To>(static_cast<Wide>(rounded(value)));
  } else {
    constexpr double end = std::is_signed_v<To> ? 0x1p63 : 0x1p64;
    if (value != value) return 0;
    if (value >= end) return Limits::max();
    if (value <= static_cast<double>(Limits::min())) return Limits::min();
    return static_cast<To>(std::nearbyint(value));
  }
}

template <class To, class From>
BLOCKWRIGHT_INLINE To converted(From value) {
  if constexpr (is_boolean<From>) {
    const bool set = static_cast<uint8_t>(value) != 0;
    return static_cast<To>(set ? 1 : 0);
  } else if constexpr (is_boolean<To>) {
    return static_cast<To>(value != 0 && value == value ? 1 : 0);
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    return integer_of<To>(static_cast<double>(value));
  } else {
    using Limits = std::numeric_limits<To>;
    if (value > 0) {
      const bool above = static_cast<uint64_t>(value) > static_cast<uint64_t>(Limits::max());
      return above ? Limits::max() : static_cast<To>(value);
    }
    if constexpr (std::is_unsigned_v<To>) return 0;
    const bool below = static_cast<int64_t>(value) < static_cast<int64_t>(Limits::min());
    return below ? Limits::min() : static_cast<To>(value);
  }
}

template <class To, class From>
BLOCKWRIGHT_INLINE void convert(const From* in, uint8_t* out, size_t count) {
  To* const target = reinterpret_cast<To*>(out);
  for (size_t i = 0; i < count; ++i) target[i] = converted<To>(in[i]);
}

template <class From>
BLOCKWRIGHT_INLINE void convert_to(VoxelType to, const From* in, uint8_t* out, size_t count) {
  switch (to) {
    case VoxelType::boolean:
      return convert<Boolean>(in, out, count);
    case VoxelType::uint8:
      return convert<uint8_t>(in, out, count);
    case VoxelType::int8:
      return convert<int8_t>(in, out, count);
    case VoxelType::uint16:
      return convert<uint16_t>(in, out, count);
    case VoxelType::int16:
      return convert<int16_t>(in, out, count);
    case VoxelType::uint32:
      return convert<uint32_t>(in, out, count);
    case VoxelType::int32:
      return convert<int32_t>(in, out, count);
    case VoxelType::uint64:
      return convert<uint64_t>(in, out, count);
    case VoxelType::int64:
      return convert<int64_t>(in, out, count);
    case VoxelType::float32:
      return convert<float>(in, out, count);
    case VoxelType::float64:
      return convert<double>(in, out, count);
  }
}

template <class To, class From>
BLOCKWRIGHT_INLINE void affine(const From* in, uint8_t* out, size_t count, double scale, double shift) {
  To* const target = reinterpret_cast<To*>(out);
  for (size_t i = 0; i < count; ++i) target[i] = static_cast<To>(static_cast<double>(in[i]) * scale + shift);
}

template <class From>
BLOCKWRIGHT_INLINE void normalise(const From* in, uint8_t* out, size_t count, double low, double high) {
  float* const target = reinterpret_cast<float*>(out);
  const double width = high - low;
  for (size_t i = 0; i < count; ++i) {
    const double value = (static_cast<double>(in[i]) - low) / width;
    const double raised = value < 0 ? 0 : value;
    target[i] = static_cast<float>(raised > 1 ? 1 : raised);
  }
}

template <class From>
BLOCKWRIGHT_INLINE void threshold(const From* in, uint8_t* out, size_t count, double value) {
  if constexpr (std::is_floating_point_v<From>) {
    const From limit = static_cast<From>(value);
    for (size_t i = 0; i < count; ++i) out[i] = in[i] > limit ? 1 : 0;
  } else {
    using Limits = std::numeric_limits<From>;
    // An integer is above `value` exactly when it is above the largest integer that is not.
    const double floor = std::floor(value);
    const bool all = floor < static_cast<double>(Limits::min());
    const bool none = floor >= static_cast<double>(Limits::max());
    const From limit = all || none ? 0 : static_cast<From>(floor);
    if (all || none) {
      for (size_t i = 0; i < count; ++i) out[i] = all ? 1 : 0;
      return;
    }
    for (size_t i = 0; i < count; ++i) out[i] = in[i] > limit ? 1 : 0;
  }
}

template <class From>
BLOCKWRIGHT_INLINE void step_of(const VoxelStep& step, const uint8_t* from, uint8_t* out, size_t count, double first,
                                double second) {
  const From* const in = reinterpret_cast<const From*>(from);
  if constexpr (is_boolean<From>) {
    convert_to(step.to, in, out, count);
  } else {
    switch (step.kind) {
      case StepKind::convert:
        return convert_to(step.to, in, out, count);
      case StepKind::affine:
        return step.to == VoxelType::float32 ? affine<float>(in, out, count, first, second)
                                             : affine<double>(in, out, count, first, second);
      case StepKind::normalise:
        return normalise(in, out, count, first, second);
      case StepKind::threshold:
        return threshold(in, out, count, first);
    }
  }
}

#define BLOCKWRIGHT_STEP(name, type)                                                                             \
  BLOCKWRIGHT_TARGET_CLONES                                                                                      \
  void step_##name(const VoxelStep& step, const uint8_t* in, uint8_t* out, size_t count, double a, double b) {    \
    step_of<type>(step, in, out, count, a, b);                                                                   \
  }
BLOCKWRIGHT_STEP(boolean, Boolean)
BLOCKWRIGHT_STEP(uint8, uint8_t)
BLOCKWRIGHT_STEP(int8, int8_t)
BLOCKWRIGHT_STEP(uint16, uint16_t)
BLOCKWRIGHT_STEP(int16, int16_t)
BLOCKWRIGHT_STEP(uint32, uint32_t)
BLOCKWRIGHT_STEP(int32, int32_t)
BLOCKWRIGHT_STEP(uint64, uint64_t)
BLOCKWRIGHT_STEP(int64, int64_t)
BLOCKWRIGHT_STEP(float32, float)
BLOCKWRIGHT_STEP(float64, double)
#undef BLOCKWRIGHT_STEP

}  // namespace

void run_step(const VoxelStep& step, VoxelType from, const uint8_t* in, uint8_t* out, size_t count, double first,
              double second) {
  switch (from) {
    case VoxelType::boolean:
      return step_boolean(step, in, out, count, first, second);
    case VoxelType::uint8:
      return step_uint8(step, in, out, count, first, second);
    case VoxelType::int8:
      return step_int8(step, in, out, count, first, second);
    case VoxelType::uint16:
      return step_uint16(step, in, out, count, first, second);
    case VoxelType::int16:
      return step_int16(step, in, out, count, first, second);
    case VoxelType::uint32:
      return step_uint32(step, in, out, count, first, second);
    case VoxelType::int32:
      return step_int32(step, in, out, count, first, second);
    case VoxelType::uint64:
      return step_uint64(step, in, out, count, first, second);
    case VoxelType::int64:
      return step_int64(step, in, out, count, first, second);
    case VoxelType::float32:
      return step_float32(step, in, out, count, first, second);
    case VoxelType::float64:
      return step_float64(step, in, out, count, first, second);
  }
}

}  // namespace blockwright
