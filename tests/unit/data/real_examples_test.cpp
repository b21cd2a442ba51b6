#include "fmsb/data/channel_scale.hpp"
#include "fmsb/data/duplicates.hpp"
#include "fmsb/data/fasta.hpp"
#include "fmsb/data/idx.hpp"
#include "fmsb/data/image_arrays.hpp"
#include "fmsb/data/one_hot.hpp"
#include "fmsb/data/sequence_csv.hpp"
#include "fmsb/data/splice.hpp"
#include "fmsb/data/statlog.hpp"

#include "support/data.hpp"

#include <cmath>     // std::abs
#include <optional>  // std::optional

#include "support/doctest.hpp"

namespace data = fmsb::data;

namespace {

using counts = std::vector<std::size_t>;

std::optional<std::filesystem::path> look_for(const std::string& name) {
  auto path = fmsb::test::data_file(name);
  if (!path) fmsb::test::skip(name + " is not in the data folder");
  return path;
}

/// The enhancers of a part: strong, weak, none.
data::sequences enhancers(const std::filesystem::path& folder, const std::string& part) {
  return data::read_fasta_classes({{"strong", folder / (part + "_strong_enhancers.fa")},
                                   {"weak", folder / (part + "_weak_enhancers.fa")},
                                   {"none", folder / (part + "_nonenhancers.fa")}});
}

}  // namespace

TEST_CASE("the TATA promoters have six test rows that stand in train") {
  const auto folder = look_for("genomics/prom_300_tata");
  if (!folder) return;
  const auto train = data::read_sequence_csv(*folder / "train.csv");
  const auto validation = data::read_sequence_csv(*folder / "dev.csv", {.classes = train.classes()});
  const auto test = data::read_sequence_csv(*folder / "test.csv", {.classes = train.classes()});
  CHECK(train.counts() == counts{2460, 2444});
  CHECK(validation.counts() == counts{290, 323});
  CHECK(test.counts() == counts{315, 298});
  CHECK(train.shortest() == 300);
  CHECK(train.longest() == 300);
  CHECK(data::duplicates(test, train).size() == 6);
  CHECK(data::duplicates(validation, train).size() == 14);
  CHECK(data::duplicates(test, validation).empty());
  const data::train_examples encoded(data::one_hot(train));
  CHECK(encoded.members().shape() == counts{5, 300});
  const auto clean = data::without_duplicates(data::test_examples(data::one_hot(test)), encoded);
  CHECK(clean.size() == 607);
}

TEST_CASE("all strong test enhancers are copies of training rows, 30 of them only up to case") {
  const auto folder = look_for("genomics/enhancers");
  if (!folder) return;
  const auto train = enhancers(*folder, "train"), test = enhancers(*folder, "test");
  CHECK(train.counts() == counts{742, 742, 1484});
  CHECK(test.counts() == counts{100, 100, 200});
  CHECK(test.shortest() == 200);
  CHECK(test.longest() == 200);
  const auto copies = data::duplicates(test, train);
  CHECK(copies.size() == 100);
  for (const auto& one : copies) CHECK(test[one.copy].label == 0);
  CHECK(data::duplicates(test, train, data::letter_case::matters).size() == 70);
  const auto clean = data::without_duplicates(test, train);
  CHECK(clean.counts() == counts{0, 100, 200});
  // Encoded, case is gone: the arrays find the same copies as the texts.
  CHECK(data::duplicates(data::one_hot(test), data::one_hot(train)) == copies);
}

TEST_CASE("the splice junctions hold four ambiguous letters") {
  const auto path = look_for("genomics/splice.data");
  if (!path) return;
  const auto all = data::read_splice(*path);
  CHECK(all.counts() == counts{767, 768, 1655});
  CHECK(all.shortest() == 60);
  CHECK(all.longest() == 60);
  const auto encoded = data::one_hot_counted(all);
  CHECK(encoded.letters == 3190 * 60);
  CHECK(encoded.any == 56);
  CHECK(encoded.ambiguous == 4);
  CHECK(data::duplicates(all).size() == 185);
}

TEST_CASE("RSSCN7 is read in halves of 200 images a class") {
  const auto path = look_for("satellite/rsscn7_64.safetensors");
  if (!path) return;
  const auto parts = data::read_image_splits(*path);
  CHECK(parts.train.members().shape() == counts{3, 64, 64});
  CHECK(parts.train.members().counts() == counts(7, 200));
  CHECK(parts.test.members().counts() == counts(7, 200));
  CHECK(parts.test.members().classes()[3] == "dRiverLake");
  CHECK(data::duplicates(parts.test.members(), parts.train.members()).empty());
}

TEST_CASE("Statlog's header is passed over, and neighbouring pixels are alike band by band") {
  const auto train = look_for("satellite/sat.trn"), test = look_for("satellite/sat.tst");
  if (!train || !test) return;
  const auto parts = data::read_statlog_splits(*train, *test);
  CHECK(parts.train.members().counts() == counts{1072, 479, 961, 415, 470, 1038});
  CHECK(parts.test.members().counts() == counts{461, 224, 397, 211, 237, 470});
  // In any other order of the 36 numbers, values beside each other would be of different bands.
  const auto scaled = data::standardised(parts).train.members();
  double along = 0, across = 0;
  for (std::size_t i = 0; i < scaled.size(); ++i)
    for (std::size_t band = 0; band < 4; ++band) {
      const auto x = scaled.values(i);
      along += static_cast<double>(std::abs(x[band * 9 + 4] - x[band * 9 + 5]));
      across += static_cast<double>(std::abs(x[band * 9 + 4] - x[(band + 1) % 4 * 9 + 4]));
    }
  CHECK(along < across / 2);
  // The second neighbourhood lies one pixel to the right of the first.
  for (std::size_t band = 0; band < 4; ++band)
    for (std::size_t row = 0; row < 3; ++row)
      CHECK(parts.train.members().values(1)[band * 9 + row * 3] ==
            parts.train.members().values(0)[band * 9 + row * 3 + 1]);
}

TEST_CASE("Fashion-MNIST is read where its package is installed") {
  const std::filesystem::path folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder))
    return fmsb::test::skip("Debian's dataset-fashion-mnist is not installed");
  const auto parts = data::read_idx_folder(folder, {.classes = data::fashion_mnist_classes()});
  CHECK(parts.train.members().shape() == counts{1, 28, 28});
  CHECK(parts.train.members().counts() == counts(10, 6000));
  CHECK(parts.test.members().counts() == counts(10, 1000));
  // The mean and deviation that its users know.
  const auto scale = data::channel_scale::fit(parts.train);
  CHECK(std::abs(scale.mean[0] - 0.2860) < 5e-5);
  CHECK(std::abs(scale.deviation[0] - 0.3530) < 5e-5);
  const auto [kept, taken] = data::hold_out(parts.train, 0.1, 1);
  CHECK(taken.members().counts() == counts(10, 600));
}
