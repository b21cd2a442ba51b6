#include "fmsb/space/hyper_parameters_json.hpp"

#include "support/property.hpp"
#include "unit/space/settings.hpp"

#include <string>  // std::string

#include "support/doctest.hpp"

using settings_for_tests::settings;
namespace space = fmsb::space;

namespace {

/// What from_json says of a valid object that was changed.
template <class Change>
std::string complaint(Change change) {
  nlohmann::json object = nlohmann::json::parse(space::to_json(settings{}).dump());
  change(object);
  try {
    space::from_json<settings>(object, "trial.json");
  } catch (const fmsb::data_error& error) { return error.what(); }
  return "no complaint";
}

}  // namespace

TEST_CASE("values pass through JSON text unchanged") {
  CHECK(fmsb::test::holds("from_json(parse(dump(to_json(s)))) == s", [](std::uint64_t seed) {
    const auto drawn = space::sample<settings>(seed, 0);
    const auto text = space::to_json(drawn).dump();
    RC_ASSERT(space::same_values(space::from_json<settings>(nlohmann::json::parse(text)), drawn));
  }));
}

TEST_CASE("JSON keeps the order of the declaration") {
  CHECK(space::to_json(settings{}).dump().starts_with(R"({"lr":)"));
  CHECK(space::to_json(settings{}).dump().ends_with(R"("schedule":"cosine","nesterov":true})"));
}

TEST_CASE("JSON that does not fit is refused in a sentence") {
  CHECK(complaint([](auto&) {}) == "no complaint");
  CHECK(complaint([](auto& object) { object["learning_rate"] = 0.1; }) ==
        "trial.json has the key \"learning_rate\", which is no hyper-parameter. The hyper-parameters are: "
        "lr, dropout, "
        "weight_decay, momentum, seed, schedule, nesterov.");
  CHECK(complaint([](auto& object) { object.erase("momentum"); }) ==
        "trial.json lacks the hyper-parameter \"momentum\". Give it a value from uniform(0.9, 1).");
  CHECK(complaint([](auto& object) { object["lr"] = 3; }) ==
        "trial.json gives \"lr\" the value 3, which does not belong to log_uniform(1e-05, 0.5).");
  CHECK(complaint([](auto& object) { object["lr"] = "0.1"; }) ==
        "trial.json gives \"lr\" the value \"0.1\", which does not belong to log_uniform(1e-05, 0.5).");
  CHECK(complaint([](auto& object) {
          object["seed"] = 2.5;
        }).starts_with("trial.json gives \"seed\" the value 2.5"));
  CHECK(complaint([](auto& object) { object["seed"] = 18446744073709551615u; }) ==
        "trial.json gives \"seed\" the value 18446744073709551615, which does not belong to "
        "uniform_integer(0, 499).");
  CHECK(complaint([](auto& object) { object["schedule"] = "linear"; }) ==
        "trial.json gives \"schedule\" the value \"linear\", which does not belong to choice(cosine, step).");
  CHECK(complaint([](auto& object) { object["nesterov"] = 1; }) ==
        "trial.json gives \"nesterov\" the value 1, which does not belong to choice(true, false).");
  CHECK(
      complaint([](auto& object) { object = 3; }).starts_with("trial.json must be an object like {\"lr\":"));
}
