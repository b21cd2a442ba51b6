#include "fmsb/report/progress.hpp"

#include <cstdio>  // std::tmpfile
#include <thread>  // std::thread

#include "support/doctest.hpp"

namespace report = fmsb::report;

namespace {

std::string shown(bool terminal, std::size_t steps) {
  std::FILE* const out = std::tmpfile();
  {
    report::progress line("orders", steps, out, terminal);
    for (std::size_t i = 0; i < steps; ++i) line.advance();
  }
  std::string text(static_cast<std::size_t>(std::ftell(out)), '\0');
  std::rewind(out);
  const std::size_t got = std::fread(text.data(), 1, text.size(), out);
  std::fclose(out);
  CHECK(got == text.size());
  return text;
}

}  // namespace

TEST_CASE("nothing is written where there is no terminal") { CHECK(shown(false, 1000).empty()); }

TEST_CASE("on a terminal the first and last step are shown, few between, and the line is wiped at the end") {
  const auto text = shown(true, 100'000);
  CHECK(text.find("orders  1/100,000") != std::string::npos);
  CHECK(text.find("100,000/100,000  100 %") != std::string::npos);
  CHECK(text.ends_with("\r\x1B[K"));
  CHECK(text.size() < 5000);
}

TEST_CASE("the line tells how much is done and how long the rest will take") {
  report::progress line("orders", 200, stderr, false);
  CHECK(line.text(5) == "orders  0/200  0 %  5 s");
  std::FILE* const sink = std::tmpfile();
  {
    report::progress running("orders", 200, sink, true);
    running.advance(50);
    CHECK(running.text(10) == "orders  50/200  25 %  10 s, 30 s left");
    running.advance(150);
    CHECK(running.text(40) == "orders  200/200  100 %  40 s");
  }
  report::progress open_ended("rows", 0, sink, true);
  open_ended.advance(1500);
  CHECK(open_ended.text(3) == "rows  1,500  3 s");
  std::fflush(sink);
}

TEST_CASE("resumed work counts what was done, but expects the rest at the pace of now") {
  std::FILE* const sink = std::tmpfile();
  report::progress line("steps", 200, sink, true, 100);
  CHECK(line.text(5) == "steps  100/200  50 %  5 s");
  line.advance(20);
  CHECK(line.text(10) == "steps  120/200  60 %  10 s, 40 s left");
}

TEST_CASE("a note ends the line, and is asked for only where the line is written") {
  int asked = 0;
  const auto note = [&](double a_second) {
    ++asked;
    return a_second > 0 ? std::string("loss 0.5") : std::string();
  };
  report::progress silent("steps", 10, stderr, false);
  silent.advance(1, note);
  CHECK(asked == 0);

  std::FILE* const out = std::tmpfile();
  {
    report::progress line("steps", 10, out, true);
    line.advance(1, note);
  }
  CHECK(asked == 1);
  char text[200] = {};
  std::rewind(out);
  CHECK(std::fread(text, 1, sizeof text - 1, out) > 0);
  std::fclose(out);
  CHECK(std::string(text).find("0 s, 0 s left  loss 0.5\x1B[K") != std::string::npos);
}

TEST_CASE("several threads may advance one line") {
  std::FILE* const sink = std::tmpfile();
  {
    report::progress line("steps", 4000, sink, true);
    std::vector<std::thread> threads;
    for (int k = 0; k < 4; ++k)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) line.advance();
      });
    for (auto& thread : threads) thread.join();
    CHECK(line.text(1).find("4,000/4,000") != std::string::npos);
  }
  std::fclose(sink);
}

TEST_CASE("durations are told in two units at most") {
  CHECK(report::print_duration(0.4) == "0 s");
  CHECK(report::print_duration(59.4) == "59 s");
  CHECK(report::print_duration(200) == "3 min 20 s");
  CHECK(report::print_duration(7500) == "2 h 05 min");
}
