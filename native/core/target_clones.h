// Compiles a function several times, for plain x86-64, AVX2 and AVX-512, and picks one when the library is loaded.
// Only for loops whose results cannot depend on the choice: integers, or floats element by element (the build says
// -ffp-contract=off). Elsewhere than on GNU, Linux and x86-64 the macro is empty.
#pragma once

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BLOCKWRIGHT_TARGET_CLONES __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
#else
#define BLOCKWRIGHT_TARGET_CLONES
#endif
