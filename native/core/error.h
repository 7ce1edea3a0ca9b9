// The one exception type of the kernels: a stable code of lib/errors.ts and a message for people.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace blockwright {

class Error : public std::runtime_error {
 public:
  Error(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;  // points to a literal of error_codes.h
};

}  // namespace blockwright
