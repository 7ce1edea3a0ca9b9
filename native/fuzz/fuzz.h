// The loop around a fuzz target: makes inputs from a seed, runs them in a child process, and keeps the one that failed.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/span.h"
#include "test/check.h"

namespace blockwright {

// A promise is broken.
class Finding : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void promise(bool kept, const std::string& what) {
  if (!kept) throw Finding(what);
}

class FuzzTarget {
 public:
  virtual ~FuzzTarget() = default;
  // A new input, from the numbers alone.
  virtual std::vector<uint8_t> make(Random& random) = 0;
  // Runs one input, any bytes at all; throws a Finding where a promise is broken. `folder` is empty, and emptied afterwards.
  virtual void run(Span<const uint8_t> input, const std::string& folder) = 0;
};

// The program of a target: [--seed N] [--executions N] [--seconds S] [--first N] [--findings FOLDER] or --input FILE. Ends
// with one line, "<name>: N executions in S s (N/s), seed N", and 0; on a finding (also a sanitizer's report, a crash, an allocation
// of more than 64 MiB, 30 s without an end) with the path of the input that failed, how to run it again, and 1.
int fuzz_main(int argc, char** argv, FuzzTarget& target);

}  // namespace blockwright
