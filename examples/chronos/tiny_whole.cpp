#include "groups.hpp"

std::vector<driver::menu_item> driver::tiny_whole() { return {whole<tiny>(), norm_tuning<tiny>()}; }
