#include "fmsb/report/atomic_file.hpp"

#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <csignal>         // SIGXFSZ
#include <stdexcept>       // std::runtime_error
#include <sys/resource.h>  // setrlimit

#include "support/doctest.hpp"

namespace report = fmsb::report;
using fmsb::test::holds, fmsb::test::temporary_folder, fmsb::test::contents, fmsb::test::put,
    fmsb::test::message_of;
using names = std::vector<std::string>;

TEST_CASE("a file is written whole, and an old one replaced whole") {
  const temporary_folder folder;
  const auto path = folder.path / "out.txt";
  report::write_atomically(path, [](std::ostream& out) { out << "first"; });
  CHECK(contents(path) == "first");
  report::write_atomically(path, [](std::ostream& out) { out << "second\n"; });
  CHECK(contents(path) == "second\n");
  CHECK(folder.names() == names{"out.txt"});
}

TEST_CASE("any bytes come back as they were") {
  const temporary_folder folder;
  CHECK(holds("contents(write(x)) == x", [&] {
    const auto text = *rc::gen::arbitrary<std::string>();
    report::write_atomically(folder.path / "bytes", [&](std::ostream& out) { out << text; });
    RC_ASSERT(contents(folder.path / "bytes") == text);
  }));
}

TEST_CASE("a writer that fails after any number of bytes leaves the old file and nothing beside it") {
  const temporary_folder folder;
  const auto path = folder.path / "out.txt";
  put(path, "old");
  CHECK(holds("nothing is half-written", [&] {
    const auto before = *rc::gen::inRange(0, 100'000);
    RC_ASSERT_THROWS_AS(report::write_atomically(path,
                                                 [&](std::ostream& out) {
                                                   out << std::string(static_cast<std::size_t>(before), 'x')
                                                       << std::flush;
                                                   throw std::runtime_error("writer");
                                                 }),
                        std::runtime_error);
    RC_ASSERT(contents(path) == "old");
    RC_ASSERT(folder.names() == names{"out.txt"});
  }));
}

TEST_CASE("a pending file that is not committed is gone without a trace") {
  const temporary_folder folder;
  {
    report::pending_file file(folder.path / "out.txt");
    file.write("half");
    CHECK(folder.names().size() == 1);
    CHECK_FALSE(std::filesystem::exists(folder.path / "out.txt"));
  }
  CHECK(folder.names().empty());
}

TEST_CASE("a full disk leaves the old file and is told") {
  const temporary_folder folder;
  const auto path = folder.path / "out.txt";
  put(path, "old");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto said = message_of<fmsb::error>(
      [&] { report::write_atomically(path, [](std::ostream& out) { out << std::string(5000, 'x'); }); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(said == path.string() + " cannot be written: File too large. What stood there before is untouched.");
  CHECK(contents(path) == "old");
  CHECK(folder.names() == names{"out.txt"});
}

TEST_CASE("a folder that is not there, and a folder in place of a file, are told by name") {
  const temporary_folder folder;
  const auto nothing = [](std::ostream&) {};
  CHECK(message_of<fmsb::usage_error>([&] {
          report::write_atomically(folder.path / "no" / "out.txt", nothing);
        }) == (folder.path / "no" / "out.txt").string() + " cannot be written: folder " +
                  (folder.path / "no").string() + ": No such file or directory.");
  CHECK(message_of<fmsb::usage_error>([&] {
          report::write_atomically(folder.path, nothing);
        }).find("is a folder") != std::string::npos);
}

TEST_CASE("permissions are kept, a link stays a link, and a pipe or terminal is written through") {
  namespace fs = std::filesystem;
  const temporary_folder folder;
  const auto path = folder.path / "out.txt", link = folder.path / "link";
  put(path, "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink(path, link);
  report::write_atomically(link, [](std::ostream& out) { out << "new"; });
  CHECK(fs::is_symlink(link));
  CHECK(contents(path) == "new");
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK_NOTHROW(report::write_atomically("/dev/null", [](std::ostream& out) { out << "gone"; }));
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("a name as long as a name may be can be written") {
  const temporary_folder folder;
  const auto path = folder.path / std::string(255, 'n');
  CHECK_NOTHROW(report::write_atomically(path, [](std::ostream& out) { out << "x"; }));
  CHECK(contents(path) == "x");
}
