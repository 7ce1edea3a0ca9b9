#include "io/inside.h"

#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "core/uninterrupted.h"

namespace blockwright {

namespace {

#ifdef O_PATH
constexpr int FOLDER = O_PATH;  // a folder that may be searched need not be readable
#else
constexpr int FOLDER = O_RDONLY;
#endif

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Where links lead; nothing where that does not exist (errno says why).
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> result(realpath(path.c_str(), nullptr), &std::free);
  return result == nullptr ? std::string() : std::string(result.get());
}

bool lies_inside(const std::string& root, const std::string& path) {
  return path.compare(0, root.size(), root) == 0 && (path.size() == root.size() || root == "/" || path[root.size()] == '/');
}

}  // namespace

Inside::Inside(const std::string& folder)
    : folder_(folder),
      opened_(uninterrupted([&] { return ::open(folder.c_str(), FOLDER | O_DIRECTORY | O_CLOEXEC); })),
      error_(opened_.descriptor() < 0 ? errno : 0) {}

// One call that the system answers by itself; false where it cannot, or where it says EXDEV of a link with an absolute path,
// which may still lead to the inside.
bool Inside::open_beneath(const std::string& path, int flags, unsigned mode, int& descriptor) const {
#ifdef SYS_openat2
  const char* const relative = path.size() > folder_.size() ? path.c_str() + folder_.size() + 1 : ".";
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH;
  descriptor = static_cast<int>(syscall(SYS_openat2, opened_.descriptor(), relative, &how, sizeof(how)));
  return descriptor >= 0 || (errno != EXDEV && errno != ENOSYS && errno != EPERM && errno != EAGAIN);
#else
  return false;
#endif
}

int Inside::open(const std::string& path, int flags, unsigned mode) const {
  if (error_ != 0) {
    errno = error_;
    return -1;
  }
  int descriptor = -1;
  if (open_beneath(path, flags, mode, descriptor)) return descriptor;
  const std::string folder = resolved(folder_);
  if (folder.empty()) return -1;
  // What is created does not exist yet: its folder counts. Of what is missing the last that is there counts, because a link out
  // of the root is one also where it leads to nothing.
  std::string existing = (flags & O_CREAT) != 0 ? folder_of(path) : path;
  std::string target = resolved(existing);
  const int error = target.empty() ? errno : 0;
  while (target.empty() && existing.size() > folder_.size()) {
    existing = folder_of(existing);
    target = resolved(existing);
  }
  if (lies_inside(folder, target)) {
    if (error == 0) return ::open(path.c_str(), flags, mode);
    errno = error;
    return -1;
  }
  errno = EXDEV;
  return -1;
}

}  // namespace blockwright
