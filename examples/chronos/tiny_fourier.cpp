#include "groups.hpp"

std::vector<driver::menu_item> driver::tiny_fourier() {
  return {fourier_ft<tiny, q_v, 100>("q,v"), fourier_ft<tiny, q_v, 50>("q,v"),
          fourier_ft<tiny, q_v, 1000>("q,v")};
}
