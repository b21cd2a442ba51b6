#include "groups.hpp"

std::vector<driver::menu_item> driver::tiny_dora_vera() { return {dora<tiny>(), vera<tiny>()}; }
