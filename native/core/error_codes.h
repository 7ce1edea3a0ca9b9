// Codes that native code may throw. Each must be in lib/errors.ts; test/native/error-codes.test.ts compares the lists.
#pragma once

namespace blockwright {

inline constexpr char ERR_ARGUMENT[] = "ERR_ARGUMENT";                  // a wrong type, length, range or shape
inline constexpr char ERR_NOT_A_NUMBER[] = "ERR_NOT_A_NUMBER";          // NaN where the algorithm has no meaning for it
inline constexpr char ERR_OUT_OF_MEMORY[] = "ERR_OUT_OF_MEMORY";        // an allocation failed
inline constexpr char ERR_CANCELLED[] = "ERR_CANCELLED";                // the AbortSignal of the call was raised
inline constexpr char ERR_NATIVE[] = "ERR_NATIVE";                      // any other exception of native code
inline constexpr char ERR_CHUNK_CORRUPT[] = "ERR_CHUNK_CORRUPT";        // a chunk is short, long, or fails its checksum
inline constexpr char ERR_METADATA[] = "ERR_METADATA";                  // zarr.json / .zarray cannot be used
inline constexpr char ERR_UNSUPPORTED[] = "ERR_UNSUPPORTED";            // valid, but of a kind that is refused by name
inline constexpr char ERR_IO[] = "ERR_IO";                              // the operating system refused; errno is named
inline constexpr char ERR_LIMIT[] = "ERR_LIMIT";                        // a size beyond what can be represented or allowed

}  // namespace blockwright
