// Writes one shard as one file while several threads encode its inner chunks.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "io/chunk_layout.h"
#include "io/file.h"
#include "io/inside.h"
#include "io/shard_index.h"

namespace blockwright {

// A new file of a shard without codecs around it. Each inner chunk is added once, by any thread and in any order; they lie in the
// file in the order of the index without gaps, so its bytes do not depend on the threads. The file appears under its
// name as a whole, or not at all. A thread that is ahead of the others leaves its bytes here while `ahead_bytes` have room, and
// waits else; inner chunks must be handed out in ascending order, or that would not end.
class ShardFile {
 public:
  // `root` is the array's folder; it and `path` must outlive the object.
  ShardFile(const ChunkLayout& layout, const Inside& root, const std::string& path, std::string temporary,
            size_t ahead_bytes);
  ~ShardFile();
  ShardFile(const ShardFile&) = delete;
  ShardFile& operator=(const ShardFile&) = delete;

  // Adds an inner chunk; one without bytes is the fill value.
  void add(size_t number, Bytes bytes);
  // Another thread failed: nobody waits any more, and what is added is ignored.
  void abandon();
  // All inner chunks were added: writes the index and gives the file its name, or removes an old one where all of them are
  // fill value. Returns whether the folder has another entry than before.
  bool finish(bool durable);

 private:
  // Gives the next inner chunk its place in the file.
  uint64_t place(size_t number, size_t size);

  const Inside& root_;
  const std::string& path_;
  const std::string temporary_;
  const size_t ahead_bytes_;
  const bool index_at_start_;
  ShardIndexWriter index_;
  std::mutex mutex_;
  std::condition_variable turn_;
  size_t next_ = 0;  // the inner chunk whose place comes next
  uint64_t end_;     // of what has a place
  bool abandoned_ = false;
  std::map<size_t, std::vector<uint8_t>> ahead_;
  size_t ahead_size_ = 0;
  File file_;
  bool created_ = false;  // the temporary file is there
};

}  // namespace blockwright
