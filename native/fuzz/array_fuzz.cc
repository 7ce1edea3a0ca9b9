// Whole arrays in a folder: written, read, damaged, read and written again. Promises: what is read is what was written, whatever
// the form of the array; of a damaged store a region is refused by name or has its voxels, those of files that nobody touched
// unchanged; no memory outside the region is touched; nothing outside the folder is read or written.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "core/error.h"
#include "core/error_codes.h"
#include "fuzz/array_case.h"
#include "fuzz/choices.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/mutate.h"
#include "io/read_region.h"
#include "io/write_region.h"

namespace blockwright {

namespace {

namespace files = std::filesystem;

std::vector<uint8_t> content_of(const files::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void replace_content(const files::path& path, const std::vector<uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// A store in a folder beside what it may not reach.
class Store {
 public:
  Store(InputReader& input, const std::string& folder)
      : outside_(folder + "/outside"), array_(read_array(input, folder + "/array")), plain_(array_) {
    files::create_directory(array_.path);
    files::create_directory(outside_);
    replace_content(outside_ + "/secret", secret());
  }

  // Neither throws for a store that nobody damaged.
  void write(InputReader& input) {
    std::vector<uint8_t> memory;
    const Region region = plain_.read_box(input, memory);
    const size_t threads = input.below(2) == 0 ? 1 : 4;
    const std::vector<uint8_t> before = memory;
    const bool done = named([&] { write_region(array_, region, false, threads, {}); });
    outside_keys_.clear();  // a new file may stand in place of a link
    promise(memory == before, what() + "writing changed the region's memory");
    if (done) return plain_.write(region);
    // Some of the files that the region meets may have their new content.
    for (const auto& key : keys()) touched_.push_back(key);
    doubtful_ = true;
  }

  void read(InputReader& input) const {
    std::vector<uint8_t> memory;
    const Region region = plain_.read_box(input, memory);
    const size_t threads = input.below(2) == 0 ? 1 : 4;
    const std::vector<uint8_t> before = memory;
    const bool done = named([&] { read_region(array_, region, threads, {}); });
    promise(!done || !plain_.meets(region, outside_keys_), what() + "a link out of the array was followed");
    if (done) promise(doubtful_ || plain_.equals(region, touched_), what() + "other voxels than were written");
    promise(memory == plain_.with_voxels(region, before), what() + "memory around the region was changed");
  }

  void damage(Random& random) {
    const std::vector<std::string> all = keys();
    if (all.empty()) return;
    const std::string key = all[random.below(all.size())];
    const files::path path = array_.path + "/" + key;
    touched_.push_back(key);
    damaged_ = true;
    const uint64_t kind = random.below(16);
    if (kind < 9) {
      std::vector<uint8_t> bytes = content_of(path);
      for (uint64_t change = random.below(3) + 1; change > 0; --change) mutate(random, bytes);
      return replace_content(path, bytes);
    }
    if (kind == 9) return replace_content(path, {});
    files::remove(path);
    switch (kind) {
      case 10:
        files::create_directory(path);
        return;
      case 11:
        if (mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo failed");
        return;
      case 12:
        return files::create_symlink("nowhere", path);
      case 13:
        return link_out(path, random);
      case 14: {
        const std::string& other = all[random.below(all.size())];
        return files::create_symlink(array_.path + "/" + other, path);
      }
      default:
        return;  // missing: the fill value
    }
  }

  void check_outside() const {
    promise(content_of(outside_ + "/secret") == secret(), what() + "a file outside the array was written");
    const auto entries = std::distance(files::directory_iterator(outside_), files::directory_iterator());
    promise(entries == 1, what() + "something was created or removed outside the array");
  }

 private:
  // A link out of the array: of the file, or of the folder around it where it has one of its own.
  void link_out(const files::path& path, Random& random) {
    const bool folder = path.parent_path() != array_.path && random.below(2) == 0;
    const files::path entry = folder ? path.parent_path() : path;
    outside_keys_.push_back(files::relative(path, array_.path));
    if (folder) {
      for (const auto& key : keys()) {
        if ((array_.path + "/" + key).rfind(entry.string() + "/", 0) == 0) outside_keys_.push_back(key);
      }
      files::remove_all(entry);
    }
    touched_.insert(touched_.end(), outside_keys_.begin(), outside_keys_.end());
    const files::path target = outside_ + (folder ? "" : "/secret");
    files::create_symlink(random.below(2) == 0 ? target : files::relative(target, entry.parent_path()), entry);
  }

  // What would be taken for a chunk, where the array has no shards.
  std::vector<uint8_t> secret() const {
    const std::vector<uint8_t> plain(array_.layout.items() * array_.item_size, 0x53);
    if (array_.layout.shard != nullptr) return plain;
    CodecState state;
    const Bytes encoded = encode(array_.layout.codecs, {plain.data(), plain.size()}, state);
    return {encoded.begin(), encoded.end()};
  }

  // Regular files below the array's folder, sorted.
  std::vector<std::string> keys() const {
    std::vector<std::string> result;
    for (const auto& entry : files::recursive_directory_iterator(array_.path)) {
      if (files::is_regular_file(entry.symlink_status())) result.push_back(files::relative(entry.path(), array_.path));
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  // False where the action was refused by name, which only a damaged store may be.
  template <class Action>
  bool named(const Action& action) const {
    try {
      action();
      return true;
    } catch (const Error& error) {
      const std::string code = error.code();
      promise(damaged_ && (code == ERR_CHUNK_CORRUPT || code == ERR_IO), what() + code + ": " + error.what());
      return false;
    } catch (const Finding&) {
      throw;
    } catch (const std::exception& error) {
      throw Finding(what() + "not an error of ours: " + error.what());
    }
  }

  std::string what() const {
    std::string text;
    for (const ChunkLayout* layout = &array_.layout; layout != nullptr;
         layout = layout->shard ? &layout->shard->inner : nullptr) {
      text += (layout->shard ? "shards [" : "chunks [");
      for (int axis = 0; axis < array_.shape.dimensions; ++axis) text += " " + std::to_string(layout->shape[axis]);
      text += " ] " + describe(layout->codecs) + ", ";
    }
    return text + std::to_string(array_.item_size) + " bytes a voxel: ";
  }

  const std::string outside_;
  const ArrayDescription array_;
  PlainArray plain_;
  std::vector<std::string> touched_;
  std::vector<std::string> outside_keys_;  // files that are links out of the array
  bool damaged_ = false;
  bool doubtful_ = false;  // a write failed half way
};

class Arrays : public FuzzTarget {
 public:
  std::vector<uint8_t> make(Random& random) override {
    InputWriter writer;
    for (int choice = 0; choice < 500; ++choice) writer.number(random.next());
    return writer.take();
  }

  void run(Span<const uint8_t> input, const std::string& folder) override {
    InputReader reader(input);
    Random random(reader.number());
    Store store(reader, folder);
    for (uint64_t writes = reader.below(3) + 1; writes > 0; --writes) store.write(reader);
    for (uint64_t reads = reader.below(3); reads > 0; --reads) store.read(reader);
    for (uint64_t damages = reader.below(4); damages > 0; --damages) store.damage(random);
    for (uint64_t reads = reader.below(3) + 1; reads > 0; --reads) store.read(reader);
    store.write(reader);
    store.read(reader);
    store.check_outside();
  }
};

}  // namespace

}  // namespace blockwright

int main(int argc, char** argv) {
  blockwright::Arrays target;
  return blockwright::fuzz_main(argc, argv, target);
}
