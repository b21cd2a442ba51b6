#pragma once
#include "fmsb/nn/module.hpp"  // layer, module

#include "family.hpp"  // training_outcome, training_wishes

#include <functional>  // std::function
#include <memory>      // std::shared_ptr

namespace driver {

using fmsb::tensor;

/// A network without its type: training is compiled once, not once for every entry of the menu.
class classifier : public fmsb::nn::layer {
 public:
  struct network {
    std::shared_ptr<torch::nn::Module> held{};
    std::function<tensor(const tensor&)> run{};
  };

  explicit classifier(std::function<network()> make) : make_(std::move(make)) {}

  void reset() override {
    made_ = make_();
    register_module("network", made_.held);
  }
  tensor forward(const tensor& x) const { return made_.run(x); }
  const std::function<network()>& maker() const { return make_; }
  const torch::nn::Module& inner() const { return *made_.held; }
  std::string describe() const override { return "classifier"; }

 private:
  std::function<network()> make_;
  network made_;
};

template <class Net, class... Arguments>
classifier::network made(const Arguments&... given) {
  fmsb::nn::module<Net> net(given...);
  return {net.ptr(), [net](const tensor& x) mutable { return net->forward(x); }};
}

/// @param axes  of the network's convolutions, for the released schedule
training_outcome trained(const classifier& of, int axes, const fmsb::data::train_examples& train,
                         const fmsb::data::validation_examples& validation,
                         const fmsb::data::labelled_set& scored, const training_wishes& wanted);

}  // namespace driver
