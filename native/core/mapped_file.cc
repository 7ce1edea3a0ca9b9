#include "core/mapped_file.h"

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/uninterrupted.h"

#ifdef _WIN32

namespace blockwright {
MappedFile::MappedFile(const std::string& path) {
  throw Error(ERR_UNSUPPORTED, "path: files cannot be mapped on this system: " + path);
}
MappedFile::~MappedFile() = default;
}  // namespace blockwright

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace blockwright {

namespace {

[[noreturn]] void fail(const char* action, const std::string& path, int number) {
  throw Error(ERR_IO, std::string("cannot ") + action + " " + path + ": " + std::strerror(number) + " (errno " +
                          std::to_string(number) + ")");
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  // a pipe must not make it wait
  const int file = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (file < 0) fail("open", path, errno);
  struct stat status{};
  if (::fstat(file, &status) != 0) {
    const int number = errno;
    ::close(file);
    fail("read the size of", path, number);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(file);
    throw Error(ERR_IO, "cannot map " + path + ": not a regular file");
  }
  size_ = static_cast<size_t>(status.st_size);
  if (size_ > 0) {
#ifdef MAP_NORESERVE
    constexpr int FLAGS = MAP_PRIVATE | MAP_NORESERVE;
#else
    constexpr int FLAGS = MAP_PRIVATE;
#endif
    data_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, FLAGS, file, 0);
    if (data_ == MAP_FAILED) {
      const int number = errno;
      data_ = nullptr;
      ::close(file);
      fail("map", path, number);
    }
  }
  ::close(file);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace blockwright

#endif
