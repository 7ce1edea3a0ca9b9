// System calls that a signal may interrupt.
#pragma once

#include <cerrno>

namespace blockwright {

// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace blockwright
