#include "groups.hpp"

std::vector<driver::menu_item> driver::tiny_vectors() { return {beft<tiny>(), ia3<tiny>()}; }
