// The one exception type of the kernels: a stable code of lib/errors.ts, a message for people, and the facts behind it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace blockwright {

class Error : public std::runtime_error {
 public:
  using Details = std::vector<std::pair<std::string, std::string>>;

  Error(const char* code, const std::string& message, Details details = {})
      : std::runtime_error(message), code_(code), details_(std::move(details)) {}
  const char* code() const { return code_; }
  // Names and values that become properties of the JavaScript error.
  const Details& details() const { return details_; }

 private:
  const char* code_;  // points to a literal of error_codes.h
  Details details_;
};

}  // namespace blockwright
