// Calls that are cancelled while they are at work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <thread>

#include "core/cancellation.h"
#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

// What the call ends with when it is cancelled half way, by the processor time that a whole one takes: ERR_CANCELLED or "none".
// Where the machine was held up it is tried again: a call that looks no more at its cancellation ends by itself each time.
template <class Call>
std::string stopped_half_way(const Call& call) {
  const std::clock_t began = std::clock();
  call(Cancellation());
  const std::clock_t half = (std::clock() - began) / 2;
  std::string code = "none";
  for (int attempt = 0; attempt < 20 && code != ERR_CANCELLED; ++attempt) {
    uint8_t raised = 0;
    std::atomic<bool> ended{false};
    const std::clock_t start = std::clock();
    std::thread watch([&] {
      while (!ended && std::clock() - start < half) std::this_thread::sleep_for(std::chrono::microseconds(200));
      __atomic_store_n(&raised, uint8_t{1}, __ATOMIC_RELAXED);
    });
    try {
      call(Cancellation(&raised));
    } catch (const Error& error) {
      code = error.code();
    }
    ended = true;
    watch.join();
  }
  return code;
}

}  // namespace blockwright
