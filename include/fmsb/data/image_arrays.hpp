#pragma once
#include "fmsb/core/error.hpp"            // data_error
#include "fmsb/core/number_text.hpp"      // number_text
#include "fmsb/data/class_labels.hpp"     // numbered_classes, kMostClasses
#include "fmsb/data/labelled.hpp"         // labelled_set
#include "fmsb/data/labelled_splits.hpp"  // labelled_splits
#include "fmsb/data/pixels.hpp"           // pixels, pixel_range
#include "fmsb/data/safetensors.hpp"      // open_safetensors

#include <algorithm>    // std::max
#include <cmath>        // std::isfinite
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int32_t, std::int64_t
#include <cstring>      // std::memcpy
#include <filesystem>   // std::filesystem::path
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view
#include <utility>      // std::move, std::pair
#include <vector>       // std::vector

namespace fmsb::data {

/// Where a safetensors file holds images and their classes.
struct image_array_options {
  std::string images = "images";  ///< [n, channels, height, width], U8 or F32
  std::string labels = "labels";  ///< [n], I64, I32 or U8, from 0
  std::string split = "split";    ///< [n], of the same types, 0 train and 1 test
  /// The classes' names by number; where empty, those that the metadata name, "classes": "grass,field", else
  /// "0", "1", ...
  std::vector<std::string> classes{};
  pixel_range range = pixel_range::unit;  ///< of bytes; F32 is taken as it is
};

namespace detail {

/// Reads labelled images out of an open file.
class image_array_reader {
 public:
  image_array_reader(const safetensors_file& file, const image_array_options& options)
      : file_(file), options_(options), images_(file.at(options.images)) {
    if (images_.shape.size() != 4 || images_.bytes.empty())
      refuse(images_, "has the shape " + shown_shape(images_.shape) +
                          "; images are [number, channels, height, width], none of them 0");
    if (images_.type != element_type::u8 && images_.type != element_type::f32)
      refuse(images_, "is of type " + std::string(name_of(images_.type)) + "; images are U8 or F32");
  }

  labelled_set all() const {
    auto values = images_.type == element_type::u8 ? pixels(images_.bytes, options_.range) : numbers();
    std::vector<int> labels;
    long long highest = 0;
    for (const auto label : integers(file_.at(options_.labels))) {
      if (label < 0 || label >= kMostClasses)
        refuse(file_.at(options_.labels), "gives image " + std::to_string(labels.size() + 1) + " the label " +
                                              std::to_string(label) + "; labels count from 0");
      highest = std::max(highest, label);
      labels.push_back(static_cast<int>(label));
    }
    auto classes = options_.classes;
    if (const auto named = file_.metadata().find("classes");
        classes.empty() && named != file_.metadata().end())
      classes = between_commas(named->second);
    if (classes.empty()) classes = numbered_classes(static_cast<std::size_t>(highest) + 1);
    std::vector<std::size_t> shape;
    for (std::size_t d = 1; d < 4; ++d) shape.push_back(static_cast<std::size_t>(images_.shape[d]));
    return {file_.name(), std::move(shape), std::move(values), std::move(labels), std::move(classes)};
  }

  /// The numbers of the images of train and of test.
  std::pair<std::vector<std::size_t>, std::vector<std::size_t>> parts() const {
    std::pair<std::vector<std::size_t>, std::vector<std::size_t>> out;
    std::size_t i = 0;
    const auto& split = file_.at(options_.split);
    for (const auto part : integers(split)) {
      if (part != 0 && part != 1)
        refuse(split, "gives image " + std::to_string(i + 1) + " the part " + std::to_string(part) +
                          "; 0 is train, 1 is test");
      (part == 0 ? out.first : out.second).push_back(i++);
    }
    if (out.first.empty() || out.second.empty())
      refuse(split, std::string("leaves ") + (out.first.empty() ? "train" : "test") + " without an image");
    return out;
  }

 private:
  [[noreturn]] void refuse(const stored_tensor& tensor, const std::string& what) const {
    throw data_error(file_.name() + ": tensor " + shown(tensor.name) + " " + what + ".");
  }

  static std::vector<std::string> between_commas(std::string_view text) {
    std::vector<std::string> out;
    for (;;) {
      const auto comma = text.find(',');
      out.emplace_back(text.substr(0, comma));
      if (comma == std::string_view::npos) return out;
      text.remove_prefix(comma + 1);
    }
  }

  std::vector<float> numbers() const {
    std::vector<float> out(images_.bytes.size() / sizeof(float));
    std::memcpy(out.data(), images_.bytes.data(), images_.bytes.size());
    const std::size_t each = out.size() / static_cast<std::size_t>(images_.shape[0]);
    for (std::size_t i = 0; i < out.size(); ++i)
      if (!std::isfinite(out[i]))
        refuse(images_, "holds " + number_text(out[i]) + " in image " + std::to_string(i / each + 1) +
                            "; every number of an image must be finite");
    return out;
  }

  template <class Number>
  static void append(const stored_tensor& tensor, std::vector<long long>& out) {
    for (std::size_t at = 0; at < tensor.bytes.size(); at += sizeof(Number)) {
      Number value;
      std::memcpy(&value, tensor.bytes.data() + at, sizeof value);
      out.push_back(static_cast<long long>(value));
    }
  }

  /// One whole number an image.
  std::vector<long long> integers(const stored_tensor& tensor) const {
    if (tensor.shape.size() != 1 || tensor.shape[0] != images_.shape[0])
      refuse(tensor, "has the shape " + shown_shape(tensor.shape) + ", but there are " +
                         std::to_string(images_.shape[0]) + " images; it must hold one number an image");
    std::vector<long long> out;
    switch (tensor.type) {
      case element_type::u8:
        append<std::uint8_t>(tensor, out);
        break;
      case element_type::i32:
        append<std::int32_t>(tensor, out);
        break;
      case element_type::i64:
        append<std::int64_t>(tensor, out);
        break;
      default:
        refuse(tensor, "is of type " + std::string(name_of(tensor.type)) + "; it must be U8, I32 or I64");
    }
    return out;
  }

  const safetensors_file& file_;
  const image_array_options& options_;
  const stored_tensor& images_;
};

}  // namespace detail

/// All images of a safetensors file with their classes, arrays of {channels, height, width}, whatever part
/// they belong to.
///
/// @throws data_error naming file, tensor and image: a tensor that is missing or of another type or shape
/// than
///                    image_array_options says, a label below 0 or beyond the classes, a number that is not
///                    finite
inline labelled_set read_image_arrays(const std::filesystem::path& path,
                                      const image_array_options& options = {}) {
  const auto file = open_safetensors(path);
  return detail::image_array_reader(file, options).all();
}

/// The images of a safetensors file in the parts that its tensor `split` names.
/// @throws data_error as read_image_arrays; where a part is neither 0 nor 1 or has no image
inline labelled_splits read_image_splits(const std::filesystem::path& path,
                                         const image_array_options& options = {}) {
  const auto file = open_safetensors(path);
  const detail::image_array_reader reader(file, options);
  const auto [train, test] = reader.parts();
  const auto all = reader.all();
  return {train_examples(all.subset(train)), test_examples(all.subset(test))};
}

}  // namespace fmsb::data
