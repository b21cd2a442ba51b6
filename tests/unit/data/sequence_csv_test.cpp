#include "fmsb/data/sequence_csv.hpp"

#include "fmsb/core/error.hpp"

#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::data_error, fmsb::usage_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::says;

namespace {

using texts = std::vector<std::string>;

std::string complaint(std::string_view text, const data::sequence_csv_options& options = {}) {
  return message_of<data_error>([&] { (void)data::parse_sequence_csv(text, options, "f.csv"); });
}

data::class_labels numbered(const texts& labels, const texts& classes = {}) {
  return data::number_labels(labels, classes, [](std::size_t i) { return "row " + std::to_string(i + 1); });
}

std::string label_complaint(const texts& labels, const texts& classes = {}) {
  return message_of<data_error>([&] { (void)numbered(labels, classes); });
}

}  // namespace

TEST_CASE("labels that are numbers are taken as they are, words by the alphabet") {
  CHECK(numbered({"1", "0", "3"}).numbers == std::vector{1, 0, 3});
  CHECK(numbered({"1", "0", "3"}).classes == texts{"0", "1", "2", "3"});
  CHECK(numbered({"dog", "cat", "dog"}).numbers == std::vector{1, 0, 1});
  CHECK(numbered({"dog", "cat", "dog"}).classes == texts{"cat", "dog"});
}

TEST_CASE("classes that are given number the labels, by name or by number but never by both") {
  CHECK(numbered({"dog", "cat"}, {"fish", "dog", "cat"}).numbers == std::vector{1, 2});
  CHECK(numbered({"0", "2"}, {"fish", "dog", "cat"}).numbers == std::vector{0, 2});
  CHECK(numbered({"2", "1"}, {"1", "2"}).numbers == std::vector{1, 0});
  CHECK(says(label_complaint({"2", "0"}, {"1", "2"}),
             {"row 2", "\"0\" is none of the classes, which are 1, 2"}));
  CHECK(numbered({"-1", "1"}, {"-1", "1"}).numbers == std::vector{0, 1});
}

TEST_CASE("labels that are no class are told with their place") {
  CHECK(label_complaint({"0", ""}) == "row 2: there is no label; give every example one.");
  CHECK(label_complaint({"0", "1", "O"}) ==
        "row 3: the label \"O\" is a word, but others are numbers; give the classes' names, or correct it.");
  CHECK(says(label_complaint({"1", "-1"}), {"row 2", "\"-1\" is no whole number from 0"}));
  CHECK(says(label_complaint({"fish"}, {"cat", "dog"}), {"row 1", "which are cat, dog"}));
  CHECK(says(label_complaint({"2"}, {"cat", "dog"}), {"row 1", "which are cat, dog"}));
  CHECK(says(label_complaint({"1", "70000"}), {"numbers up to 70000, too many classes"}));
  CHECK(says(message_of<usage_error>([] {
               (void)numbered({"a"}, {"a", "b", "a"});
             }),
             {"\"a\" was named twice"}));
}

TEST_CASE("numbering labels anew by the classes found changes nothing") {
  CHECK(holds("number_labels is idempotent", [] {
    const auto labels = *rc::gen::container<texts>(rc::gen::element<std::string>("a", "b", "B", "c d", "é"));
    const auto found = numbered(labels);
    RC_ASSERT(numbered(labels, found.classes).numbers == found.numbers);
    for (std::size_t i = 0; i < labels.size(); ++i)
      RC_ASSERT(found.classes[static_cast<std::size_t>(found.numbers[i])] == labels[i]);
  }));
}

TEST_CASE("a table of sequences is read by its columns' names, wherever they stand") {
  const auto read = data::parse_sequence_csv("id,label,sequence\r\nx,1,ACgt\r\ny,0,\"NN\"\r\n", {}, "f.csv");
  CHECK(read.size() == 2);
  CHECK(read[0].text == "ACgt");
  CHECK(read[0].label == 1);
  CHECK(read[1].text == "NN");
  CHECK(read[1].place == "f.csv, row 3");
  const auto other =
      data::parse_sequence_csv("dna\tkind\nA\tpromoter\nC\tother\n", {.sequence_column = "dna",
                                                                      .label_column = "kind",
                                                                      .classes = {"other", "promoter"},
                                                                      .delimiter = '\t'});
  CHECK(other[0].label == 1);
  CHECK(other.classes() == texts{"other", "promoter"});
}

TEST_CASE("mistakes in a table of sequences are told with row and column") {
  CHECK(complaint("seq,label\nA,1\n") ==
        "f.csv, row 1: there is no column \"sequence\"; the first line has \"seq\", \"label\".");
  CHECK(says(complaint("sequence,label,label\nA,1,1\n"), {"2 columns are called \"label\""}));
  CHECK(complaint("sequence,label\nAC,1\nAC-T,0\n") ==
        "f.csv, row 3, column \"sequence\", position 3: \"-\" is no letter; a sequence is written in letters "
        "alone.");
  CHECK(says(complaint("sequence,label\n,1\n"), {"row 2, column \"sequence\": there is no sequence"}));
  CHECK(says(complaint("sequence,label\nA,\n"), {"row 2, column \"label\": there is no label"}));
  CHECK(complaint("sequence,label\nA,1\nC\n") ==
        "f.csv, row 3 has 1 cell, but the first line names 2; complete the row or quote what holds a "
        "delimiter.");
  CHECK(says(complaint("sequence,label\nA,1,2,3\n"), {"row 2 has 4 cells"}));
  CHECK(says(complaint("sequence,label\nA,1\n\nC,0\n"), {"row 3 is blank"}));
  CHECK(says(complaint("sequence,label\n"), {"no rows follow"}));
  CHECK(says(complaint("\n"), {"f.csv is empty"}));
  CHECK(says(complaint("sequence,label\nA,\"1\n"), {"never closed"}));
}

TEST_CASE("no text whatever makes the reader crash or return a sequence without letters") {
  CHECK(holds("a table or a sentence", [] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>(",", "\"", "\n", "\r\n", " ", "A", "acg", "0", "1", "word", "A,1\n",
                                      "-", "\xFF", std::string(1, '\0')));
    std::string text = *rc::gen::element<std::string>("sequence,label\n", "label,sequence\r\n", "");
    for (const auto& part : parts) text += part;
    try {
      const auto all = data::parse_sequence_csv(text);
      RC_ASSERT(all.size() > 0u);
      RC_ASSERT(all.shortest() > 0u);
    } catch (const data_error& problem) { RC_ASSERT(std::string(problem.what()).ends_with(".")); }
  }));
}
