// Reads lists of runs of rows: arrays of objects whose fields are typed arrays. The options object must hold the lists,
// unchanged, until the promise settles.
#pragma once

#include <napi.h>

#include <string>

#include "boundary/arguments.h"

namespace blockwright {

template <class T>
Span<T> typed_elements(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != TypedArrayKind<T>::value) {
    throw Error(ERR_ARGUMENT, std::string(name) + ": expected a " + TypedArrayKind<T>::name);
  }
  auto typed = value.As<Napi::TypedArrayOf<T>>();
  return {typed.Data(), typed.ElementLength()};
}

template <class T>
Span<T> typed_elements(const Napi::Value& value, const char* name, size_t length) {
  const Span<T> result = typed_elements<T>(value, name);
  if (result.size != length) {
    throw Error(ERR_ARGUMENT, std::string(name) + ": expected " + std::to_string(length) + " elements, found " +
                                  std::to_string(result.size));
  }
  return result;
}

inline Napi::Array list_of(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected an array");
  return value.As<Napi::Array>();
}

inline Napi::Array list_of_length(const Napi::Value& value, const char* name, size_t length) {
  const Napi::Array list = list_of(value, name);
  if (list.Length() != length) {
    throw Error(ERR_ARGUMENT, std::string(name) + ": expected " + std::to_string(length) + " entries, found " +
                                  std::to_string(list.Length()));
  }
  return list;
}

inline Napi::Object object_of(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw Error(ERR_ARGUMENT, std::string(name) + ": expected an object");
  return value.As<Napi::Object>();
}

}  // namespace blockwright
