#pragma once
#include <cstddef>  // std::size_t

namespace driver {

/// Threads of LibTorch; 0: as many as there are cores.
void use_threads(std::size_t count);

}  // namespace driver
