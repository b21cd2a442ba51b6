#pragma once
#include "fmsb/report/json.hpp"  // json

#include "dataset.hpp"  // dataset
#include "family.hpp"   // family

namespace driver {

/// Adds to a report what classifiers score that cost seconds; those that it holds already are kept.
void add_floors(fmsb::report::json& report, const dataset& of, const family& network);

}  // namespace driver
