#include "groups.hpp"

std::vector<driver::menu_item> driver::nano_whole() {
  return {whole<nano>(), norm_tuning<nano>(), beft<nano>()};
}
