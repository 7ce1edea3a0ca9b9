#include "io/shard_file.h"

#include <utility>

#include "core/error.h"

namespace blockwright {

ShardFile::ShardFile(const ChunkLayout& layout, const Inside& root, const std::string& path, std::string temporary,
                     size_t ahead_bytes)
    : root_(root),
      path_(path),
      temporary_(std::move(temporary)),
      ahead_bytes_(ahead_bytes),
      index_at_start_(layout.shard->index_at_start),
      index_(layout),
      end_(index_at_start_ ? layout.shard->index_bytes(layout) : 0) {}

ShardFile::~ShardFile() {
  if (!created_) return;
  try {
    remove_file(root_, temporary_);
  } catch (const Error&) {
    // Whatever went wrong before says more; removeStaleTemporaries() finds the file later.
  }
}

uint64_t ShardFile::place(size_t number, size_t size) {
  const uint64_t offset = end_;
  next_ = number + 1;
  if (size == 0) return offset;
  index_.set(number, offset, size);
  end_ += size;
  if (!created_) {
    file_ = create_file(root_, temporary_);
    created_ = true;
  }
  return offset;
}

void ShardFile::add(size_t number, Bytes bytes) {
  std::vector<std::pair<uint64_t, std::vector<uint8_t>>> followers;
  uint64_t offset = 0;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    turn_.wait(lock, [&] { return abandoned_ || number == next_ || ahead_size_ + bytes.size <= ahead_bytes_; });
    if (abandoned_) return;
    if (number != next_) {
      ahead_size_ += bytes.size;
      ahead_.emplace(number, std::vector<uint8_t>(bytes.begin(), bytes.end()));
      return;
    }
    offset = place(number, bytes.size);
    for (auto follower = ahead_.begin(); follower != ahead_.end() && follower->first == next_;) {
      const uint64_t place_of = place(follower->first, follower->second.size());
      ahead_size_ -= follower->second.size();
      followers.emplace_back(place_of, std::move(follower->second));
      follower = ahead_.erase(follower);
    }
    turn_.notify_all();
  }
  write_fully(file_, temporary_, offset, bytes);
  for (const auto& [place_of, content] : followers) write_fully(file_, temporary_, place_of, {content.data(), content.size()});
}

void ShardFile::abandon() {
  const std::lock_guard<std::mutex> lock(mutex_);
  abandoned_ = true;
  turn_.notify_all();
}

bool ShardFile::finish(bool durable) {
  if (!created_) return remove_file(root_, path_);
  const std::vector<uint8_t> index = index_.encode();
  write_fully(file_, temporary_, index_at_start_ ? 0 : end_, {index.data(), index.size()});
  if (durable) synchronise_data(file_, temporary_);
  file_.close(temporary_);
  rename_file(temporary_, path_);
  created_ = false;
  return true;
}

}  // namespace blockwright
