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

#include "core/error.h"

namespace blockwright {

namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// One call that the system answers by itself; false where it cannot, or where it says EXDEV of a link with an absolute path,
// which may still lead to the inside.
bool open_beneath(const std::string& root, const std::string& path, int flags, unsigned mode, int& descriptor) {
#ifdef SYS_openat2
  const File folder(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  descriptor = -1;
  if (folder.descriptor() < 0) return true;
  const char* const relative = path.size() > root.size() ? path.c_str() + root.size() + 1 : ".";
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH;
  descriptor = static_cast<int>(syscall(SYS_openat2, folder.descriptor(), relative, &how, sizeof(how)));
  const int error = errno;
  const bool answered = descriptor >= 0 || (error != EXDEV && error != ENOSYS && error != EPERM && error != EAGAIN);
  errno = error;
  return answered;
#else
  return false;
#endif
}

// Where links lead; nothing where that does not exist (errno says why).
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> result(realpath(path.c_str(), nullptr), &std::free);
  return result == nullptr ? std::string() : std::string(result.get());
}

bool lies_inside(const std::string& root, const std::string& path) {
  return path.compare(0, root.size(), root) == 0 && (path.size() == root.size() || root == "/" || path[root.size()] == '/');
}

}  // namespace

int open_inside(const std::string& root, const std::string& path, int flags, unsigned mode) {
  int descriptor = -1;
  if (open_beneath(root, path, flags, mode, descriptor)) return descriptor;
  const std::string folder = resolved(root);
  if (folder.empty()) return -1;
  // What is created does not exist yet: its folder counts. Of what is missing the last that is there counts, because a link out
  // of the root is one also where it leads to nothing.
  std::string existing = (flags & O_CREAT) != 0 ? folder_of(path) : path;
  std::string target = resolved(existing);
  const int error = target.empty() ? errno : 0;
  while (target.empty() && existing.size() > root.size()) {
    existing = folder_of(existing);
    target = resolved(existing);
  }
  if (lies_inside(folder, target)) {
    if (error == 0) return open(path.c_str(), flags, mode);
    errno = error;
    return -1;
  }
  errno = EXDEV;
  return -1;
}

}  // namespace blockwright
