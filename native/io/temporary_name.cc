#include "io/temporary_name.h"

#include <sys/random.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>

namespace blockwright {

namespace {

// FNV-1a of the host's name: enough to know one's own files on a shared file system.
uint32_t host_hash() {
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  uint32_t hash = 2166136261u;
  for (const char* c = host; *c != 0; ++c) hash = (hash ^ static_cast<uint8_t>(*c)) * 16777619u;
  return hash;
}

uint64_t random64() {
  uint64_t value = 0;
  if (getrandom(&value, sizeof(value), 0) == sizeof(value)) return value;
  // Without a random device: O_EXCL still keeps two writers apart, one of them fails.
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace

TemporaryNames::TemporaryNames() {
  char stem[64];
  std::snprintf(stem, sizeof(stem), ".blockwright-%08x-%d-%016llx-", host_hash(), static_cast<int>(getpid()),
                static_cast<unsigned long long>(random64()));
  stem_ = stem;
}

std::string TemporaryNames::name(size_t number) const { return stem_ + std::to_string(number) + ".tmp"; }

}  // namespace blockwright
