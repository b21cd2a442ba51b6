#include "fmsb/report/write_header.hpp"

#include "fmsb/space/conv_space.hpp"  // kernel_sizes, dilations
#include "fmsb/space/product.hpp"     // product

#include "support/data.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <cstdlib>  // std::system
#include <limits>   // std::numeric_limits
#include <sstream>  // std::istringstream

#include "support/doctest.hpp"

#ifndef FMSB_CXX
#define FMSB_CXX "g++"
#endif

namespace report = fmsb::report;
using fmsb::test::holds, fmsb::test::temporary_folder, fmsb::test::contents, fmsb::test::put,
    fmsb::test::message_of;

namespace {

using conv =
    fmsb::space::product<fmsb::space::kernel_sizes<3, 5, 7, 9, 11>, fmsb::space::dilations<1, 3, 5, 7>>;

report::architecture_header tata() {
  return {.name = "tata",
          .axes = {"kernel", "dilation"},
          .points = {{3, 1}, {11, 7}, {5, 3}},
          .provenance = {"dash, 2022-12-01, TATA, seed 3"},
          .space_text = std::string(fmsb::text_of<conv>.view()),
          .counts = {{"parameters", 123456}, {"receptive_field", 81}}};
}

std::string refusal(const report::architecture_header& of) {
  return message_of<fmsb::usage_error>([&] { (void)report::header_text(of); });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// What is awkward in a comment or in a quoted text.
std::string awkward() {
  std::string out;
  for (const auto& part : *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
           "*/", "/*", "\\", "\n", "\r", "?\?/", "\"", "#include <x>", "\xFF", "\u202E", "\u2028", "µ", " ",
           "\t", "word", "R\"(", std::string(1, '\0'), std::string(120, 'x'), "'", "1", "?")))
    out += part;
  return out;
}

/// Compiles a program in a folder by the compiler of this test, and runs it.
/// @return what the compiler said and what the program returned
struct outcome {
  std::string said;
  int status = -1;
};
outcome compile_and_run(const std::filesystem::path& folder, const std::string& program) {
  put(folder / "main.cpp", program);
  const auto quoted = [](const std::string& path) { return " '" + path + "'"; };
  const std::string command = FMSB_CXX
                              " -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion "
                              "-trigraphs -Werror -I" +
                              quoted(std::string(FMSB_SOURCE_DIR) + "/include").substr(1) +
                              quoted(folder / "main.cpp") + " -o" + quoted(folder / "main") + " 2>" +
                              quoted(folder / "said");
  const int compiled = std::system(command.c_str());
  outcome out{.said = contents(folder / "said")};
  if (compiled == 0) out.status = std::system(quoted(folder / "main").c_str());
  return out;
}

bool can_compile() {
  if (std::system("command -v '" FMSB_CXX "' > /dev/null 2>&1") == 0) return true;
  fmsb::test::skip("there is no compiler " FMSB_CXX);
  return false;
}

}  // namespace

TEST_CASE("a written header is a constant again: compiled, it holds the points, counts and fingerprint") {
  if (!can_compile()) return;
  const temporary_folder folder;
  auto of = tata();
  of.name_space = "found::dna";
  of.counts.push_back({"least", std::numeric_limits<long long>::min()});
  of.provenance = {"*/ int x; /* \\", "ends in a trigraph ?\?/", "line\nint y;", "", "\xFF \u202E µ"};
  report::write_header(folder.path / "tata.hpp", of);
  const auto [said, status] = compile_and_run(
      folder.path,
      "#include \"tata.hpp\"\n#include \"tata.hpp\"\n"
      R"(template <auto Points> struct network { static constexpr auto places = Points.size(); };
using namespace found::dna;
static_assert(network<tata>::places == 3);
static_assert(tata[0].get<"kernel">() == 3 && tata[0].get<"dilation">() == 1);
static_assert(tata[1] == fmsb::space::point<"kernel", "dilation">{{11, 7}});
static_assert(tata[2].get<"kernel">() == 5 && tata[2].get<"dilation">() == 3);
static_assert(tata_parameters == 123456 && tata_receptive_field == 81 && tata_least + 1 < -9223372036854775806LL);
static_assert(tata_fingerprint.hash == 0x)" +
          fmsb::hash_text(fmsb::hash_of(report::architecture_text(of))) +
          R"(u);
int main(int count, char**) { return tata[static_cast<unsigned>(count)].get<"dilation">(); }
)");
  CHECK(said == "");
  CHECK(status == 7 << 8);
}

TEST_CASE("axes of any name, and the least and greatest number, are read back as they are") {
  if (!can_compile()) return;
  const temporary_folder folder;
  report::write_header(folder.path / "odd.hpp",
                       {.name = "odd_1",
                        .name_space = "",
                        .axes = {"a \"quoted\\ name?\?/", "µ\n7"},
                        .points = {{std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}},
                        .space_text = "any ?\?/ \"\\ \x01"
                                      "7 */"});
  const auto [said, status] = compile_and_run(
      folder.path,
      "#include \"odd.hpp\"\n"
      R"(static_assert(odd_1[0].names[0] == "a \"quoted\\ name?\?/" && odd_1[0].names[1] == "\302\265\n7");
static_assert(odd_1[0].values[0] == -2147483647 - 1 && odd_1[0].values[1] == 2147483647);
static_assert(odd_1_fingerprint.text.ends_with(" of any ?\?/ \"\\ \0017 */"));
int main() {}
)");
  CHECK(said == "");
  CHECK(status == 0);
}

TEST_CASE("no text leaves its comment") {
  CHECK(holds("every line of a comment begins as one, does not join the next, and breaks before column 100",
              [] {
                const auto text = awkward();
                const auto lines = lines_of(report::detail::comment_lines(text));
                RC_ASSERT(!lines.empty());
                for (const auto& line : lines) {
                  RC_ASSERT(line.starts_with("//"));
                  RC_ASSERT(line.back() != '\\');
                  RC_ASSERT(line.back() != ' ');
                  RC_ASSERT(!line.ends_with("?\?/"));
                  for (const char c : line) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
                  const bool wraps = line.size() <= 102;
                  const bool one_word = line.find(' ', line.find_first_not_of("/ ")) == std::string::npos;
                  RC_ASSERT((wraps || one_word || line.ends_with(" .")));
                }
              }));
  CHECK(report::detail::comment_lines("") == "//\n");
  CHECK(report::detail::comment_lines("a\\") == "// a\\ .\n");
  CHECK(report::detail::comment_lines("\xFF\xE6\x97 µ\u202Ex") == "// ??? µ?x\n");
}

TEST_CASE("the words of a comment are those of its text, in their order") {
  CHECK(holds("nothing is lost where a line breaks", [] {
    std::string text;
    const auto words = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 30));
    for (const int length : words) text += std::string(static_cast<std::size_t>(length), 'w') + " ";
    std::string read;
    for (const auto& line : lines_of(report::detail::comment_lines(text))) {
      std::istringstream in(line.substr(2));
      for (std::string word; in >> word;) read += word + " ";
    }
    RC_ASSERT(read == text);
  }));
}

TEST_CASE("a quoted text is plain ASCII on one line, without trigraphs") {
  CHECK(holds("no byte of the text can end the literal", [] {
    const auto quoted = report::detail::cpp_literal(awkward());
    RC_ASSERT(quoted.size() >= 2u);
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
      RC_ASSERT(quoted[i] >= 0x20);
      RC_ASSERT(quoted[i] != '"');
      if (quoted[i] == '\\') {
        ++i;
        RC_ASSERT(i + 1 < quoted.size());
      }
    }
    RC_ASSERT(quoted.find("?\?") == std::string::npos);
  }));
}

TEST_CASE(
    "a broken literal holds the whole text, on lines of at most 100 columns where no letter is escaped") {
  CHECK(holds("the pieces joined are the text", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', ';', ',', '='));
    const auto long_text = text + text + text;
    std::string joined;
    for (const auto& line : lines_of(report::detail::broken_literal(long_text, "    "))) {
      RC_ASSERT(line.size() <= 100u);
      RC_ASSERT(line.starts_with("    \""));
      RC_ASSERT(line.ends_with('"'));
      joined += line.substr(5, line.size() - 6);
    }
    RC_ASSERT(joined == long_text);
  }));
  CHECK(report::detail::broken_literal("", " ") == " \"\"");
}

TEST_CASE("the fingerprint is that of the points and their space, whatever the name and the run") {
  auto a = tata(), b = tata();
  b.name = "other";
  b.provenance.clear();
  b.counts.clear();
  CHECK(report::architecture_text(a) == report::architecture_text(b));
  CHECK(report::architecture_text(a) ==
        "architecture(kernel=3,dilation=1;kernel=11,dilation=7;kernel=5,dilation=3) of "
        "product(kernel{3,5,7,9,11},dilation{1,3,5,7})");
  b.points[1][1] = 5;
  CHECK(report::architecture_text(a) != report::architecture_text(b));
}

TEST_CASE("what is no C++ name is refused") {
  using report::detail::is_cpp_name;
  for (const char* name : {"tata", "found_tata", "x1", "T", "int_"}) {
    const bool ends_well = std::string_view(name).back() != '_';
    CHECK_MESSAGE(is_cpp_name(name) == ends_well, name);
  }
  for (const char* name :
       {"", "1x", "_x", "a__b", "a-b", "a b", "int", "co_yield", "xor_eq", "µ", "a;", "std", "fmsb"})
    CHECK_FALSE_MESSAGE(is_cpp_name(name), name);
}

TEST_CASE("an architecture that cannot be written is refused in a sentence, and no file is left") {
  const temporary_folder folder;
  auto of = tata();
  of.name = "found-tata";
  CHECK(message_of<fmsb::usage_error>([&] { report::write_header(folder.path / "x.hpp", of); }) ==
        "write_header: \"found-tata\": the name \"found-tata\" is no C++ name: it takes letters, digits and "
        "single underscores, a letter first, no underscore last, and is neither a word of the language nor "
        "std or fmsb.");
  CHECK(folder.names().empty());
  for (const char* space : {"a::", "::a", "a:b", "a::::b", "a::class", ":"}) {
    of = tata();
    of.name_space = space;
    CHECK_MESSAGE(refusal(of).find("the namespace \"") != std::string::npos, space);
  }
  of = tata();
  of.points[2].pop_back();
  CHECK(refusal(of) == "write_header: \"tata\": point 2 has 1 values for 2 axes.");
  of = tata();
  of.points.clear();
  CHECK(refusal(of) == "write_header: \"tata\": it has no points.");
  of = tata();
  of.axes.clear();
  CHECK(refusal(of).find("no axes") != std::string::npos);
  of = tata();
  of.axes = {"kernel", "kernel"};
  CHECK(refusal(of).find("a name of its own") != std::string::npos);
  of = tata();
  of.counts.push_back({"parameters", 1});
  CHECK(refusal(of) == "write_header: \"tata\": two of its constants are named \"parameters\".");
  of.counts = {{"fingerprint", 1}};
  CHECK(refusal(of).find("fingerprint") != std::string::npos);
  of.counts = {{"multiply adds", 1}};
  CHECK(refusal(of).find("the count \"multiply adds\"") != std::string::npos);
}
