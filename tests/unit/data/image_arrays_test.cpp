#include "fmsb/data/image_arrays.hpp"

#include "fmsb/core/error.hpp"
#include "fmsb/data/write_safetensors.hpp"

#include "support/folder.hpp"
#include "support/message.hpp"

#include <limits>  // std::numeric_limits

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::element_type, data::stored_tensor;
using fmsb::data_error, fmsb::index_t;
using fmsb::test::message_of, fmsb::test::says, fmsb::test::temporary_folder;

namespace {

/// A tensor that owns its bytes.
struct held {
  std::string name;
  element_type type;
  std::vector<index_t> shape;
  std::vector<std::byte> bytes;
};

template <class Number>
held tensor(std::string name, element_type type, std::vector<index_t> shape,
            const std::vector<Number>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {std::move(name), type, std::move(shape), {bytes.begin(), bytes.end()}};
}

/// Three pictures of two channels, one row, two columns: 0, 1, ..., 11.
held images() {
  return tensor<std::uint8_t>("images", element_type::u8, {3, 2, 1, 2},
                              {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255});
}
held labels(std::vector<std::int64_t> values = {1, 0, 1}) {
  return tensor("labels", element_type::i64, {static_cast<index_t>(values.size())}, values);
}
held split(std::vector<std::uint8_t> values = {0, 1, 0}) {
  return tensor("split", element_type::u8, {static_cast<index_t>(values.size())}, values);
}

class image_file {
 public:
  explicit image_file(const std::vector<held>& tensors, const data::text_map& metadata = {}) {
    std::vector<stored_tensor> stored;
    for (const auto& one : tensors)
      stored.push_back({.name = one.name, .type = one.type, .shape = one.shape, .bytes = one.bytes});
    data::write_safetensors(path(), stored, metadata);
  }
  std::filesystem::path path() const { return folder_.path / "pictures.safetensors"; }

 private:
  temporary_folder folder_;
};

std::string complaint(const std::vector<held>& tensors) {
  const image_file file(tensors);
  return message_of<data_error>([&] { (void)data::read_image_splits(file.path()); });
}

}  // namespace

TEST_CASE("images come as {channels, height, width} with their classes, in their parts") {
  const image_file file({images(), labels(), split()}, {{"classes", "grass,field"}});
  const auto parts = data::read_image_splits(file.path());
  const auto& train = parts.train.members();
  CHECK(train.size() == 2);
  CHECK(train.shape() == std::vector<std::size_t>{2, 1, 2});
  CHECK(train.values(0)[1] == 1 / 255.0f);
  CHECK(train.values(1)[3] == 1);
  CHECK(train.classes() == std::vector<std::string>{"grass", "field"});
  CHECK(parts.test.size() == 1);
  CHECK(parts.test.members().values(0)[0] == 4 / 255.0f);
  CHECK(parts.test.members().label(0) == 0);
}

TEST_CASE("without a split all images are one set, and options name tensors, classes and range") {
  auto pictures = images(), numbers = tensor<std::int32_t>("y", element_type::i32, {3}, {2, 0, 1});
  pictures.name = "x";
  const image_file file({pictures, numbers});
  const auto all =
      data::read_image_arrays(file.path(), {.images = "x", .labels = "y", .range = data::pixel_range::bytes});
  CHECK(all.size() == 3);
  CHECK(all.values(2)[3] == 255);
  CHECK(all.classes() == std::vector<std::string>{"0", "1", "2"});
  CHECK(data::read_image_arrays(file.path(), {.images = "x", .labels = "y", .classes = {"a", "b", "c"}})
            .classes()[2] == "c");
}

TEST_CASE("floating-point images are taken as they are") {
  const image_file file(
      {tensor<float>("images", element_type::f32, {2, 1, 1, 1}, {-2.5f, 300}), labels({0, 0})});
  const auto all = data::read_image_arrays(file.path());
  CHECK(all.values(0)[0] == -2.5f);
  CHECK(all.values(1)[0] == 300);
  CHECK(all.classes_count() == 1);
}

TEST_CASE("tensors that are missing or do not fit are told by name") {
  CHECK(says(complaint({images(), labels()}), {"pictures.safetensors has no tensor \"split\""}));
  CHECK(says(complaint({images(), split()}), {"has no tensor \"labels\""}));
  auto flat = images();
  flat.shape = {3, 2, 2};
  CHECK(
      says(complaint({flat, labels(), split()}), {"tensor \"images\" has the shape [3, 2, 2]; images are"}));
  CHECK(says(complaint({tensor<std::uint8_t>("images", element_type::i8, {3, 1, 1, 1}, {1, 2, 3}), labels(),
                        split()}),
             {"tensor \"images\" is of type I8; images are U8 or F32."}));
  CHECK(says(complaint({images(), labels({0, 1}), split()}),
             {"tensor \"labels\" has the shape [2], but there are 3 images"}));
  CHECK(says(complaint({images(), tensor<float>("labels", element_type::f32, {3}, {0, 1, 0}), split()}),
             {"tensor \"labels\" is of type F32; it must be U8, I32 or I64"}));
}

TEST_CASE("labels, parts and numbers that mean nothing are told with their image") {
  CHECK(says(complaint({images(), labels({0, -1, 0}), split()}), {"\"labels\" gives image 2 the label -1"}));
  CHECK(says(complaint({images(), labels({0, 1, std::numeric_limits<std::int64_t>::max()}), split()}),
             {"gives image 3 the label 9223372036854775807"}));
  CHECK(says(complaint({images(), labels(), split({0, 1, 2})}), {"\"split\" gives image 3 the part 2"}));
  CHECK(says(complaint({images(), labels(), split({0, 0, 0})}), {"leaves test without an image"}));
  CHECK(says(complaint({tensor<float>("images", element_type::f32, {2, 1, 1, 2},
                                      {0, 0, 0, std::numeric_limits<float>::infinity()}),
                        labels({0, 0}), split({0, 1})}),
             {"\"images\" holds inf in image 2"}));
  const image_file named({images(), labels({0, 5, 0})}, {{"classes", "a,b"}});
  CHECK(says(message_of<data_error>([&] { (void)data::read_image_arrays(named.path()); }),
             {"example 2 has the label 5", "2 classes"}));
}
