// A folder that is opened once, and what lies inside it; nothing that links in it lead to outside.
#pragma once

#include <string>

#include "io/file.h"

namespace blockwright {

class Inside {
 public:
  // Where there is no such folder, open() says so.
  explicit Inside(const std::string& folder);
  const std::string& folder() const { return folder_; }

  // open() of `path`, which begins with the folder's path and a slash, or is that path. Links that stay inside are followed;
  // where one leads out nothing is opened and errno is EXDEV. -1 with errno on failure, as open() has it.
  int open(const std::string& path, int flags, unsigned mode = 0) const;

 private:
  bool open_beneath(const std::string& path, int flags, unsigned mode, int& descriptor) const;

  const std::string folder_;
  const File opened_;
  const int error_;  // errno where it could not be opened
};

// Why EXDEV is no ordinary failure.
inline constexpr const char* LEADS_OUT = "a link leads out of the array's folder";

}  // namespace blockwright
