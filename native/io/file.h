// Files of chunks: EINTR and short transfers are handled, what the system refuses is ERR_IO with the name of errno and
// the path in its details.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "core/span.h"

namespace blockwright {

class Inside;

// Throws ERR_IO: "<action> <path>: <errno name> (<text>)".
[[noreturn]] void throw_io(const char* action, const std::string& path, int error);

// An open file descriptor.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();
  int descriptor() const { return descriptor_; }
  // Closes and reports errors, which some network file systems only raise here.
  void close(const std::string& path);

 private:
  int descriptor_ = -1;
};

// Opens a chunk's file for reading and tells its size. False when there is none. Anything but a regular file, a file in place
// of one of its folders, or a link that leads nowhere or out of `root`, the array's folder, is ERR_CHUNK_CORRUPT.
bool open_chunk(const Inside& root, const std::string& path, File& file, size_t& size);

// Reads exactly `size` bytes from `offset` on, which must be inside the file's size; a file that has become shorter is
// ERR_CHUNK_CORRUPT.
void read_exactly(const File& file, const std::string& path, uint64_t offset, uint8_t* target, size_t size);

// Creates a file that must not exist; folders between `root` and the file are created, `root` itself is not. Where a link leads
// out of `root` that is ERR_IO, and nothing is made outside.
File create_file(const Inside& root, const std::string& path);
void write_fully(const File& file, const std::string& path, uint64_t offset, Span<const uint8_t> data);
void synchronise_data(const File& file, const std::string& path);
void synchronise_folder(const std::string& path);
void rename_file(const std::string& from, const std::string& to);
// False when there was no such file; it lies below `root`, as create_file() has it.
bool remove_file(const Inside& root, const std::string& path);

}  // namespace blockwright
