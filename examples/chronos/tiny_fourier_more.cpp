#include "groups.hpp"

std::vector<driver::menu_item> driver::tiny_fourier_more() {
  return {fourier_ft<tiny, q_k_v_o, 50>("q,k,v,o"), fourier_ft_and_beft<tiny>()};
}
