// Copies native vectors into new typed arrays.
#pragma once

#include <napi.h>

#include <cstring>
#include <vector>

#include "boundary/arguments.h"

namespace blockwright {

template <class T>
Napi::Value to_typed_array(Napi::Env env, const std::vector<T>& values) {
  Napi::TypedArrayOf<T> result = Napi::TypedArrayOf<T>::New(env, values.size(), TypedArrayKind<T>::value);
  if (!values.empty()) std::memcpy(result.Data(), values.data(), values.size() * sizeof(T));
  return result;
}

}  // namespace blockwright
