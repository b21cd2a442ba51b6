#include "fmsb/data/idx.hpp"

#include "fmsb/core/error.hpp"

#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <zlib.h>  // gzopen

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::data_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::put, fmsb::test::says,
    fmsb::test::temporary_folder;

namespace {

std::string idx(const std::vector<std::uint32_t>& shape, const std::string& bytes, char type = 8) {
  std::string out{'\0', '\0', type, static_cast<char>(shape.size())};
  for (const auto extent : shape)
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(extent >> shift & 0xFF);
  return out + bytes;
}

std::string complaint(const std::string& images, const std::string& labels, data::idx_options options = {}) {
  return message_of<data_error>(
      [&] { (void)data::parse_idx_images(images, labels, std::move(options), "images.idx", "labels.idx"); });
}

const std::string kImages = idx({2, 1, 3}, std::string("\x00\x33\xFF\x01\x02\x03", 6));
const std::string kLabels = idx({2}, std::string("\x01\x00", 2));

}  // namespace

TEST_CASE("images and labels are joined, bytes as shares of 255 or as they are") {
  const auto set = data::parse_idx_images(kImages, kLabels);
  CHECK(set.shape() == std::vector<std::size_t>{1, 1, 3});
  CHECK(set.label(0) == 1);
  CHECK(set.classes() == std::vector<std::string>{"0", "1"});
  CHECK(set.values(0)[0] == 0);
  CHECK(set.values(0)[1] == 0.2f);
  CHECK(set.values(0)[2] == 1);
  const auto raw = data::parse_idx_images(kImages, kLabels,
                                          {.classes = {"a", "b", "c"}, .range = data::pixel_range::bytes});
  CHECK(raw.values(0)[2] == 255);
  CHECK(raw.values(1)[0] == 1);
  CHECK(raw.classes_count() == 3);
}

TEST_CASE("whatever bytes an image has come back") {
  CHECK(holds("bytes", [] {
    const auto n = *rc::gen::inRange<std::uint32_t>(1, 5), h = *rc::gen::inRange<std::uint32_t>(1, 5),
               w = *rc::gen::inRange<std::uint32_t>(1, 5);
    std::string bytes, labels;
    for (std::uint32_t i = 0; i < n * h * w; ++i) bytes += *rc::gen::arbitrary<char>();
    for (std::uint32_t i = 0; i < n; ++i) labels += *rc::gen::arbitrary<char>();
    const auto set =
        data::parse_idx_images(idx({n, h, w}, bytes), idx({n}, labels), {.range = data::pixel_range::bytes});
    RC_ASSERT((set.shape() == std::vector<std::size_t>{1, h, w}));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      RC_ASSERT(set.values()[i] == static_cast<float>(static_cast<unsigned char>(bytes[i])));
    for (std::size_t i = 0; i < n; ++i) RC_ASSERT(set.label(i) == static_cast<unsigned char>(labels[i]));
  }));
}

TEST_CASE("heads that are wrong or do not agree with the bytes are told") {
  CHECK(says(complaint("PNG\n", kLabels), {"images.idx is no IDX file"}));
  CHECK(says(complaint("", kLabels), {"images.idx is no IDX file"}));
  CHECK(complaint(idx({1, 1, 1}, "a", 13), kLabels) ==
        "images.idx holds numbers of the IDX type 13; only unsigned bytes, type 8, are read.");
  CHECK(
      says(complaint(kLabels, kImages), {"images.idx has 1 dimension, where 3 are needed", "interchanged?"}));
  CHECK(says(complaint(kImages.substr(0, 10), kLabels), {"cut short", "16 bytes, it has 10"}));
  CHECK(complaint(kImages.substr(0, 20), kLabels) ==
        "images.idx says that it holds 2 x 1 x 3 bytes, but 4 follow its head; fetch it again.");
  CHECK(says(complaint(kImages + "x", kLabels), {"but 7 follow its head"}));
  CHECK(says(complaint(idx({0, 1, 3}, ""), kLabels), {"0 x 1 x 3"}));
  const std::uint32_t huge = 0xFFFFFFFFu;
  CHECK(says(complaint(idx({huge, huge, huge}, "ab"), kLabels), {"4294967295 x 4294967295 x 4294967295"}));
  // 2^31 * 2^31 * 4 is 2^64, which counts as 0 in 64 bits.
  CHECK(says(complaint(idx({0x80000000u, 0x80000000u, 4}, ""), kLabels), {"but 0 follow"}));
}

TEST_CASE("images and labels of different parts, and labels beyond the classes, are told") {
  CHECK(complaint(kImages, idx({3}, "\x01\x01\x01")) ==
        "images.idx holds 2 images, but labels.idx holds 3 labels; give two files of one part.");
  CHECK(complaint(kImages, idx({2}, "\x01\x05"), {.classes = {"a", "b"}}) ==
        "labels.idx: label number 2 is 5, but 2 classes were named, numbered from 0.");
}

TEST_CASE("a folder is read as train and test, packed or not, with the classes of train") {
  const temporary_folder folder;
  put(folder.path / "train-images-idx3-ubyte", kImages);
  put(folder.path / "train-labels-idx1-ubyte", kLabels);
  put(folder.path / "t10k-images-idx3-ubyte", idx({1, 1, 3}, "abc"));
  const auto missing = message_of<data_error>([&] { (void)data::read_idx_folder(folder.path); });
  CHECK(says(missing, {"holds neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz"}));
  const auto labels = idx({1}, std::string(1, '\0'));
  const gzFile out = gzopen((folder.path / "t10k-labels-idx1-ubyte.gz").c_str(), "wb");
  REQUIRE(gzwrite(out, labels.data(), static_cast<unsigned>(labels.size())) > 0);
  gzclose(out);
  const auto parts = data::read_idx_folder(folder.path);
  CHECK(parts.train.size() == 2);
  CHECK(parts.test.size() == 1);
  CHECK(parts.test.members().classes() == parts.train.members().classes());
}

TEST_CASE("no bytes whatever make the reader crash") {
  CHECK(holds("a set or a sentence", [] {
    auto images = kImages, labels = kLabels;
    for (auto* file : {&images, &labels}) {
      for (int change = *rc::gen::inRange(0, 4); change > 0; --change)
        (*file)[*rc::gen::inRange<std::size_t>(0, file->size())] = *rc::gen::arbitrary<char>();
      file->resize(*rc::gen::inRange<std::size_t>(0, file->size() + 3));
    }
    try {
      RC_ASSERT(data::parse_idx_images(images, labels).size() > 0u);
    } catch (const data_error& problem) {
      const std::string message = problem.what();
      RC_ASSERT((message.ends_with(".") || message.ends_with("?")));
    }
  }));
}
