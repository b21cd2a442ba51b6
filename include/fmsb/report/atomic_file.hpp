#pragma once
#include "fmsb/core/error.hpp"         // error
#include "fmsb/core/pending_file.hpp"  // pending_file

#include <filesystem>  // std::filesystem::path
#include <ostream>     // std::ostream
#include <sstream>     // std::ostringstream
#include <utility>     // std::forward

namespace fmsb::report {

using fmsb::pending_file;

/// Replaces a file as a whole or not at all: temporary file in the same folder, flush to disk, rename.
///
/// @param writer  called once with a stream; what it throws passes through, and then no file is touched
/// @throws usage_error where the file cannot be created there, error where writing it fails
template <class Writer>
void write_atomically(const std::filesystem::path& target, Writer&& writer) {
  std::ostringstream text;
  std::forward<Writer>(writer)(static_cast<std::ostream&>(text));
  if (!text) throw error(target.string() + " was not written: its contents could not be put together.");
  pending_file file(target);
  file.write(text.view());
  file.commit();
}

}  // namespace fmsb::report
