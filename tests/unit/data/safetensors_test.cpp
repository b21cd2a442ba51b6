#include "fmsb/data/safetensors.hpp"

#include "fmsb/data/write_safetensors.hpp"

#include "fuzz/safetensors_cases.hpp"
#include "support/data.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <bit>         // std::bit_cast
#include <cstring>     // std::memcpy
#include <fstream>     // std::ifstream
#include <set>         // std::set
#include <sys/stat.h>  // mkfifo

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::element_type, data::stored_tensor;
using fmsb::data_error, fmsb::usage_error, fmsb::index_t;
using fmsb::test::holds, fmsb::test::temporary_folder, fmsb::test::contents, fmsb::test::put,
    fmsb::test::message_of;

namespace {

std::span<const std::byte> bytes_of_text(std::string_view text) { return std::as_bytes(std::span(text)); }

template <class Number>
std::string raw(std::initializer_list<Number> values) {
  std::string out;
  for (const Number value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

std::string text_of(const stored_tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

template <class Number>
Number number_in(const stored_tensor& tensor, std::size_t i) {
  Number value;
  std::memcpy(&value, tensor.bytes.data() + i * sizeof value, sizeof value);
  return value;
}

std::string drawn_text() {
  std::string out;
  for (const auto point : *rc::gen::container<std::vector<char32_t>>(rc::gen::oneOf(
           rc::gen::inRange<char32_t>(1, 0x80), rc::gen::inRange<char32_t>(0x80, 0x800),
           rc::gen::inRange<char32_t>(0xE000, 0x10000), rc::gen::inRange<char32_t>(0x10000, 0x110000)))) {
    const auto low = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += {static_cast<char>(0xC0 | point >> 6), low(0)};
    } else if (point < 0x10000) {
      out += {static_cast<char>(0xE0 | point >> 12), low(6), low(0)};
    } else {
      out += {static_cast<char>(0xF0 | point >> 18), low(12), low(6), low(0)};
    }
  }
  return out;
}

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * 4096;
}

}  // namespace

TEST_CASE("each kind of malformed safetensors file is refused by its own sentence, each good one is read") {
  for (const auto& [name, bytes, refusal] : fmsb::test::safetensors_cases()) {
    CAPTURE(name);
    const auto said =
        message_of<data_error>([&, &text = bytes] { data::parse_safetensors(bytes_of_text(text), "x"); });
    if (refusal.empty())
      CHECK(said == "");
    else
      CHECK(said ==
            "x: " + refusal + ". The file is damaged or no safetensors file; fetch or write it again.");
  }
}

TEST_CASE("a number type that fmsb does not hold and a zip archive are told as what they are") {
  const auto strange =
      fmsb::test::safetensors_bytes(R"({"a":{"dtype":"F8_E4M3","shape":[],"data_offsets":[0,1]}})");
  CHECK(
      message_of<data_error>([&] { data::parse_safetensors(bytes_of_text(strange), "x"); }) ==
      "x: tensor \"a\" has the number type \"F8_E4M3\", which fmsb does not read; write it anew as F64, F32, "
      "F16, BF16, an integer type or BOOL.");
  CHECK(message_of<data_error>([&] {
          data::parse_safetensors(bytes_of_text("PK\x03\x04 and more"), "x.pt");
        }) == "x.pt is a zip archive, as torch.save writes; save it as safetensors in Python.");
}

TEST_CASE("a long or strange name is cut and escaped in a message") {
  const std::string name(1000, 'n');
  const auto bytes = fmsb::test::safetensors_bytes("{\"" + name + "\":1}");
  CHECK(message_of<data_error>([&] {
          data::parse_safetensors(bytes_of_text(bytes), "x");
        }).starts_with("x: \"" + std::string(100, 'n') + "...\" in its header is 1; it must be an object."));
  CHECK(data::detail::shown("a\nb\xFF") == "\"a\\nb\xEF\xBF\xBD\"");
  CHECK(data::detail::shown(std::string(99, 'a') + "\xC3\xA9") == "\"" + std::string(99, 'a') + "...\"");
}

TEST_CASE("no beginning of a safetensors file is one, and no changed byte does harm") {
  const auto whole = fmsb::test::safetensors_cases()[5].bytes;
  CHECK_NOTHROW(data::parse_safetensors(bytes_of_text(whole)));
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_THROWS_AS(data::parse_safetensors(bytes_of_text(std::string_view(whole).substr(0, size))),
                    data_error);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      try {
        data::parse_safetensors(bytes_of_text(changed));
      } catch (const data_error&) { ++refused; }
    }
  CHECK(refused > 4 * whole.size());
}

TEST_CASE("whatever is written is read back: names, types, shapes, numbers and metadata") {
  const temporary_folder folder;
  const auto path = folder.path / "model.safetensors";
  CHECK(holds("open(write(x)) == x", [&] {
    std::set<std::string> names;
    for (int i = *rc::gen::inRange(0, 12); i > 0; --i) names.insert(drawn_text());
    names.erase("__metadata__");
    data::text_map metadata;
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) metadata[drawn_text()] = drawn_text();
    std::vector<stored_tensor> tensors;
    std::vector<std::string> storage;
    storage.reserve(names.size());
    for (const auto& name : names) {
      const auto type = static_cast<element_type>(*rc::gen::inRange(0, 13));
      const auto shape = *rc::gen::container<std::vector<index_t>>(
          static_cast<std::size_t>(*rc::gen::inRange(0, 5)), rc::gen::inRange<index_t>(0, 4));
      std::size_t count = data::bytes_of(type);
      for (const auto size : shape) count *= static_cast<std::size_t>(size);
      storage.push_back(*rc::gen::container<std::string>(count, rc::gen::arbitrary<char>()));
      tensors.push_back({name, type, shape, bytes_of_text(storage.back())});
    }
    data::write_safetensors(path, tensors, metadata);
    const auto file = data::open_safetensors(path);
    RC_ASSERT(file.size() == tensors.size());
    RC_ASSERT(file.metadata() == metadata);
    for (const auto& tensor : tensors) {
      const auto& read = file.at(tensor.name);
      RC_ASSERT(read.type == tensor.type);
      RC_ASSERT(read.shape == tensor.shape);
      RC_ASSERT(text_of(read) == text_of(tensor));
      RC_ASSERT(reinterpret_cast<std::uintptr_t>(read.bytes.data()) % data::bytes_of(tensor.type) == 0u);
    }
    // The same tensors in any order are the same file, also when it replaces what is being read.
    const auto before = contents(path);
    data::write_safetensors(path, file.tensors(), metadata);
    RC_ASSERT(contents(path) == before);
  }));
}

TEST_CASE("a file written here is that of Python's safetensors, byte for byte") {
  const auto golden =
      std::filesystem::path(FMSB_SOURCE_DIR) / "tests/parity/golden/safetensors_types.safetensors";
  const std::vector<std::pair<element_type, std::string>> ones{
      {element_type::boolean, raw<bool>({true, false, true})},
      {element_type::u8, raw<std::uint8_t>({1, 0, 1})},
      {element_type::i8, raw<std::int8_t>({1, 0, 1})},
      {element_type::i16, raw<std::int16_t>({1, 0, 1})},
      {element_type::u16, raw<std::uint16_t>({1, 0, 1})},
      {element_type::f16, raw<std::uint16_t>({0x3C00, 0, 0x3C00})},
      {element_type::bf16, raw<std::uint16_t>({0x3F80, 0, 0x3F80})},
      {element_type::i32, raw<std::int32_t>({1, 0, 1})},
      {element_type::u32, raw<std::uint32_t>({1, 0, 1})},
      {element_type::f32, raw<float>({1, 0, 1})},
      {element_type::f64, raw<double>({1, 0, 1})},
      {element_type::i64, raw<std::int64_t>({1, 0, 1})},
      {element_type::u64, raw<std::uint64_t>({1, 0, 1})}};
  const char* const python_names[] = {"bool",    "uint8",    "int8",  "int16",  "uint16",
                                      "float16", "bfloat16", "int32", "uint32", "float32",
                                      "float64", "int64",    "uint64"};
  std::vector<stored_tensor> tensors;
  for (std::size_t i = 0; i < ones.size(); ++i)
    tensors.push_back(
        {std::string("type.") + python_names[i], ones[i].first, {1, 3}, bytes_of_text(ones[i].second)});
  const auto two = raw<float>({-2}), half = raw<float>({0.5});
  tensors.push_back({"without numbers", element_type::f32, {0, 3}, {}});
  tensors.push_back({"without dimensions", element_type::f32, {}, bytes_of_text(two)});
  tensors.push_back(
      {"quote \" backslash \\ line\n tab\t bell\a é 漢 😀", element_type::f32, {1}, bytes_of_text(half)});

  const temporary_folder folder;
  data::write_safetensors(folder.path / "here", tensors, {{"format", "np"}});
  CHECK(contents(folder.path / "here") == contents(golden));

  const auto file = data::open_safetensors(golden);
  CHECK(file.size() == tensors.size());
  for (const auto& tensor : tensors) CHECK(text_of(file.at(tensor.name)) == text_of(tensor));
}

TEST_CASE("tensors come in the order of their data and are found by name") {
  const auto bytes = fmsb::test::safetensors_cases()[1].bytes;
  const auto file = data::parse_safetensors(bytes_of_text(bytes), "two");
  CHECK(file.tensors()[0].name == "b");
  CHECK(file.tensors()[1].name == "a");
  CHECK(file.contains("a"));
  CHECK_FALSE(file.contains(""));
  CHECK(file.find("c") == nullptr);
  CHECK(message_of<data_error>([&] { file.at("c"); }) ==
        "two has no tensor \"c\"; it has 2, such as \"a\", \"b\".");
}

TEST_CASE("opening a file of two gigabytes touches its header and no number") {
  const temporary_folder folder;
  const auto path = folder.path / "large.safetensors";
  constexpr std::uint64_t count = 1ull << 29, size = 4 * count;
  const auto head = fmsb::test::safetensors_bytes(
      R"({"w":{"dtype":"F32","shape":[536870912],"data_offsets":[0,)" + std::to_string(size) + "]}}");
  put(path, head);
  std::filesystem::resize_file(path, head.size() + size);
  const auto before = resident_bytes();
  const auto file = data::open_safetensors(path);
  CHECK(file.at("w").bytes.size() == size);
  CHECK(std::to_integer<int>(file.at("w").bytes.back()) == 0);
  CHECK(resident_bytes() < before + (16u << 20));
}

TEST_CASE("the bytes live as long as a copy of the file that they belong to, whatever happens to its name") {
  const temporary_folder folder;
  const auto path = folder.path / "model.safetensors";
  const auto numbers = raw<float>({1, 2});
  const auto open = [&] {
    data::write_safetensors(path, {{"a", element_type::f32, {2}, bytes_of_text(numbers)}});
    const auto first = data::open_safetensors(path);
    return data::safetensors_file(first);
  };
  const auto copy = open();
  std::filesystem::remove(path);
  CHECK(number_in<float>(copy.at("a"), 1) == 2);
}

TEST_CASE("what cannot be written is refused before the file is touched") {
  const temporary_folder folder;
  const auto path = folder.path / "model.safetensors";
  put(path, "old");
  const auto four = raw<float>({1});
  const auto said = [&](std::vector<stored_tensor> tensors, const data::text_map& metadata = {}) {
    const auto text = message_of<usage_error>([&] { data::write_safetensors(path, tensors, metadata); });
    CHECK(contents(path) == "old");
    CHECK(folder.names() == std::vector<std::string>{"model.safetensors"});
    return text;
  };
  const stored_tensor good{"a", element_type::f32, {1}, bytes_of_text(four)};
  auto bad = good;
  CHECK(said({good, good}) == "write_safetensors: two tensors are named \"a\".");
  bad.shape = {2};
  CHECK(said({bad}) == "write_safetensors: tensor \"a\" has 4 bytes, but its shape [2] of F32 takes 8.");
  bad.shape = {-1};
  CHECK(said({bad}) ==
        "write_safetensors: tensor \"a\" has 4 bytes, but its shape [-1] of F32 takes more than can be "
        "counted.");
  bad.shape = std::vector<index_t>(65, 1);
  CHECK(said({bad}) == "write_safetensors: tensor \"a\" has 65 dimensions; at most 64 can be read back.");
  bad = good;
  bad.name = "__metadata__";
  CHECK(said({bad}) == "write_safetensors: no tensor can be named __metadata__; the format needs that name.");
  bad.name = "caf\xE9";
  CHECK(said({bad}) ==
        "write_safetensors: the name or text \"caf\xEF\xBF\xBD\" is not UTF-8, and the format holds nothing "
        "else; "
        "convert it by to_utf8.");
  CHECK(said({good}, {{"k", "\xFF"}}).find("is not UTF-8") != std::string::npos);
}

TEST_CASE("each malformed index is refused by its own sentence") {
  for (const auto& [name, bytes, refusal] : fmsb::test::shard_map_cases()) {
    CAPTURE(name);
    const auto said = message_of<data_error>([&, &text = bytes] { data::detail::read_shard_map(text, "x"); });
    CHECK(said == (refusal.empty()
                       ? ""
                       : "x: " + refusal + ". The index is damaged or none of safetensors; fetch it again."));
  }
}

TEST_CASE("the shards of a model read as one file, by index or by folder") {
  const temporary_folder folder;
  const auto one = raw<float>({1}), two = raw<float>({2}), three = raw<float>({3});
  const auto write = [&](const char* name, std::vector<stored_tensor> tensors, const data::text_map& about) {
    data::write_safetensors(folder.path / name, std::move(tensors), about);
  };
  write("part-2", {{"b", element_type::f32, {1}, bytes_of_text(two)}}, {});
  write("part-1",
        {{"a", element_type::f32, {1}, bytes_of_text(one)},
         {"b", element_type::f32, {1}, bytes_of_text(three)}},
        {{"format", "pt"}});
  const auto index = folder.path / "model.safetensors.index.json";
  put(index, R"({"metadata": {"total_size": 8}, "weight_map": {"b": "part-2", "a": "part-1"}})");
  for (const auto& path : {index, folder.path}) {
    const auto file = data::open_safetensors(path);
    CHECK(file.size() == 2);
    CHECK(number_in<float>(file.at("a"), 0) == 1);
    CHECK(number_in<float>(file.at("b"), 0) == 2);  // the one that the index means
    CHECK(file.metadata() == data::text_map{{"format", "pt"}});
    CHECK(file.name() == index.string());
  }
  put(index, R"({"weight_map": {"b": "part-2", "c": "part-1"}})");
  CHECK(message_of<data_error>([&] { data::open_safetensors(folder.path); }) ==
        index.string() +
            " says that tensor \"c\" is in part-1, but it is not there; fetch the index and its "
            "shards together.");
  put(index, R"({"weight_map": {"b": "part-3"}})");
  CHECK(message_of<data_error>([&] { data::open_safetensors(index); }) ==
        (folder.path / "part-3").string() + " cannot be opened: No such file or directory.");
}

TEST_CASE("a folder stands for its model, and one that holds none or several is told") {
  const temporary_folder folder;
  CHECK(message_of<data_error>([&] { data::open_safetensors(folder.path); }) ==
        folder.path.string() +
            " holds 0 safetensors files and 0 indices, none of them named model; name the one "
            "that is meant.");
  data::write_safetensors(folder.path / "adapter_model.safetensors", {});
  CHECK(data::open_safetensors(folder.path).name() == (folder.path / "adapter_model.safetensors").string());
  data::write_safetensors(folder.path / "other.safetensors", {});
  CHECK_THROWS_AS(data::open_safetensors(folder.path), data_error);
  data::write_safetensors(folder.path / "model.safetensors", {});
  CHECK(data::open_safetensors(folder.path).name() == (folder.path / "model.safetensors").string());
}

TEST_CASE("what is no file is refused at once, a pipe too") {
  const temporary_folder folder;
  const auto pipe = folder.path / "pipe.safetensors", nothing = folder.path / "nothing.safetensors";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(message_of<data_error>([&] { data::open_safetensors(pipe); }) ==
        pipe.string() + " is no regular file, so it cannot be mapped; name a file on a disk.");
  CHECK(message_of<data_error>([&] { data::open_safetensors(nothing); }) ==
        nothing.string() + " cannot be opened: No such file or directory.");
  put(nothing, "");
  CHECK(message_of<data_error>([&] {
          data::open_safetensors(nothing);
        }).starts_with(nothing.string() + ": it has 0"));
}

TEST_CASE("the published Chronos checkpoints read as Python reads them") {
  struct published {
    const char* file;
    std::size_t tensors;
    const char* name;
    std::vector<index_t> shape;
    double first, sum;  // as safetensors 0.8 and numpy say
  };
  const published all[] = {
      {"dummy-chronos/model.safetensors", 28, "shared.weight", {32, 64}, 0.058837890625, -2.9063141345977783},
      {"dummy-chronos-bolt/model.safetensors",
       101,
       "output_patch_embedding.output_layer.weight",
       {576, 8},
       0.002250006888061762,
       -21.670913531004544},
      {"dummy-chronos2/model.safetensors",
       40,
       "input_patch_embedding.residual_layer.weight",
       {6, 48},
       0.009730533696711063,
       -0.3525070104296901},
      {"dummy-chronos2-lora/adapter_model.safetensors",
       34,
       "base_model.model.encoder.block.0.layer.0.self_attention.q.lora_A.weight",
       {8, 6},
       0.3621364235877991,
       0.047940283082425594}};
  for (const auto& [name, tensors, tensor_name, shape, first, sum] : all) {
    const auto path = fmsb::test::data_file(std::string("../reference/chronos/") + name);
    if (!path) return fmsb::test::skip("the Chronos checkpoints are not beside the shared data folder");
    const auto file = data::open_safetensors(path->parent_path());
    CHECK(file.size() == tensors);
    CHECK(file.metadata() == data::text_map{{"format", "pt"}});
    const auto& tensor = file.at(tensor_name);
    CHECK(tensor.type == element_type::f32);
    CHECK(tensor.shape == shape);
    double total = 0;
    for (std::size_t i = 0; i < tensor.bytes.size() / 4; ++i) total += number_in<float>(tensor, i);
    CHECK(number_in<float>(tensor, 0) == first);
    CHECK(total == doctest::Approx(sum).epsilon(1e-12));
    // Python wrote them; written again here they are the same files.
    const temporary_folder folder;
    data::write_safetensors(folder.path / "again", file.tensors(), file.metadata());
    CHECK(contents(folder.path / "again") == contents(*path));
  }
}
