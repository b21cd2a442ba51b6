#include "augment.hpp"

#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/train/augment.hpp"  // reverse_complements, mirrored, shifted, hidden

#include "wishes.hpp"  // require_augmentation

#include <charconv>      // std::from_chars
#include <system_error>  // std::errc

namespace {

using namespace fmsb;

/// The number behind `name=`; nothing where the word is another one.
template <class Number>
bool number_behind(const std::string& word, const std::string& name, Number& value) {
  if (!word.starts_with(name + "=")) return false;
  const char *from = word.data() + name.size() + 1, *end = word.data() + word.size();
  const auto [last, problem] = std::from_chars(from, end, value);
  return problem == std::errc() && last == end;
}

train::augmentation one(const std::string& word) {
  index_t most = 0;
  double rate = 0;
  if (word == "reverse-complement") return train::reverse_complements();
  if (word == "mirror") return train::mirrored();
  if (number_behind(word, "shift", most)) return train::shifted(most);
  if (number_behind(word, "hide", rate)) return train::hidden(rate);
  throw usage_error("--augment " + word +
                    ": give reverse-complement, mirror, shift=N (positions) or hide=X (a share).");
}

}  // namespace

train::augmentation driver::augmentation_of(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  std::vector<train::augmentation> all;
  for (const auto& word : words) all.push_back(one(word));
  return train::in_turn(std::move(all));
}

void driver::require_augmentation(const std::vector<std::string>& words,
                                  const std::vector<std::size_t>& shape) {
  std::vector<index_t> sizes{1};
  for (const auto extent : shape) sizes.push_back(static_cast<index_t>(extent));
  if (const auto change = augmentation_of(words)) change(at::zeros(sizes));
}
