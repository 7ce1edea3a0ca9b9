// Opens what lies inside a folder, and nothing that links below it lead to outside.
#pragma once

#include <string>

#include "io/file.h"

namespace blockwright {

// open() of `path`, which begins with `root` and a slash, or is `root`. Links that stay inside the root are followed; where one
// leads out nothing is opened and errno is EXDEV. -1 with errno on failure, as open() has it.
int open_inside(const std::string& root, const std::string& path, int flags, unsigned mode = 0);

// Why EXDEV is no ordinary failure.
inline constexpr const char* LEADS_OUT = "a link leads out of the array's folder";

}  // namespace blockwright
