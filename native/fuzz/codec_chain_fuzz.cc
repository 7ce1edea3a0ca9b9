// Chains of codecs on encoded bytes that were damaged before, between and behind the codecs. Promises: what was not damaged round
// trips; what was is refused as ERR_CHUNK_CORRUPT or gives exactly the size asked for, from its bytes alone; nothing is touched
// outside the buffers; where a crc32c covers the whole file, no damage that it sees gets through.
#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/error_codes.h"
#include "fuzz/choices.h"
#include "fuzz/fuzz.h"
#include "fuzz/guarded.h"
#include "fuzz/input.h"
#include "fuzz/mutate.h"
#include "io/codec.h"

namespace blockwright {

namespace {

constexpr size_t MAX_CONTENT = 1 << 17;

void store_checksum(std::vector<uint8_t>& bytes) {
  if (bytes.size() < 4) return;
  const uint32_t checksum = plain_crc32c({bytes.data(), bytes.size() - 4});
  for (int byte = 0; byte < 4; ++byte) bytes[bytes.size() - 4 + byte] = static_cast<uint8_t>(checksum >> (8 * byte));
}

bool has_checksum(Span<const uint8_t> bytes) {
  if (bytes.size < 4) return false;
  std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  store_checksum(copy);
  return std::equal(copy.begin(), copy.end(), bytes.begin());
}

class CodecChains : public FuzzTarget {
 public:
  std::vector<uint8_t> make(Random& random) override {
    InputWriter writer;
    const size_t size = 1 + random.below(uint64_t{1} << random.below(random.below(16) == 0 ? 18 : 13));
    const bool damaged = random.below(8) != 0;
    writer.number(size);
    writer.number(damaged ? 1 : 0);
    for (size_t choice = 2; choice < CHOICES; ++choice) writer.number(random.next());
    const std::vector<uint8_t> head = writer.take();
    writer.rest(head);
    InputReader reader({head.data(), head.size()});
    const Case one(reader);
    writer.rest(damaged ? damage(one, random) : encoded(one.codecs, one.content));
    return writer.take();
  }

  void run(Span<const uint8_t> input, const std::string&) override {
    InputReader reader(input);
    const Case one(reader);
    const Span<const uint8_t> bytes = reader.after(HEAD);
    const std::string what = describe(one.codecs) + " of " + std::to_string(one.content.size()) + " bytes, " +
                             std::to_string(bytes.size) + " bytes encoded: ";
    std::string refusal;
    const std::vector<uint8_t> first = decoded(one, bytes, {0, one.content.size()}, 0, refusal, what);
    if (refusal.empty()) {
      // Bytes of the output that the decoder leaves as they were would differ.
      std::string second_refusal;
      const std::vector<uint8_t> second = decoded(one, bytes, {0, one.content.size()}, 0xff, second_refusal, what);
      promise(second_refusal.empty() && first == second, what + "the result depends on what was in memory before");
    }
    // A part is that of the whole; of a damaged chunk it may be well.
    const size_t size = one.content.size();
    for (const Wanted wanted : {Wanted{size / 3, std::min(size, size / 3 + size / 7 + 1)}, Wanted{0, 1}, Wanted{size - 1, size}, Wanted{0, 0}}) {
      std::string part_refusal;
      const std::vector<uint8_t> part = decoded(one, bytes, wanted, 0, part_refusal, what);
      if (!refusal.empty()) continue;
      const auto begin = static_cast<ptrdiff_t>(wanted.first);
      const auto end = static_cast<ptrdiff_t>(wanted.end);
      promise(part_refusal.empty() && std::equal(part.begin() + begin, part.begin() + end, first.begin() + begin),
              what + "a part differs from the whole " + part_refusal);
    }
    if (!one.damaged && encoded(one.codecs, one.content) == std::vector<uint8_t>(bytes.begin(), bytes.end())) {
      promise(refusal.empty() && first == one.content, what + "does not round trip: " + refusal);
    }
    if (one.codecs.empty() && bytes.size != one.content.size()) promise(!refusal.empty(), what + "another size was not refused");
    if (!one.codecs.empty() && one.codecs.back().kind == CodecKind::Crc32c && !has_checksum(bytes)) {
      promise(!refusal.empty(), what + "crc32c does not match, but it was not refused");
    }
  }

 private:
  struct Case {
    explicit Case(InputReader& reader) {
      const size_t size = 1 + (reader.number() - 1) % MAX_CONTENT;
      damaged = reader.below(2) == 1;
      codecs = read_codecs(reader);
      content = read_content(reader, size);
    }
    bool damaged;
    std::vector<Codec> codecs;
    std::vector<uint8_t> content;
  };
  struct Wanted {
    size_t first;
    size_t end;
  };
  // Numbers before the encoded bytes: enough for any case.
  static constexpr size_t CHOICES = 30;
  static constexpr size_t HEAD = 8 * CHOICES;

  std::vector<uint8_t> encoded(const std::vector<Codec>& codecs, const std::vector<uint8_t>& plain) {
    const Bytes result = encode(codecs, {plain.data(), plain.size()}, state_);
    return {result.begin(), result.end()};
  }

  // Encodes with some of the codecs, changes the bytes, and goes on with the others, which then have nothing to find fault with.
  std::vector<uint8_t> damage(const Case& one, Random& random) {
    const auto middle = one.codecs.begin() + static_cast<ptrdiff_t>(random.below(one.codecs.size() + 1));
    std::vector<uint8_t> bytes = encoded({one.codecs.begin(), middle}, one.content);
    for (uint64_t change = random.below(4) + 1; change > 0; --change) mutate(random, bytes);
    const bool checked = middle != one.codecs.begin() && (middle - 1)->kind == CodecKind::Crc32c;
    if (checked && random.below(2) == 0) store_checksum(bytes);
    if (bytes.empty() && middle != one.codecs.end()) bytes.push_back(0);
    bytes.resize(std::min<size_t>(bytes.size(), 4 * MAX_CONTENT));
    return encoded({middle, one.codecs.end()}, bytes);
  }

  // Decodes into guarded memory that holds `before`; the refusal's message where it is refused.
  std::vector<uint8_t> decoded(const Case& one, Span<const uint8_t> bytes, Wanted wanted, uint8_t before, std::string& refusal,
                               const std::string& what) {
    uint8_t* const source = source_.last(bytes.size, 0);
    std::copy(bytes.begin(), bytes.end(), source);
    uint8_t* const target = target_.last(one.content.size(), before);
    try {
      decode_part(one.codecs, {source, bytes.size}, target, one.content.size(), wanted.first, wanted.end, state_);
    } catch (const Error& error) {
      promise(std::string(error.code()) == ERR_CHUNK_CORRUPT, what + error.code() + ": " + error.what());
      refusal = error.what();
      promise(!refusal.empty(), what + "refused without a reason");
    } catch (const std::exception& error) {
      throw Finding(what + "not an error of ours: " + error.what());
    }
    promise(Guarded::begins_whole(source) && Guarded::begins_whole(target), what + "something was written before a buffer");
    promise(std::equal(bytes.begin(), bytes.end(), source), what + "the input was changed");
    return {target, target + one.content.size()};
  }

  Guarded source_{1 << 20};  // as much as any input
  Guarded target_{MAX_CONTENT};
  CodecState state_;  // of many chunks, as a thread has it
};

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  blockwright::CodecChains target;
  return blockwright::fuzz_main(argc, argv, target);
}
