// Reads the one options object that every export takes. Checks memory: types, lengths, integers. Meaning is checked in TypeScript.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/cancellation.h"
#include "core/error.h"
#include "core/error_codes.h"
#include "core/shape.h"
#include "core/span.h"

namespace blockwright {

template <class T>
struct TypedArrayKind;
#define BLOCKWRIGHT_TYPED_ARRAY(type, kind, label)            \
  template <>                                                 \
  struct TypedArrayKind<type> {                               \
    static constexpr napi_typedarray_type value = kind;       \
    static constexpr const char* name = label;                \
  };
BLOCKWRIGHT_TYPED_ARRAY(uint8_t, napi_uint8_array, "Uint8Array")
BLOCKWRIGHT_TYPED_ARRAY(int8_t, napi_int8_array, "Int8Array")
BLOCKWRIGHT_TYPED_ARRAY(uint16_t, napi_uint16_array, "Uint16Array")
BLOCKWRIGHT_TYPED_ARRAY(int16_t, napi_int16_array, "Int16Array")
BLOCKWRIGHT_TYPED_ARRAY(uint32_t, napi_uint32_array, "Uint32Array")
BLOCKWRIGHT_TYPED_ARRAY(int32_t, napi_int32_array, "Int32Array")
BLOCKWRIGHT_TYPED_ARRAY(float, napi_float32_array, "Float32Array")
BLOCKWRIGHT_TYPED_ARRAY(double, napi_float64_array, "Float64Array")
BLOCKWRIGHT_TYPED_ARRAY(uint64_t, napi_biguint64_array, "BigUint64Array")
BLOCKWRIGHT_TYPED_ARRAY(int64_t, napi_bigint64_array, "BigInt64Array")
#undef BLOCKWRIGHT_TYPED_ARRAY

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsObject()) throw Error(ERR_ARGUMENT, "expected one options object");
    object_ = info[0].As<Napi::Object>();
  }

  explicit Arguments(const Napi::Object& object) : object_(object) {}

  const Napi::Object& object() const { return object_; }

  bool has(const char* name) const {
    const Napi::Value value = object_.Get(name);
    return !value.IsUndefined() && !value.IsNull();
  }

  // The elements of a typed array of exactly this type.
  template <class T>
  Span<T> array(const char* name) const {
    const Napi::Value value = object_.Get(name);
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != TypedArrayKind<T>::value) {
      throw Error(ERR_ARGUMENT, std::string(name) + ": expected a " + TypedArrayKind<T>::name);
    }
    auto typed = value.As<Napi::TypedArrayOf<T>>();
    return {typed.Data(), typed.ElementLength()};
  }

  template <class T>
  Span<T> array(const char* name, size_t length) const {
    const Span<T> result = array<T>(name);
    if (result.size != length) {
      throw Error(ERR_ARGUMENT, std::string(name) + ": expected " + std::to_string(length) + " elements, found " +
                                    std::to_string(result.size));
    }
    return result;
  }

  // The memory of a typed array of any type (a Uint8Array over it could not exceed 4 GiB).
  Span<uint8_t> bytes(const char* name) const {
    const Napi::Value value = object_.Get(name);
    if (!value.IsTypedArray()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected a typed array");
    void* data = nullptr;
    napi_get_typedarray_info(value.Env(), value, nullptr, nullptr, &data, nullptr, nullptr);
    return {static_cast<uint8_t*>(data), value.As<Napi::TypedArray>().ByteLength()};
  }

  napi_typedarray_type array_type(const char* name) const {
    const Napi::Value value = object_.Get(name);
    if (!value.IsTypedArray()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected a typed array");
    return value.As<Napi::TypedArray>().TypedArrayType();
  }

  double number(const char* name) const {
    const Napi::Value value = object_.Get(name);
    if (!value.IsNumber()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected a number");
    return value.As<Napi::Number>().DoubleValue();
  }
  double number(const char* name, double fallback) const { return has(name) ? number(name) : fallback; }

  int64_t integer(const char* name) const { return exact(name, number(name)); }
  int64_t integer(const char* name, int64_t fallback) const { return has(name) ? integer(name) : fallback; }

  // A whole number in [0, 2^64), given as BigInt or Number.
  uint64_t unsigned64(const char* name) const {
    const Napi::Value value = object_.Get(name);
    if (value.IsBigInt()) {
      bool lossless = false;
      const uint64_t result = value.As<Napi::BigInt>().Uint64Value(&lossless);
      if (!lossless) throw Error(ERR_ARGUMENT, std::string(name) + ": expected an integer in [0, 2^64)");
      return result;
    }
    const int64_t result = integer(name);
    if (result < 0) throw Error(ERR_ARGUMENT, std::string(name) + ": expected a non-negative integer");
    return static_cast<uint64_t>(result);
  }

  bool boolean(const char* name) const { return object_.Get(name).ToBoolean(); }

  std::string text(const char* name) const {
    const Napi::Value value = object_.Get(name);
    if (!value.IsString()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected a string");
    return value.As<Napi::String>().Utf8Value();
  }

  // An array of whole numbers.
  std::vector<int64_t> integers(const char* name) const { return integers(name, object_.Get(name)); }

  std::vector<double> numbers(const char* name) const {
    const Napi::Array list = list_of(name, object_.Get(name));
    std::vector<double> result(list.Length());
    for (uint32_t i = 0; i < result.size(); ++i) {
      const Napi::Value entry = list.Get(i);
      if (!entry.IsNumber()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected numbers");
      result[i] = entry.As<Napi::Number>().DoubleValue();
    }
    return result;
  }

  // An array of arrays of whole numbers.
  std::vector<std::vector<int64_t>> integer_lists(const char* name) const {
    const Napi::Array list = list_of(name, object_.Get(name));
    std::vector<std::vector<int64_t>> result(list.Length());
    for (uint32_t i = 0; i < result.size(); ++i) result[i] = integers(name, list.Get(i));
    return result;
  }

  Shape shape(const char* name) const {
    const Shape result(integers(name));
    if (result.dimensions < 1) throw Error(ERR_ARGUMENT, std::string(name) + ": expected 1 to 6 dimensions");
    result.count();
    return result;
  }

  // The flag of the call's AbortSignal: a Uint8Array of one element in the option `cancel`.
  Cancellation cancellation() const {
    return has("cancel") ? Cancellation(array<uint8_t>("cancel", 1).data) : Cancellation();
  }

 private:
  static int64_t exact(const char* name, double value) {
    if (!(std::fabs(value) <= 9007199254740991.0) || value != std::floor(value)) {
      throw Error(ERR_ARGUMENT, std::string(name) + ": expected a whole number, found " + std::to_string(value));
    }
    return static_cast<int64_t>(value);
  }
  static Napi::Array list_of(const char* name, const Napi::Value& value) {
    if (!value.IsArray()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected an array");
    return value.As<Napi::Array>();
  }
  static std::vector<int64_t> integers(const char* name, const Napi::Value& value) {
    const Napi::Array list = list_of(name, value);
    std::vector<int64_t> result(list.Length());
    for (uint32_t i = 0; i < result.size(); ++i) {
      const Napi::Value entry = list.Get(i);
      if (!entry.IsNumber()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected whole numbers");
      result[i] = exact(name, entry.As<Napi::Number>().DoubleValue());
    }
    return result;
  }

  Napi::Object object_;
};

}  // namespace blockwright
