#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/error_codes.h"
#include "core/uninterrupted.h"
#include "io/inside.h"

namespace blockwright {

namespace {

const char* errno_name(int error) {
  switch (error) {
#define BLOCKWRIGHT_ERRNO(name) \
  case name:                    \
    return #name;
    BLOCKWRIGHT_ERRNO(EACCES)
    BLOCKWRIGHT_ERRNO(EBUSY)
    BLOCKWRIGHT_ERRNO(EDQUOT)
    BLOCKWRIGHT_ERRNO(EEXIST)
    BLOCKWRIGHT_ERRNO(EFBIG)
    BLOCKWRIGHT_ERRNO(EINVAL)
    BLOCKWRIGHT_ERRNO(EIO)
    BLOCKWRIGHT_ERRNO(EISDIR)
    BLOCKWRIGHT_ERRNO(ELOOP)
    BLOCKWRIGHT_ERRNO(EMFILE)
    BLOCKWRIGHT_ERRNO(EMLINK)
    BLOCKWRIGHT_ERRNO(ENAMETOOLONG)
    BLOCKWRIGHT_ERRNO(ENFILE)
    BLOCKWRIGHT_ERRNO(ENODEV)
    BLOCKWRIGHT_ERRNO(ENOENT)
    BLOCKWRIGHT_ERRNO(ENOMEM)
    BLOCKWRIGHT_ERRNO(ENOSPC)
    BLOCKWRIGHT_ERRNO(ENOTCONN)
    BLOCKWRIGHT_ERRNO(ENOTDIR)
    BLOCKWRIGHT_ERRNO(ENOTEMPTY)
    BLOCKWRIGHT_ERRNO(ENXIO)
    BLOCKWRIGHT_ERRNO(EPERM)
    BLOCKWRIGHT_ERRNO(EROFS)
    BLOCKWRIGHT_ERRNO(ESTALE)
    BLOCKWRIGHT_ERRNO(ETIMEDOUT)
#undef BLOCKWRIGHT_ERRNO
    default:
      return nullptr;
  }
}

// As throw_io(), for calls that open_inside() made.
[[noreturn]] void throw_inside(const char* action, const std::string& path, int error) {
  if (error != EXDEV) throw_io(action, path, error);
  throw Error(ERR_IO, std::string(action) + " " + path + ": " + LEADS_OUT, {{"errno", "EXDEV"}, {"path", path}});
}

// The folder of `path`, which lies below `root`.
File open_folder_of(const Inside& root, const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  return File(uninterrupted([&] { return root.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
}

const char* name_of(const std::string& path) { return path.c_str() + path.rfind('/') + 1; }

// Whether `path` is missing because a link on the way below `root` leads nowhere.
bool dangles(const Inside& root, const std::string& path) {
  for (std::string entry = path; entry.size() > root.folder().size(); entry.resize(entry.rfind('/'))) {
    struct stat status {};
    if (lstat(entry.c_str(), &status) == 0) return S_ISLNK(status.st_mode) && stat(entry.c_str(), &status) != 0;
  }
  return false;
}

// Creates the folders of `path` below `root`, which must exist.
void create_folders(const Inside& root, const std::string& path) {
  for (size_t end = path.find('/', root.folder().size() + 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    const File above = open_folder_of(root, folder);
    if (above.descriptor() < 0) throw_inside("creating the folder", folder, errno);
    if (mkdirat(above.descriptor(), name_of(folder), 0777) != 0 && errno != EEXIST) {
      throw_io("creating the folder", folder, errno);
    }
  }
}

}  // namespace

void throw_io(const char* action, const std::string& path, int error) {
  const char* const known = errno_name(error);
  const std::string name = known != nullptr ? known : "errno " + std::to_string(error);
  // std::generic_category is the thread-safe strerror.
  throw Error(ERR_IO, std::string(action) + " " + path + ": " + name + " (" + std::generic_category().message(error) + ")",
              {{"errno", name}, {"path", path}});
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void File::close(const std::string& path) {
  const int result = ::close(std::exchange(descriptor_, -1));  // never again after EINTR: Linux has released it
  if (result != 0 && errno != EINTR) throw_io("closing", path, errno);
}

bool open_chunk(const Inside& root, const std::string& path, File& file, size_t& size) {
  // O_NONBLOCK: opening a pipe that lies in place of a chunk must not wait for its other end.
  constexpr int FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int descriptor = uninterrupted([&] { return root.open(path, FLAGS); });
  if (descriptor < 0) {
    if (errno == ENOENT) {
      if (dangles(root, path)) throw Error(ERR_CHUNK_CORRUPT, "a link leads nowhere");
      return false;
    }
    if (errno == EXDEV) throw Error(ERR_CHUNK_CORRUPT, LEADS_OUT);
    if (errno == ELOOP) throw Error(ERR_CHUNK_CORRUPT, "a link leads to itself");
    if (errno == ENXIO) throw Error(ERR_CHUNK_CORRUPT, "not a regular file");  // a socket
    if (errno == ENOTDIR) throw Error(ERR_CHUNK_CORRUPT, "a file lies in place of its folder");
    throw_io("opening", path, errno);
  }
  file = File(descriptor);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) throw_io("examining", path, errno);
  if (S_ISDIR(status.st_mode)) throw Error(ERR_CHUNK_CORRUPT, "a folder lies in place of the file");
  if (!S_ISREG(status.st_mode)) throw Error(ERR_CHUNK_CORRUPT, "not a regular file");
  size = static_cast<size_t>(status.st_size);
  return true;
}

void read_exactly(const File& file, const std::string& path, uint64_t offset, uint8_t* target, size_t size) {
  for (size_t position = 0; position < size;) {
    const ssize_t count = uninterrupted([&] {
      return pread(file.descriptor(), target + position, size - position, static_cast<off_t>(offset + position));
    });
    if (count < 0) throw_io("reading", path, errno);
    if (count == 0) throw Error(ERR_CHUNK_CORRUPT, "the file became shorter while it was read");
    position += static_cast<size_t>(count);
  }
}

File create_file(const Inside& root, const std::string& path) {
  const auto create = [&] { return root.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); };
  int descriptor = uninterrupted(create);
  if (descriptor < 0 && errno == ENOENT) {
    create_folders(root, path);
    descriptor = uninterrupted(create);
  }
  if (descriptor < 0) throw_inside("creating", path, errno);
  return File(descriptor);
}

void write_fully(const File& file, const std::string& path, uint64_t offset, Span<const uint8_t> data) {
  for (size_t position = 0; position < data.size;) {
    const ssize_t count = uninterrupted([&] {
      return pwrite(file.descriptor(), data.data + position, data.size - position, static_cast<off_t>(offset + position));
    });
    if (count < 0) throw_io("writing", path, errno);
    position += static_cast<size_t>(count);
  }
}

void synchronise_data(const File& file, const std::string& path) {
  if (uninterrupted([&] { return fdatasync(file.descriptor()); }) != 0) throw_io("synchronising", path, errno);
}

void synchronise_folder(const std::string& path) {
  const int descriptor = uninterrupted([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) throw_io("opening the folder", path, errno);
  const File folder(descriptor);
  // Some network file systems cannot synchronise folders and say EINVAL: there is nothing more to do on them.
  if (uninterrupted([&] { return fsync(descriptor); }) != 0 && errno != EINVAL && errno != ENOTSUP) {
    throw_io("synchronising the folder", path, errno);
  }
}

void rename_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) throw_io("renaming a new file to", to, errno);
}

bool remove_file(const Inside& root, const std::string& path) {
  const File folder = open_folder_of(root, path);
  if (folder.descriptor() >= 0 && unlinkat(folder.descriptor(), name_of(path), 0) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw_inside("removing", path, errno);
}

}  // namespace blockwright
