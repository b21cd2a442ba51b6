#pragma once
#include "fmsb/data/labelled.hpp"  // train_examples
#include "fmsb/report/json.hpp"    // json

#include "options.hpp"  // data_options

namespace driver {

/// Labelled examples as networks take them, in three parts, and what a report says of them.
struct dataset {
  std::string name;   ///< of the files, without their folders
  std::string kind;   ///< "sequences of 60 letters"
  std::string parts;  ///< where test and validation come from
  fmsb::data::train_examples train;
  fmsb::data::validation_examples validation;
  fmsb::data::test_examples test;
  std::vector<std::size_t> clean{};  ///< test examples of which train and validation have no copy
  std::size_t repeated = 0;          ///< training examples that an earlier one equals
  std::string letters{};             ///< what was found in sequences besides A, C, G, T; empty: nothing
  std::string checksum{};            ///< of all numbers and labels

  std::size_t channels() const { return train.members().shape().at(0); }
  std::size_t copies() const { return test.size() - clean.size(); }
  std::string text() const;
  fmsb::report::json to_json() const;
};

/// @throws usage_error, data_error
dataset read_dataset(const data_options& wanted);

}  // namespace driver
