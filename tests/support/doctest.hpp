#pragma once
// The one way into doctest, and the last include of a test file.
//
// LibTorch's logging header defines CHECK and its kin too. If doctest stood first, LibTorch's macros would
// silently replace doctest's, and a test would pass without a single assertion counted. So torch comes
// first, its macros are taken away here, and doctest defines its own.
#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LT
#undef CHECK_LE
#undef CHECK_GT
#undef CHECK_GE
#undef CHECK_NOTNULL
#undef INFO
#undef WARN
#undef FAIL

#include <doctest/doctest.h>
