#include "generated.hpp"

#include "fmsb/core/random_bits.hpp"    // random_bits
#include "fmsb/report/atomic_file.hpp"  // write_atomically

#include <ostream>  // std::ostream
#include <string>   // std::string

void driver::write_generated_sequences(const std::filesystem::path& file, std::size_t count,
                                       std::uint64_t seed) {
  constexpr std::size_t kLength = 80, kWord = 6, kSpacing = 17;
  const std::string first = "TTGACA", second = "TATAAT";
  fmsb::random_bits bits(seed);
  fmsb::report::write_atomically(file, [&](std::ostream& out) {
    out << "sequence,label\n";
    for (std::size_t i = 0; i < count; ++i) {
      std::string text;
      for (std::size_t k = 0; k < kLength; ++k) text += "ACGT"[bits() % 4];
      const bool promoter = i % 2 == 0;
      const std::size_t near = 11 + bits() % 4, far = 20 + bits() % 4;
      const std::size_t spacing = promoter ? kSpacing : bits() % 2 == 0 ? near : far;
      const std::size_t at = 10 + bits() % 20;
      text.replace(at, kWord, first);
      text.replace(at + kWord + spacing, kWord, second);
      for (int mistakes = 0; mistakes < 2; ++mistakes)  // real promoters rarely have every letter
        text[(mistakes == 0 ? at : at + kWord + spacing) + bits() % kWord] = "ACGT"[bits() % 4];
      out << text << ',' << (promoter ? "promoter" : "decoy") << '\n';
    }
  });
}
