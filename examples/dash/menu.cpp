#include "menu.hpp"

#include "fmsb/core/error.hpp"    // usage_error
#include "fmsb/report/table.hpp"  // table

namespace driver {

namespace {

using namespace fmsb;

constexpr const char* kGenomics = "3,5,7,9,11 x 1,3,5,7";
constexpr const char* kImages = "3,5,7,9 x 1,3,7,15";
constexpr const char* kSmall = "3,5,7 x 1,3";
constexpr std::size_t kHalvedFourTimes = 16;

/// The first that fits is what is taken where nobody chooses.
const std::vector<menu_item>& sequence_menu() {
  static const std::vector<menu_item> all{
      {"wrn", "genomics", 9, 16, kGenomics, &sequences_wrn_16},
      {"wrn", "genomics", 9, 64, kGenomics, &sequences_wrn_64},
      {"unet", "genomics", 18, 16, kGenomics, &sequences_unet_16, kHalvedFourTimes},
  };
  return all;
}
const std::vector<menu_item>& image_menu() {
  static const std::vector<menu_item> all{
      {"wrn", "small", 10, 16, kSmall, &images_small_10},
      {"wrn", "images", 16, 16, kImages, &images_16},
      {"unet", "small", 18, 25, kSmall, &images_unet_25, kHalvedFourTimes},
  };
  return all;
}

std::string text(const std::vector<std::pair<std::string, const std::vector<menu_item>*>>& menus) {
  report::table table({"--task", "--backbone", "--space", "--depth", "--width", "kernels x dilations"});
  for (const auto& [task, items] : menus)
    for (const auto& item : *items)
      table.add({task, item.backbone, item.space, std::to_string(item.depth), std::to_string(item.width),
                 item.values});
  return table.text();
}

}  // namespace

void require_positions(const menu_item& network, const std::vector<std::size_t>& shape) {
  for (std::size_t axis = 1; axis < shape.size(); ++axis)
    if (shape[axis] < network.least)
      throw usage_error("--backbone " + network.backbone + " takes examples of at least " +
                        std::to_string(network.least) + " positions along each axis; these have " +
                        std::to_string(shape[axis]) + ". Give --backbone wrn.");
}

std::string menu_text() { return text({{"genomics", &sequence_menu()}, {"images, arrays", &image_menu()}}); }

const menu_item& choose(const std::string& task, const network_choice& wanted) {
  const bool genomics = task == "genomics";
  const auto& items = genomics ? sequence_menu() : image_menu();
  // Arrays are a few numbers wide: the far taps of a larger space would see nothing but zeros.
  const std::string space = wanted.space.empty() && task == "arrays" ? "small" : wanted.space;
  for (const auto& item : items)
    if (item.backbone == wanted.backbone && (space.empty() || item.space == space) &&
        (wanted.width == 0 || item.width == wanted.width) &&
        (wanted.depth == 0 || item.depth == wanted.depth))
      return item;
  std::string asked = "--backbone " + wanted.backbone;
  if (!space.empty()) asked += " --space " + space;
  if (wanted.depth > 0) asked += " --depth " + std::to_string(wanted.depth);
  if (wanted.width > 0) asked += " --width " + std::to_string(wanted.width);
  throw usage_error(asked + " is not compiled in for --task " + task + ". There are:\n" +
                    text({{task, &items}}) + "Another one is a file and a line in examples/dash.");
}

}  // namespace driver
