// Names of files that are being written. lib/storage/temporary-files.ts recognises them to clean up after killed processes.
#pragma once

#include <cstddef>
#include <string>

namespace blockwright {

// Names for one call: ".blockwright-<host>-<process>-<random>-<number>.tmp" with 8, 1 to 10, 16 and 1 to 20 characters.
// It begins with a dot and holds letters, so it is never a chunk's key.
class TemporaryNames {
 public:
  TemporaryNames();
  std::string name(size_t number) const;

 private:
  std::string stem_;
};

}  // namespace blockwright
