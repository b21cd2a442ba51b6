#include "program/threads.hpp"

#include <ATen/Parallel.h>  // at::set_num_threads

#include <algorithm>  // std::max
#include <thread>     // std::thread::hardware_concurrency

void driver::use_threads(std::size_t count) {
  at::set_num_threads(
      static_cast<int>(count > 0 ? count : std::max(1U, std::thread::hardware_concurrency())));
}
