// BLOCKWRIGHT_TARGET_CLONES before a function compiles it for several x86-64 instruction sets; one is chosen when the
// addon is loaded. Only for loops whose results cannot depend on the choice: integers, or floats element by element (the
// build says -ffp-contract=off). Empty under sanitizers (not ready when the choice is made) and without GNU, glibc, x86-64.
#pragma once

#include <climits>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BLOCKWRIGHT_TARGET_CLONES __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
#else
#define BLOCKWRIGHT_TARGET_CLONES
#endif
