// Indexes of shards with any offsets and lengths in them. Promises: an entry is empty, or bytes of the shard outside its index, or
// refused as ERR_CHUNK_CORRUPT, as plain arithmetic without overflow says; a checksum that does not match is refused.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/error_codes.h"
#include "fuzz/choices.h"
#include "fuzz/fuzz.h"
#include "fuzz/guarded.h"
#include "fuzz/input.h"
#include "fuzz/mutate.h"
#include "io/shard_index.h"

namespace blockwright {

namespace {

constexpr size_t MAX_SHARD = 1 << 16;

ChunkLayout read_layout(InputReader& reader) {
  const auto shard = std::make_shared<ShardLayout>();
  ChunkLayout layout;
  const auto dimensions = static_cast<int>(reader.below(4));
  layout.shape.dimensions = shard->inner.shape.dimensions = layout.order.dimensions = dimensions;
  for (int axis = 0; axis < dimensions; ++axis) {
    shard->inner.shape[axis] = static_cast<int64_t>(reader.below(3) + 1);
    layout.shape[axis] = shard->inner.shape[axis] * static_cast<int64_t>(reader.below(5) + 1);
    layout.order[axis] = axis;
  }
  shard->index_at_start = reader.below(2) == 1;
  shard->index_swap = reader.below(2) == 1;
  shard->index_checksum = reader.below(2) == 1;
  shard->inner.order = layout.order;
  layout.shard = shard;
  return layout;
}

class ShardIndexes : public FuzzTarget {
 public:
  std::vector<uint8_t> make(Random& random) override {
    InputWriter writer;
    for (size_t choice = 0; choice < CHOICES; ++choice) writer.number(random.next());
    const std::vector<uint8_t> head = writer.take();
    writer.rest(head);
    InputReader reader({head.data(), head.size()});
    writer.rest(make_shard(read_layout(reader), random));
    return writer.take();
  }

  void run(Span<const uint8_t> input, const std::string&) override {
    InputReader reader(input);
    const ChunkLayout layout = read_layout(reader);
    layout.check(layout.shape.dimensions, 1);
    const ShardLayout& options = *layout.shard;
    Span<const uint8_t> bytes = reader.after(HEAD);
    bytes.size = std::min(bytes.size, MAX_SHARD);
    uint8_t* const copy = memory_.last(bytes.size, 0);
    std::copy(bytes.begin(), bytes.end(), copy);
    const Stretch shard(Bytes{copy, bytes.size});

    const size_t index_bytes = 16 * inner_count(layout) + (options.index_checksum ? 4 : 0);
    const bool long_enough = bytes.size >= index_bytes;
    const size_t index_begin = options.index_at_start ? 0 : bytes.size - std::min(bytes.size, index_bytes);
    bool matches = true;
    if (long_enough && options.index_checksum) {
      const uint8_t* const stored = copy + index_begin + index_bytes - 4;
      const uint32_t checksum = plain_crc32c({copy + index_begin, index_bytes - 4});
      for (int byte = 0; byte < 4; ++byte) matches = matches && stored[byte] == static_cast<uint8_t>(checksum >> (8 * byte));
    }
    const std::optional<ShardIndex> index = refused([&] { return ShardIndex(layout, shard); });
    promise(index.has_value() == (long_enough && matches), "the index as a whole: refused or taken wrongly");
    for (size_t number = 0; index && number < inner_count(layout); ++number) {
      const uint64_t offset = entry(copy + index_begin, 2 * number, options.index_swap);
      const uint64_t length = entry(copy + index_begin, 2 * number + 1, options.index_swap);
      check_entry(shard, *index, number, offset, length, options.index_at_start ? index_bytes : 0,
                  options.index_at_start ? bytes.size : index_begin);
    }
  }

 private:
  static constexpr size_t CHOICES = 12;
  static constexpr size_t HEAD = 8 * CHOICES;

  static uint64_t entry(const uint8_t* index, size_t number, bool big_endian) {
    uint64_t value = 0;
    for (size_t byte = 0; byte < 8; ++byte) {
      value |= uint64_t{index[8 * number + byte]} << (8 * (big_endian ? 7 - byte : byte));
    }
    return value;
  }

  static std::vector<uint8_t> make_shard(const ChunkLayout& layout, Random& random) {
    const size_t content = random.below(uint64_t{1} << random.below(12));
    ShardIndexWriter writer(layout);
    const size_t all = content + layout.shard->index_bytes(layout);
    for (size_t number = 0; number < inner_count(layout); ++number) {
      const uint64_t kind = random.below(4);
      if (kind == 0) continue;
      const bool right = kind == 1;
      const uint64_t offset = right ? random.below(content + 1) : hostile_number(random, random.below(2) == 0 ? content : all);
      // Also sums that wrap around to something small.
      const uint64_t length = right ? random.below(content - offset + 1)
                                    : hostile_number(random, random.below(2) == 0 ? all - offset : uint64_t{0} - offset);
      writer.set(number, offset, length);
    }
    const std::vector<uint8_t> index = writer.encode();
    std::vector<uint8_t> shard(content, 1);
    shard.insert(layout.shard->index_at_start ? shard.begin() : shard.end(), index.begin(), index.end());
    if (random.below(4) == 0) mutate(random, shard);
    return shard;
  }

  // The result, or nothing where it was refused as damaged.
  template <class Action>
  static auto refused(const Action& action) -> std::optional<decltype(action())> {
    try {
      return action();
    } catch (const Error& error) {
      promise(std::string(error.code()) == ERR_CHUNK_CORRUPT, std::string(error.code()) + ": " + error.what());
      return std::nullopt;
    }
  }

  // `low`, `high`: where inner chunks may lie.
  static void check_entry(const Stretch& shard, const ShardIndex& index, size_t number, uint64_t offset, uint64_t length,
                          uint64_t low, uint64_t high) {
    const std::string what = std::to_string(length) + " bytes at " + std::to_string(offset) + ", allowed from " +
                             std::to_string(low) + " to " + std::to_string(high) + ": ";
    const auto found = refused([&] { return index.inner(shard, number); });
    const bool empty = offset == UINT64_MAX && length == UINT64_MAX;
    const auto end = static_cast<unsigned __int128>(offset) + length;
    const bool inside = offset >= low && end <= high;
    promise(found.has_value() == (empty || inside), what + (inside ? "refused" : "taken"));
    if (!found) return;
    promise(found->has_value() == !empty, what + (empty ? "taken as bytes" : "taken as empty"));
    if (empty) return;
    promise((*found)->size() == length, what + "another length");
    Buffer buffer;
    const Bytes content = (*found)->load(buffer);
    Buffer whole;
    promise(content.data == shard.load(whole).data + offset, what + "another place");
  }

  Guarded memory_{MAX_SHARD};
};

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  blockwright::ShardIndexes target;
  return blockwright::fuzz_main(argc, argv, target);
}
