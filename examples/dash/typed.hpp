#pragma once
#include "fmsb/search/dash/architecture.hpp"  // stack_of, header_of
#include "fmsb/search/dash/mixed.hpp"         // mixed
#include "fmsb/search/dash/search.hpp"        // search
#include "fmsb/search/dash/trace_report.hpp"  // trace_figure, trace_json

#include "augment.hpp"     // augmentation_of
#include "classifier.hpp"  // trained
#include "family.hpp"

namespace driver {

/// @tparam Backbone  plain, with channels and classes left open
template <class Backbone, class Space>
class typed_family final : public family {
  using supernet = typename Backbone::template with<fmsb::dash::mixed<Space>>;
  using network = typename Backbone::template with<fmsb::models::points_at_run_time<Space>>;

 public:
  int axes() const override { return Backbone::spatial_axes; }
  std::size_t places() const override { return Backbone::slots.size(); }

  std::vector<std::string> points() const override { return fmsb::dash::point_texts<Space>(); }
  std::vector<std::pair<int, int>> kernels() const override {
    std::vector<std::pair<int, int>> all;
    for (std::size_t i = 0; i < Space::size; ++i)
      all.emplace_back(fmsb::space::get<"kernel">(Space::at(i)), fmsb::space::dilation_of(Space::at(i)));
    return all;
  }

  search_outcome search(const fmsb::data::train_examples& train,
                        const fmsb::data::validation_examples& validation,
                        const search_wishes& wanted) const override {
    auto of = wanted.released ? fmsb::dash::released_search() : fmsb::dash::search_options();
    of.epochs = wanted.epochs;
    of.batch = wanted.batch;
    of.share = wanted.share;
    of.rate = wanted.rate;
    of.arch_rate = wanted.arch_rate;
    of.last_temperature = wanted.last_temperature;
    of.field_penalty = wanted.field_penalty;
    if (wanted.alpha_from_validation) of.alpha = fmsb::dash::learned_from::held_out;
    of.label_smoothing = wanted.label_smoothing;
    of.candidates = wanted.candidates;
    of.change = augmentation_of(wanted.augment);
    of.balance = wanted.equal_classes ? fmsb::train::class_balance::equal : fmsb::train::class_balance::as_is;
    of.seed = wanted.seed;
    of.checkpoint = {.file = wanted.checkpoint, .every = wanted.checkpoint_every};
    of.log.file = wanted.log;
    of.progress = wanted.progress;
    auto found = fmsb::dash::search<supernet>(train, validation, of);
    search_outcome out{.points = std::move(found.points),
                       .shares = std::move(found.shares),
                       .candidates = {},
                       .training = std::move(found.training)};
    for (auto& one : found.candidates) out.candidates.emplace_back(std::move(one.points), one.loss);
    return out;
  }

  training_outcome train(const std::vector<std::size_t>& points, const fmsb::data::train_examples& train,
                         const fmsb::data::validation_examples& validation,
                         const fmsb::data::labelled_set& scored,
                         const training_wishes& wanted) const override {
    auto settings = fmsb::models::settings_for(train.members());
    settings.dropout = wanted.dropout;
    const auto make = [points, settings] {
      return points.empty() ? made<Backbone>(settings) : made<network>(points, settings);
    };
    return trained(classifier(make), Backbone::spatial_axes, train, validation, scored, wanted);
  }

  fmsb::report::convolution_stack stack(const std::vector<std::size_t>& points,
                                        std::size_t channels) const override {
    return fmsb::dash::stack_of<Backbone, Space>(points, {}, into(channels));
  }
  fmsb::report::architecture_header header(const std::vector<std::size_t>& points, std::size_t channels,
                                           std::string name,
                                           std::vector<std::string> provenance) const override {
    return fmsb::dash::header_of<Backbone, Space>(points, std::move(name), std::move(provenance),
                                                  into(channels));
  }
  fmsb::report::figure trace_figure(const fmsb::dash::trace& of) const override {
    return fmsb::dash::trace_figure<Backbone, Space>(of);
  }
  fmsb::report::figure entropy_figure(const fmsb::dash::trace& of) const override {
    return fmsb::dash::entropy_figure<Backbone>(of);
  }
  fmsb::report::json trace_json(const fmsb::dash::trace& of) const override {
    return fmsb::dash::trace_json<Backbone, Space>(of);
  }

 private:
  static fmsb::models::backbone_settings into(std::size_t channels) {
    return {.in = static_cast<fmsb::index_t>(channels)};
  }
};

}  // namespace driver
