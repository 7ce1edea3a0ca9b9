// Compiles a function several times, for plain x86-64, AVX2 and AVX-512, and picks one when the library is loaded.
// Only for loops whose results cannot depend on the choice: integers, or floats element by element (the build says
// -ffp-contract=off). Elsewhere than on GNU, Linux and x86-64 the macro is empty.
//
// The levels are chosen by what a processor can do. Names of processors (arch=haswell) would be compared with the model:
// processors of other makers would then run the plain version.
//
// Such a function must let no exception out: GCC 12 may take it for one that throws nothing where it is called, and the process
// would end. What can throw returns a std::exception_ptr, which the caller gives to `rethrow`.
#pragma once

#include <cstddef>  // for __GLIBC__
#include <exception>

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BLOCKWRIGHT_TARGET_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define BLOCKWRIGHT_TARGET_CLONES
#endif

namespace blockwright {

inline void rethrow(const std::exception_ptr& exception) {
  if (exception) std::rethrow_exception(exception);
}

}  // namespace blockwright
