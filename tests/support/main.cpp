#include "support/data.hpp"

#include <cstdlib>   // std::getenv
#include <iostream>  // std::cout
#include <string>    // std::string

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "support/doctest.hpp"

namespace {

std::string& reason_to_skip() {
  static std::string reason;
  return reason;
}

/// Prints the line that CTest looks for, once the test case has ended: a failure is never read as skipped.
struct skip_listener : doctest::IReporter {
  explicit skip_listener(const doctest::ContextOptions& options) : options_{options} {}

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData& test) override {
    name_ = test.m_name;
    reason_to_skip().clear();
  }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& outcome) override {
    if (reason_to_skip().empty() || outcome.failure_flags != 0) return;
    *options_.cout << "skipped: " << name_ << ": " << reason_to_skip() << std::endl;
  }
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  const doctest::ContextOptions& options_;
  std::string name_;
};

}  // namespace

REGISTER_LISTENER("skip", 1, skip_listener);

namespace fmsb::test {

std::optional<std::filesystem::path> data_file(std::string_view name) {
  const char* named = std::getenv("FMSB_DATA");
  const std::filesystem::path folder =
      named != nullptr ? std::filesystem::path{named}
                       : std::filesystem::path{FMSB_SOURCE_DIR}.parent_path() / "shared" / "data";
  std::filesystem::path file = folder / name;
  if (!std::filesystem::exists(file)) return std::nullopt;
  return file;
}

void skip(std::string_view reason) { reason_to_skip() = reason; }

}  // namespace fmsb::test
