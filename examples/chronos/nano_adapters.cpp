#include "groups.hpp"

std::vector<driver::menu_item> driver::nano_adapters() {
  return {fourier_ft<nano, q_v, 100>("q,v"), lora<nano, q_v, 2>("q,v"), fourier_ft_and_beft<nano>()};
}
