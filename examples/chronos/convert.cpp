#include "menu.hpp"     // open_adapted
#include "options.hpp"  // merge_options

namespace driver {

std::string merge(const merge_options& wanted) {
  open_adapted(wanted.model, wanted.adapter)->save(wanted.out);
  return wanted.out.string() + ": " + wanted.model.string() + " with " + wanted.adapter.string() +
         " in its weights; a Hugging Face folder without adapters\n";
}

std::string export_adapter(const merge_options& wanted) {
  const auto& item = item_of(wanted.model, wanted.adapter);
  open_adapted(wanted.model, wanted.adapter)->save_adapter(wanted.out, wanted.model.string());
  return wanted.out.string() + ": " + item.adapter + " on " + item.on + " in the format of Python's peft\n";
}

}  // namespace driver
