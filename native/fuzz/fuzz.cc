#include "fuzz/fuzz.h"

#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#ifdef __SANITIZE_ADDRESS__
// No input may lead to an allocation that is out of all proportion to the arrays here (at most 256 KiB).
extern "C" const char* __asan_default_options() { return "max_allocation_size_mb=64:quarantine_size_mb=32"; }
#endif

// The same for memory that the engine maps itself; the linker leads its calls here (CMakeLists.txt).
extern "C" void* __real_mmap(void*, size_t, int, int, int, off_t);
extern "C" void* __wrap_mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  if (size > size_t{64} << 20) {
    std::fprintf(stderr, "finding: a mapping of %zu bytes\n", size);
    std::abort();
  }
  return __real_mmap(address, size, protection, flags, file, offset);
}

namespace blockwright {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t MAX_INPUT = 1 << 20;
constexpr double MAX_SECONDS_AN_EXECUTION = 30;

struct Options {
  uint64_t seed = 1;
  uint64_t first = 0;
  uint64_t executions = UINT64_MAX;
  double seconds = 1e9;
  std::string findings = "build/fuzz";
  std::string input;
};

// What the child tells the parent, so that it is known whatever ends the child.
struct Shared {
  std::atomic<uint64_t> number;  // of the execution at work
  size_t size;                   // of its input; 0 while that is being made
  uint8_t input[MAX_INPUT];
};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--first") {
      options.first = std::strtoull(value, nullptr, 10);
    } else if (name == "--executions") {
      options.executions = std::strtoull(value, nullptr, 10);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (name == "--findings") {
      options.findings = value;
    } else if (name == "--input") {
      options.input = value;
    } else {
      std::fprintf(stderr, "unknown option %s\n", name.c_str());
      std::exit(2);
    }
  }
  if (options.executions == UINT64_MAX && options.seconds == 1e9) options.seconds = 5;
  return options;
}

// A folder in memory where there is such a file system.
std::string scratch_folder() {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code error;
  const bool usable = std::filesystem::is_directory(memory, error) && access(memory.c_str(), W_OK) == 0;
  std::string name = (usable ? memory : std::filesystem::temp_directory_path()) / "blockwright-fuzz-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
  return name;
}

void run_one(FuzzTarget& target, Span<const uint8_t> input, const std::string& scratch) {
  const std::string folder = scratch + "/execution";
  std::filesystem::create_directory(folder);
  target.run(input, folder);
  std::filesystem::remove_all(folder);
}

// The child's part; returns its exit status.
int run_all(FuzzTarget& target, const Options& options, const std::string& scratch, Shared& shared) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would watch it any more
#endif
  const Clock::time_point begin = Clock::now();
  uint64_t number = options.first;
  try {
    for (; number - options.first < options.executions && seconds_since(begin) < options.seconds; ++number) {
      shared.size = 0;
      shared.number.store(number);
      Random random(options.seed * 0x9e3779b97f4a7c15u + number);
      const std::vector<uint8_t> input = target.make(random);
      promise(input.size() <= MAX_INPUT, "the target made an input of more than 1 MiB");
      std::memcpy(shared.input, input.data(), input.size());
      shared.size = input.size();
      run_one(target, {input.data(), input.size()}, scratch);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "finding: %s\n", error.what());
    return 1;
  }
  shared.number.store(number);
  return 0;
}

// Waits for the child; one that does not get on is ended. Returns whether it ended well.
bool supervise(pid_t child, const Shared& shared) {
  uint64_t number = UINT64_MAX;
  Clock::time_point since = Clock::now();
  for (;;) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (shared.number.load() != number) {
      number = shared.number.load();
      since = Clock::now();
    } else if (seconds_since(since) > MAX_SECONDS_AN_EXECUTION) {
      std::fprintf(stderr, "finding: no end after %.0f s\n", MAX_SECONDS_AN_EXECUTION);
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void keep_input(const char* program, const std::string& name, const Options& options, const Shared& shared) {
  const uint64_t number = shared.number.load();
  if (shared.size > 0) {
    std::filesystem::create_directories(options.findings);
    const std::string path =
        options.findings + "/" + name + "-" + std::to_string(options.seed) + "-" + std::to_string(number) + ".input";
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(shared.input), static_cast<std::streamsize>(shared.size));
    std::printf("%s: the input that failed: %s\nrun it again: %s --input %s\n", name.c_str(), path.c_str(), program, path.c_str());
  }
  std::printf("make and run it again: %s --seed %" PRIu64 " --first %" PRIu64 " --executions 1\n", program, options.seed, number);
}

int replay(FuzzTarget& target, const Options& options, const std::string& scratch) {
  std::ifstream file(options.input, std::ios::binary);
  std::vector<char> content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open()) throw std::runtime_error("cannot read " + options.input);
  content.resize(std::min(content.size(), MAX_INPUT));
  try {
    run_one(target, {reinterpret_cast<const uint8_t*>(content.data()), content.size()}, scratch);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "finding: %s\n", error.what());
    return 1;
  }
  std::printf("%s: no finding\n", options.input.c_str());
  return 0;
}

int fuzz(const char* program, FuzzTarget& target, const Options& options, const std::string& scratch) {
  const std::string name = std::filesystem::path(program).filename();
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  Shared& shared = *new (memory) Shared;
  shared.number.store(options.first);
  const Clock::time_point begin = Clock::now();
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) std::exit(run_all(target, options, scratch, shared));  // exit: leaks are looked for
  const bool well = supervise(child, shared);
  const double seconds = seconds_since(begin);
  const auto executions = static_cast<double>(shared.number.load() - options.first);
  if (!well) keep_input(program, name, options, shared);
  std::printf("%s: %.0f executions in %.1f s (%.0f/s), seed %" PRIu64 "%s\n", name.c_str(), executions, seconds,
              executions / std::max(seconds, 1e-3), options.seed, well ? "" : ", FINDING");
  munmap(memory, sizeof(Shared));
  return well ? 0 : 1;
}

}  // namespace

int fuzz_main(int argc, char** argv, FuzzTarget& target) {
  const Options options = parse(argc, argv);
  const std::string scratch = scratch_folder();
  const int result = options.input.empty() ? fuzz(argv[0], target, options, scratch) : replay(target, options, scratch);
  std::filesystem::remove_all(scratch);
  return result;
}

}  // namespace blockwright
