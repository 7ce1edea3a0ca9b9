// A file in memory, paged in by the system as it is read. Pages are private: writing to them changes neither the file
// nor what others see. The file must not be cut short while it is mapped (replace it by renaming another over it).
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace blockwright {

class MappedFile {
 public:
  // ERR_IO with the path and errno's text; ERR_UNSUPPORTED where there is no mmap.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  void* data() const { return data_; }  // null when the file is empty
  size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace blockwright
