#pragma once
#include "fmsb/core/error.hpp"            // data_error
#include "fmsb/data/class_labels.hpp"     // numbered_classes
#include "fmsb/data/file_bytes.hpp"       // read_bytes
#include "fmsb/data/labelled.hpp"         // labelled_set
#include "fmsb/data/labelled_splits.hpp"  // labelled_splits
#include "fmsb/data/pixels.hpp"           // pixels, pixel_range

#include <algorithm>     // std::max
#include <cstddef>       // std::byte, std::size_t
#include <filesystem>    // std::filesystem
#include <span>          // std::span
#include <string>        // std::string, std::to_string
#include <string_view>   // std::string_view
#include <system_error>  // std::error_code
#include <utility>       // std::move
#include <vector>        // std::vector

namespace fmsb::data {

/// The bytes of an IDX file and their shape. They belong to the text that was parsed.
struct idx_array {
  std::vector<std::size_t> shape{};
  std::span<const std::byte> bytes{};
};

/// How images and labels are to be read.
struct idx_options {
  /// The classes' names by number; where empty, "0", "1", ... up to the highest label.
  std::vector<std::string> classes{};
  pixel_range range = pixel_range::unit;
};

/// The classes of Fashion-MNIST in the order of its labels. Source: Xiao, Rasul and Vollgraf, 2017.
inline std::vector<std::string> fashion_mnist_classes() {
  return {"T-shirt/top", "trouser", "pullover", "dress", "coat",
          "sandal",      "shirt",   "sneaker",  "bag",   "ankle boot"};
}

namespace detail {

inline std::string shown_shape(std::span<const std::size_t> shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text;
}

}  // namespace detail

/// Reads the head of an IDX file of bytes from memory: two zero bytes, the type, the number of dimensions,
/// each size as a big-endian number of 32 bits; then the bytes, the last axis fastest.
///
/// @param contents    unpacked; must outlive what is returned
/// @param name        what messages call it
/// @param dimensions  wanted: 1 for labels, 3 for images
/// @throws data_error where it is no IDX file, holds other numbers than bytes or other dimensions, a size is
/// 0, or
///                    the sizes do not agree with the number of bytes
///
/// Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section on file formats.
inline idx_array parse_idx(std::string_view contents, const std::string& name, std::size_t dimensions) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(contents[i]));
  };
  if (contents.size() < 4 || byte(0) != 0 || byte(1) != 0)
    throw data_error(name +
                     " is no IDX file, which begins with two zero bytes; give one, packed by gzip or not.");
  if (byte(2) != 0x08)
    throw data_error(name + " holds numbers of the IDX type " + std::to_string(byte(2)) +
                     "; only unsigned bytes, type 8, are read.");
  if (byte(3) != dimensions)
    throw data_error(name + " has " + std::to_string(byte(3)) +
                     (byte(3) == 1 ? " dimension" : " dimensions") + ", where " + std::to_string(dimensions) +
                     (dimensions == 1 ? " is" : " are") +
                     " needed: images have three, labels one. Are the two files interchanged?");
  const std::size_t head = 4 + 4 * dimensions;
  if (contents.size() < head)
    throw data_error(name + " is cut short: its head takes " + std::to_string(head) + " bytes, it has " +
                     std::to_string(contents.size()) + "; fetch it again.");
  idx_array out;
  const std::size_t there = contents.size() - head;
  std::size_t count = 1;
  bool fits = true;
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::size_t extent = 0;
    for (std::size_t k = 0; k < 4; ++k) extent = extent << 8 | byte(4 + 4 * d + k);
    out.shape.push_back(extent);
    // By division: a product of three such sizes may be more than can be counted.
    fits = fits && extent > 0 && count <= there / extent;
    if (fits) count *= extent;
  }
  if (!fits || count != there)
    throw data_error(name + " says that it holds " + detail::shown_shape(out.shape) + " bytes, but " +
                     std::to_string(there) + " follow its head; fetch it again.");
  out.bytes = std::as_bytes(std::span(contents.substr(head)));
  return out;
}

/// Joins images and labels that are in memory already. See read_idx.
inline labelled_set parse_idx_images(std::string_view images, std::string_view labels,
                                     idx_options options = {}, const std::string& images_name = "images",
                                     const std::string& labels_name = "labels") {
  const auto pictures = parse_idx(images, images_name, 3);
  const auto numbers = parse_idx(labels, labels_name, 1);
  if (pictures.shape[0] != numbers.shape[0])
    throw data_error(images_name + " holds " + std::to_string(pictures.shape[0]) + " images, but " +
                     labels_name + " holds " + std::to_string(numbers.shape[0]) +
                     " labels; give two files of one part.");
  std::vector<int> classes_of;
  int highest = 0;
  for (const auto number : numbers.bytes) {
    classes_of.push_back(static_cast<int>(number));
    highest = std::max(highest, classes_of.back());
    if (!options.classes.empty() && static_cast<std::size_t>(highest) >= options.classes.size())
      throw data_error(labels_name + ": label number " + std::to_string(classes_of.size()) + " is " +
                       std::to_string(highest) + ", but " + std::to_string(options.classes.size()) +
                       " classes were named, numbered from 0.");
  }
  if (options.classes.empty()) options.classes = numbered_classes(static_cast<std::size_t>(highest) + 1);
  return {images_name,
          {1, pictures.shape[1], pictures.shape[2]},
          pixels(pictures.bytes, options.range),
          std::move(classes_of),
          std::move(options.classes)};
}

/// Reads grey images and their labels from two IDX files, packed by gzip or not, as MNIST and its successors
/// are published. Arrays are {1, height, width}.
///
/// @throws data_error naming the file: as parse_idx and read_bytes; other numbers of images and of labels; a
/// label
///                    beyond the classes named
inline labelled_set read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                             idx_options options = {}) {
  const auto pictures = read_bytes(images), numbers = read_bytes(labels);
  return parse_idx_images(pictures.text, numbers.text, std::move(options), images.string(), labels.string());
}

/// Reads the four files of a folder as MNIST and its successors name them: {train,t10k}-images-idx3-ubyte and
/// {train,t10k}-labels-idx1-ubyte, each with or without .gz at its end.
///
/// @throws data_error as read_idx, and where one of the four is missing
inline labelled_splits read_idx_folder(const std::filesystem::path& folder, idx_options options = {}) {
  const auto file = [&](const char* stem) {
    std::error_code ignored;
    for (const char* end : {".gz", ""})
      if (auto path = folder / (std::string(stem) + end); std::filesystem::exists(path, ignored)) return path;
    throw data_error(folder.string() + " holds neither " + stem + " nor " + stem +
                     ".gz; name a folder with images and labels of train and t10k.");
  };
  auto train = read_idx(file("train-images-idx3-ubyte"), file("train-labels-idx1-ubyte"), options);
  if (options.classes.empty()) options.classes = train.classes();
  return {train_examples(std::move(train)),
          test_examples(read_idx(file("t10k-images-idx3-ubyte"), file("t10k-labels-idx1-ubyte"), options))};
}

}  // namespace fmsb::data
