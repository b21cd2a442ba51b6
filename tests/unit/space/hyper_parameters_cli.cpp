#include "fmsb/space/hyper_parameters_cli.hpp"

#include "unit/space/settings.hpp"

#include <string>  // std::string
#include <vector>  // std::vector

#include "support/doctest.hpp"

using settings_for_tests::settings;
namespace space = fmsb::space;

namespace {

settings parsed(std::vector<std::string> arguments) {
  CLI::App app;
  settings into;
  space::add_options(app, into);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
  app.parse(reversed);
  return into;
}

std::string complaint(std::vector<std::string> arguments) {
  try {
    parsed(std::move(arguments));
  } catch (const CLI::ParseError& error) { return error.what(); }
  return "no complaint";
}

}  // namespace

TEST_CASE("options set the members that they name, the others keep their values") {
  const settings set =
      parsed({"--weight-decay", "1e-3", "--schedule=step", "--nesterov", "false", "--seed", "7"});
  CHECK(set.weight_decay == 1e-3);
  CHECK(set.schedule == "step");
  CHECK(set.nesterov == false);
  CHECK(set.seed == 7);
  CHECK(set.momentum == settings{}.momentum);
}

TEST_CASE("an option outside of its distribution is refused in a sentence") {
  CHECK(complaint({"--lr", "7"}) == "--lr: the value \"7\" does not belong to log_uniform(1e-05, 0.5).");
  CHECK(complaint({"--lr", "0.1x"}) ==
        "--lr: the value \"0.1x\" does not belong to log_uniform(1e-05, 0.5).");
  CHECK(complaint({"--seed", "2.5"}) ==
        "--seed: the value \"2.5\" does not belong to uniform_integer(0, 499).");
  CHECK(complaint({"--schedule", "linear"}) ==
        "--schedule: the value \"linear\" does not belong to choice(cosine, step).");
  CHECK(complaint({"--nesterov", "1"}) ==
        "--nesterov: the value \"1\" does not belong to choice(true, false).");
  CHECK(complaint({"--learning-rate", "1"}) != "no complaint");
}

TEST_CASE("help shows each distribution and the present value") {
  CLI::App app;
  settings into;
  into.lr = 0.125;
  space::add_options(app, into);
  const std::string help = app.help();
  CHECK(help.find("--lr=0.125") != std::string::npos);
  CHECK(help.find("log_uniform(5e-07, 0.005)") != std::string::npos);
}
