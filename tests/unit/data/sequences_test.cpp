#include "fmsb/core/error.hpp"
#include "fmsb/data/fasta.hpp"
#include "fmsb/data/splice.hpp"

#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <zlib.h>  // gzopen

#include <array>  // std::array

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::data_error, fmsb::usage_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::put, fmsb::test::says,
    fmsb::test::temporary_folder;

namespace {

std::string complaint(std::string_view text) {
  return message_of<data_error>([&] { (void)data::parse_fasta(text, "all", "f.fa"); });
}

std::string splice_complaint(std::string_view text) {
  return message_of<data_error>([&] { (void)data::parse_splice(text, "s.data"); });
}

std::string draw_letters(int least = 1) {
  auto text = *rc::gen::container<std::string>(rc::gen::element('A', 'c', 'G', 't', 'N', 'r'));
  while (text.size() < static_cast<std::size_t>(least)) text += 'A';
  return text;
}

}  // namespace

TEST_CASE("sequences tell their lengths, counts and places") {
  const data::sequences all("f.csv", {{"ACGT", 1, "one", "f.csv, row 2"}, {"AC", 1}, {"A", 0}},
                            {"no", "yes"});
  CHECK(all.size() == 3);
  CHECK(all.shortest() == 1);
  CHECK(all.longest() == 4);
  CHECK(all.counts() == std::vector<std::size_t>{1, 2});
  CHECK(all[0].place == "f.csv, row 2");
  CHECK(all[1].place == "f.csv, sequence 2");
  const auto some = all.subset(std::vector<std::size_t>{2, 1});
  CHECK(some.size() == 2);
  CHECK(some[0].text == "A");
  CHECK(some[1].place == "f.csv, sequence 2");
  CHECK(some.classes() == all.classes());
  CHECK(data::sequences("empty", {}, {}).shortest() == 0);
}

TEST_CASE("a label of no class, and a number of no sequence, are told") {
  CHECK(message_of<data_error>([] {
          (void)data::sequences("f", {{"A", 2, "", "f, row 7"}}, {"a", "b"});
        }) == "f, row 7 has the label 2, but there are 2 classes, numbered from 0.");
  const data::sequences one("f", {{"A"}}, {"a"});
  CHECK(says(message_of<usage_error>([&] { (void)one.subset(std::vector<std::size_t>{1}); }),
             {"sequence number 1", "there are 1"}));
}

TEST_CASE("FASTA is read whatever the width of its lines and whatever ends them") {
  CHECK(holds("records come back", [] {
    const auto count = *rc::gen::inRange<std::size_t>(1, 6);
    const auto width = *rc::gen::inRange<std::size_t>(1, 9);
    const auto end = *rc::gen::element<std::string>("\n", "\r\n", "\r");
    const auto blank = *rc::gen::element<std::string>("", " ", "\t");
    const auto mark = *rc::gen::element<std::string>("", "\xEF\xBB\xBF");
    std::vector<std::string> wanted;
    std::string text = mark;
    for (std::size_t i = 0; i < count; ++i) {
      wanted.push_back(draw_letters());
      text += ">" + blank + "record " + std::to_string(i) + blank + end;
      for (std::size_t at = 0; at < wanted.back().size(); at += width)
        text += blank + wanted.back().substr(at, width) + blank + end;
      if (*rc::gen::arbitrary<bool>()) text += blank + end;
    }
    if (*rc::gen::arbitrary<bool>()) text.resize(text.size() - end.size());
    const auto read = data::parse_fasta(text);
    RC_ASSERT(read.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      RC_ASSERT(read[i].text == wanted[i]);
      RC_ASSERT(read[i].name == "record " + std::to_string(i));
    }
  }));
}

TEST_CASE("a record's place names the file, its number and its name") {
  const auto read = data::parse_fasta(">chr1:5-7 x\nACG\n>\nA\n>3\nC\n", "all", "f.fa");
  CHECK(read[0].place == "f.fa, record 1 \"chr1:5-7 x\"");
  CHECK(read[1].place == "f.fa, record 2");
  CHECK(read[2].place == "f.fa, record 3");
  CHECK(read.classes() == std::vector<std::string>{"all"});
}

TEST_CASE("mistakes in FASTA are told with line, column or record") {
  CHECK(complaint("\nACGT\n>1\nA\n") ==
        "f.fa, line 2: \"ACGT\" stands before the first record; begin every record by a line of \">\" and a "
        "name.");
  CHECK(complaint(">a\nAC\n>b\n>c\nA\n") ==
        "f.fa, record 2 \"b\" has no letters; complete the record or take it out.");
  CHECK(says(complaint(">a\nAC\n>b\n"), {"record 2 \"b\" has no letters"}));
  CHECK(complaint(">a\nAC\nA-G\n") ==
        "f.fa, line 3, column 2: \"-\" is no letter; a sequence is written in letters alone, without gaps or "
        "numbers.");
  CHECK(says(complaint(">a\n\xC3\xA4\n"), {"line 2, column 1", "the byte 195"}));
  CHECK(says(complaint(""), {"f.fa holds no record"}));
  CHECK(says(complaint("\r\n \n"), {"f.fa holds no record"}));
  CHECK(says(complaint("\xFF\xFE>"), {"UTF-16"}));
  CHECK(says(complaint(std::string_view(">a\nA\0", 6)), {"row 2 holds a zero byte"}));
}

TEST_CASE("files of one class each are joined, in the order in which the classes are named") {
  const temporary_folder folder;
  put(folder.path / "a.fa", ">1\nAC\n>2\nACG\n");
  put(folder.path / "c.fa", ">1\nT\n");
  const gzFile out = gzopen((folder.path / "b.fa.gz").c_str(), "wb");
  REQUIRE(gzputs(out, ">1\nGGGG\n") > 0);
  gzclose(out);
  const auto all = data::read_fasta_classes({{"strong", folder.path / "a.fa"},
                                             {"none", folder.path / "b.fa.gz"},
                                             {"strong", folder.path / "c.fa"}});
  CHECK(all.classes() == std::vector<std::string>{"strong", "none"});
  CHECK(all.counts() == std::vector<std::size_t>{3, 1});
  CHECK(all[2].text == "GGGG");
  CHECK(all[3].text == "T");
  CHECK(says(all[3].place, {"c.fa, record 1"}));
  CHECK(says(all.name(), {"a.fa + ", "b.fa.gz + "}));
  CHECK(says(message_of<usage_error>([] { (void)data::read_fasta_classes({}); }), {"no file was given"}));
  CHECK(says(message_of<data_error>([&] { (void)data::read_fasta(folder.path / "d.fa"); }),
             {"d.fa cannot be opened"}));
}

TEST_CASE("splice junctions are read by class, name and sequence") {
  const auto read = data::parse_splice("EI,  A-DONOR-1,   ACGT\r\nN,B,  nnRS\n\nIE,C,A\n");
  CHECK(read.size() == 3);
  CHECK(read.classes() == std::vector<std::string>{"EI", "IE", "N"});
  CHECK(read[0].name == "A-DONOR-1");
  CHECK(read[1].label == 2);
  CHECK(read[1].text == "nnRS");
  CHECK(read[2].place == "text, line 4");
}

TEST_CASE("mistakes in splice junctions are told with their line") {
  CHECK(splice_complaint("EI,A,ACGT\nX,B,ACGT\n") == "s.data, line 2: the class \"X\" is none of EI, IE, N.");
  CHECK(splice_complaint("EI,A\n") ==
        "s.data, line 1 has 2 fields; write three between commas: class, name, sequence.");
  CHECK(says(splice_complaint("EI,A,B,C\n"), {"has 4 fields"}));
  CHECK(says(splice_complaint("EI,A,\n"), {"line 1: there is no sequence"}));
  CHECK(says(splice_complaint("EI,A,AC GT\n"), {"position 3 of the sequence: a blank is no letter"}));
  CHECK(says(splice_complaint("\n"), {"s.data holds no splice junction"}));
}

TEST_CASE("no text whatever makes the readers crash or return a sequence without letters") {
  CHECK(holds("records or a sentence", [] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>(">", ">a", "\n", "\r", "\r\n", " ", "\t", "A", "acg", "EI", "N", ",",
                                      "-", "1", "\xFF", "\xEF\xBB\xBF", std::string(1, '\0')));
    std::string text;
    for (const auto& part : parts) text += part;
    const std::array readers{+[](std::string_view t) { return data::parse_fasta(t); },
                             +[](std::string_view t) { return data::parse_splice(t); }};
    for (const auto read : readers) try {
        const auto all = read(text);
        RC_ASSERT(all.size() > 0u);
        RC_ASSERT(all.shortest() > 0u);
      } catch (const data_error& problem) { RC_ASSERT(std::string(problem.what()).ends_with(".")); }
  }));
}
