#include "fmsb/report/plot.hpp"          // draw
#include "fmsb/report/write_header.hpp"  // header_text

#include "options.hpp"     // show_command
#include "run_folder.hpp"  // open_run, found_points
#include "scores.hpp"      // table_of

#include <fstream>   // std::ifstream
#include <iterator>  // std::istreambuf_iterator

std::string driver::show(const show_command& wanted) {
  const auto run = open_run(wanted.run);
  const auto points = found_points(run);
  const auto& network = choose(run.search.data.task, run.search.network).get();
  const auto channels = run.report.at("data").at("shape").at(0).get<std::size_t>();
  const auto stack = network.stack(points, channels);
  const auto drawing = run.folder / "architecture.svg";
  fmsb::report::draw(fmsb::report::stack_figure(stack), drawing);
  std::ifstream header(run.folder / "found.hpp");  // as it was written, with what it says of its origin
  std::string text((std::istreambuf_iterator<char>(header)), std::istreambuf_iterator<char>());
  if (text.empty()) text = fmsb::report::header_text(network.header(points, channels, "network", {}));
  const auto scores = table_of(run.report);
  return fmsb::report::stack_table(stack).text() + "\n" + (scores.empty() ? "" : scores + "\n") + text +
         "\nwritten: " + drawing.string() + "\n";
}
