#include "groups.hpp"

std::vector<driver::menu_item> driver::tiny_lora() {
  return {lora<tiny, q_v, 2>("q,v"), lora<tiny, q_v, 8>("q,v"), lora<tiny, q_k_v_o, 2>("q,k,v,o")};
}
