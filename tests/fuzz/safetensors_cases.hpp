#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

/// Safetensors files of a few bytes, good ones and one of each mistake: the unit tests ask for the sentence
/// that each is refused with, the fuzzer starts from them.
namespace fmsb::test {

struct safetensors_case {
  std::string name;
  std::string bytes;
  std::string refusal;  ///< what the message says after the file's name; empty if the file is good
};

/// A file as the format has it: the header's length, the header, the data.
inline std::string safetensors_bytes(std::string_view header, std::string_view data, std::uint64_t length) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(length >> (8 * i) & 0xFF);
  return out.append(header).append(data);
}
inline std::string safetensors_bytes(std::string_view header, std::string_view data = {}) {
  return safetensors_bytes(header, data, header.size());
}

inline std::vector<safetensors_case> safetensors_cases() {
  const std::string eight(8, '\1'), sixteen(16, '\2');
  const auto one = [](std::string_view type, std::string_view shape, std::string_view offsets) {
    return R"({"a":{"dtype":)" + std::string(type) + R"(,"shape":)" + std::string(shape) +
           R"(,"data_offsets":)" + std::string(offsets) + "}}";
  };
  const auto a = [](std::string_view begin_end) {
    return R"("a":{"dtype":"F32","shape":[2],"data_offsets":[)" + std::string(begin_end) + "]}";
  };
  const auto b = [](std::string_view begin_end) {
    return R"("b":{"dtype":"F32","shape":[2],"data_offsets":[)" + std::string(begin_end) + "]}";
  };
  const auto file = [](std::string header, std::string_view data = {}) {
    return safetensors_bytes(header, data);
  };
  std::string deep = R"({"a":)";
  for (int i = 0; i < 2000; ++i) deep += '[';
  std::string many = R"({"a":{"dtype":"U8","shape":[1)";
  for (int i = 0; i < 64; ++i) many += ",1";
  many += R"(],"data_offsets":[0,1]}})";

  return {
      {"good_one", file(one(R"("F32")", "[2]", "[0,8]"), eight), ""},
      {"good_two_in_any_order", file("{" + a("8,16") + "," + b("0,8") + "}", sixteen), ""},
      {"good_empty", file("{}"), ""},
      {"good_blanks_behind", file("{}      "), ""},
      {"good_scalar_and_nothing",
       file(R"({"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
            R"("n":{"dtype":"BOOL","shape":[3,0],"data_offsets":[8,8]}})",
            eight),
       ""},
      {"good_metadata",
       file(R"({"__metadata__":{"format":"pt","\u00e9\ud83d\ude00":"\"\\\n"},)" + a("0,8") + "}", eight), ""},

      {"empty", "", "it has 0 bytes, and the length of a header alone takes 8"},
      {"seven_bytes", "1234567", "it has 7 bytes, and the length of a header alone takes 8"},
      {"header_longer_than_the_file", safetensors_bytes("{}", {}, 3),
       "its header claims 3 bytes, but the file ends after 2"},
      {"header_longer_than_allowed", safetensors_bytes("{}", {}, 100'000'001),
       "its header claims 100000001 bytes; at most 100000000 are allowed"},
      {"header_of_all_bytes", safetensors_bytes("{}", {}, ~std::uint64_t{0}),
       "its header claims 18446744073709551615 bytes; at most 100000000 are allowed"},
      {"header_empty", file(""), "its header does not begin with {"},
      {"header_is_a_list", file("[]"), "its header does not begin with {"},
      {"header_after_a_blank", file(" {}"), "its header does not begin with {"},
      {"header_cut", file(R"({"a")"), "its header is no JSON from byte 5 on"},
      {"header_and_more", file("{}{}"), "its header is no JSON from byte 3 on"},
      {"header_and_zeros", file(std::string("{}\0\0", 4)), "its header is no JSON from byte 3 on"},
      {"header_not_utf8", file("{\"\xFF\":{}}"), "its header is not UTF-8"},
      {"lonely_surrogate", file(R"({"\ud800":{}})"), "its header is no JSON from byte 9 on"},

      {"deep", file(deep), R"("a" in its header is a list; it must be an object)"},
      {"deep_in_a_shape", file(one(R"("F32")", "[[[[2]]]]", "[0,8]"), eight),
       R"(tensor "a" has a list in its shape; a size is a whole number from 0 on)"},
      {"deep_in_the_metadata", file(R"({"__metadata__":{"a":{"b":{}}}})"),
       R"(its metadata "a" is an object; it must be text)"},
      {"metadata_number", file(R"({"__metadata__":{"a":1}})"), R"(its metadata "a" is 1; it must be text)"},
      {"metadata_text", file(R"({"__metadata__":"pt"})"),
       R"("__metadata__" in its header is the text "pt"; it must be an object)"},
      {"metadata_twice", file(R"({"__metadata__":{},"__metadata__":{}})"),
       "its header has two objects __metadata__"},
      {"metadata_name_twice", file(R"({"__metadata__":{"a":"1","a":"2"}})"),
       R"(its metadata name "a" twice)"},
      {"tensor_is_null", file(R"({"a":null})"), R"("a" in its header is null; it must be an object)"},
      {"name_twice", file("{" + a("0,8") + "," + a("8,16") + "}", sixteen), R"(two tensors are named "a")"},
      {"name_twice_by_escape",
       file("{" + a("0,8") + R"(,"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})", sixteen),
       R"(two tensors are named "a")"},
      {"field_twice", file(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight),
       R"(tensor "a" has "dtype" twice)"},
      {"field_missing", file(R"({"a":{"dtype":"F32","shape":[2]}})"), R"(tensor "a" has no data_offsets)"},
      {"field_unknown", file(R"({"a":{"dtype":"F32","strides":[1]}})"),
       R"(tensor "a" has a field "strides"; dtype, shape and data_offsets are all there are)"},
      {"type_is_a_number", file(one("32", "[2]", "[0,8]"), eight), R"(tensor "a" has 32 as dtype)"},
      {"shape_is_a_number", file(one(R"("F32")", "2", "[0,8]"), eight), R"(tensor "a" has 2 as shape)"},

      {"size_negative", file(one(R"("F32")", "[-2]", "[0,8]"), eight),
       R"(tensor "a" has -2 in its shape; a size is a whole number from 0 on)"},
      {"size_fractional", file(one(R"("F32")", "[2.0]", "[0,8]"), eight),
       R"(tensor "a" has 2.0 in its shape; a size is a whole number from 0 on)"},
      {"size_beyond_an_index", file(one(R"("F32")", "[9223372036854775808]", "[0,8]"), eight),
       R"(tensor "a" has 9223372036854775808 in its shape; a size is a whole number from 0 on)"},
      {"size_beyond_64_bits", file(one(R"("F32")", "[36893488147419103232]", "[0,8]"), eight),
       R"(tensor "a" has 36893488147419103232 in its shape; a size is a whole number from 0 on)"},
      {"size_beyond_a_double", file(one(R"("F32")", "[1e999]", "[0,8]"), eight),
       "its header is no JSON from byte 34 on"},
      {"product_overflows", file(one(R"("U8")", "[4294967296,4294967297]", "[0,8]"), eight),
       R"(tensor "a" has the shape [4294967296, 4294967297], more than can be counted)"},
      {"product_overflows_beside_zero", file(one(R"("U8")", "[0,4294967296,4294967297]", "[0,0]")),
       R"(tensor "a" has the shape [0, 4294967296, 4294967297], more than can be counted)"},
      {"bytes_overflow", file(one(R"("F64")", "[2305843009213693952]", "[0,0]")),
       R"(tensor "a" has the shape [2305843009213693952], more than can be counted)"},
      {"too_many_dimensions", file(many, "\1"), R"(tensor "a" has more than 64 dimensions)"},
      {"shape_and_bytes_differ", file(one(R"("F32")", "[3]", "[0,8]"), eight),
       R"(tensor "a" has the data_offsets [0, 8], but its shape [3] of F32 takes 12 bytes)"},

      {"offsets_reversed", file(one(R"("F32")", "[2]", "[8,0]"), eight),
       R"(tensor "a" has the data_offsets [8, 0], which end before they begin)"},
      {"offsets_beyond_the_file", file(one(R"("F32")", "[4]", "[0,16]"), eight),
       R"(tensor "a" has the data_offsets [0, 16], but 8 bytes follow the header)"},
      {"offsets_of_64_bits",
       file(one(R"("F32")", "[2]", "[18446744073709551608,18446744073709551615]"), eight),
       R"(tensor "a" has the data_offsets [18446744073709551608, 18446744073709551615], but 8 bytes follow the header)"},
      {"offsets_negative", file(one(R"("F32")", "[2]", "[-8,0]"), eight),
       R"(tensor "a" has -8 in its data_offsets; each is a whole number from 0 on)"},
      {"offsets_one", file(one(R"("F32")", "[2]", "[0]"), eight),
       R"(tensor "a" has fewer than two data_offsets)"},
      {"offsets_three", file(one(R"("F32")", "[2]", "[0,8,8]"), eight),
       R"(tensor "a" has more than two data_offsets)"},
      {"overlap", file("{" + a("0,8") + "," + b("4,12") + "}", sixteen),
       R"(the data of tensor "b" overlap those of "a")"},
      {"same_bytes_twice", file("{" + a("0,8") + "," + b("0,8") + "}", eight),
       R"(the data of tensor "b" overlap those of "a")"},
      {"hole_before", file("{" + a("8,16") + "}", sixteen),
       R"(8 bytes before the data of tensor "a" belong to no tensor)"},
      {"hole_behind", file("{" + a("0,8") + "}", sixteen), "8 bytes after the last tensor belong to none"},
      {"data_cut", file("{" + a("0,8") + "," + b("8,16") + "}", eight),
       R"(tensor "b" has the data_offsets [8, 16], but 8 bytes follow the header)"},
  };
}

/// Indices of sharded models, and what is wrong with them.
inline std::vector<safetensors_case> shard_map_cases() {
  return {
      {"good",
       R"({"metadata":{"total_size":8,"a":[[{}]]},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})",
       ""},
      {"good_without_tensors", R"({"weight_map":{}})", ""},
      {"empty", "", "it is no JSON from byte 1 on"},
      {"cut", R"({"weight_map":{"a":"1.sa)", "it is no JSON from byte 25 on"},
      {"not_utf8", "{\"\xFF\":1}", "it is not JSON in UTF-8"},
      {"no_map", R"({"metadata":{}})", "it has no object weight_map"},
      {"map_below", R"({"metadata":{"weight_map":{"a":"1"}}})", "it has no object weight_map"},
      {"map_is_a_list", R"({"weight_map":["a"]})", "its weight_map is not an object"},
      {"two_maps", R"({"weight_map":{},"weight_map":{}})", "it has two objects weight_map"},
      {"a_number", R"({"weight_map":{"a":1}})",
       R"(its weight_map has something other than a file name for "a")"},
      {"deep", R"({"weight_map":{"a":{"b":"c"}}})",
       R"(its weight_map has something other than a file name for "a")"},
      {"name_twice", R"({"weight_map":{"a":"1.safetensors","a":"2.safetensors"}})",
       R"(its weight_map names tensor "a" twice)"},
      {"folder_above", R"({"weight_map":{"a":"../1.safetensors"}})",
       R"(tensor "a" is said to be in "../1.safetensors", which is not the plain name of a file beside the index)"},
      {"two_dots", R"({"weight_map":{"a":".."}})",
       R"(tensor "a" is said to be in "..", which is not the plain name of a file beside the index)"},
      {"root", R"({"weight_map":{"a":"/etc/passwd"}})",
       R"(tensor "a" is said to be in "/etc/passwd", which is not the plain name of a file beside the index)"},
      {"backslash", R"({"weight_map":{"a":"b\\c"}})",
       R"(tensor "a" is said to be in "b\\c", which is not the plain name of a file beside the index)"},
      {"zero", R"({"weight_map":{"a":"b\u0000c"}})",
       R"(tensor "a" is said to be in "b\u0000c", which is not the plain name of a file beside the index)"},
      {"no_name", R"({"weight_map":{"a":""}})",
       R"(tensor "a" is said to be in "", which is not the plain name of a file beside the index)"},
  };
}

}  // namespace fmsb::test
