// BLOCKWRIGHT_CLONES before a function compiles it for several x86-64 instruction sets, chosen when the addon is loaded.
// Only for loops over integers or elementwise floats: with -ffp-contract=off every clone gives the same bytes.
// Off under the address sanitizer (it is not ready when the choice is made) and where there is no glibc.
#pragma once

#include <climits>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define BLOCKWRIGHT_CLONES __attribute__((target_clones("default", "arch=haswell", "arch=skylake-avx512")))
#else
#define BLOCKWRIGHT_CLONES
#endif
