#include "program/stopped.hpp"

#include "fmsb/report/table.hpp"  // grouped

void driver::throw_if_stopped(const fmsb::train::history& past) {
  if (past.stopped == fmsb::train::stop::signal)
    throw stopped{past.exit_code(), "stopped after " + fmsb::report::grouped(past.steps) +
                                        " steps; the same command goes on from there."};
}
