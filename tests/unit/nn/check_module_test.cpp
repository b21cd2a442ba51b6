#include "fmsb/nn/check_module.hpp"  // check_module

#include "fmsb/adapt/lora.hpp"             // lora
#include "fmsb/models/autoregression.hpp"  // autoregression
#include "fmsb/nn/attention.hpp"           // multi_head_attention
#include "fmsb/nn/batch_norm.hpp"          // batch_norm
#include "fmsb/nn/composite.hpp"           // sequential
#include "fmsb/nn/conv.hpp"                // conv1d, conv2d
#include "fmsb/nn/dropout.hpp"             // dropout
#include "fmsb/nn/embedding.hpp"           // embedding
#include "fmsb/nn/layer_norm.hpp"          // layer_norm
#include "fmsb/nn/linear.hpp"              // linear
#include "fmsb/nn/operation.hpp"           // operation
#include "fmsb/nn/repeat.hpp"              // repeat
#include "fmsb/nn/rms_norm.hpp"            // rms_norm

#include <sstream>    // std::ostringstream
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

template <nn::conv_options Options>
using conv1 = nn::conv1d<4, 6, 3, Options>;
template <nn::conv_options Options>
using conv2 = nn::conv2d<4, 2, 3, Options>;
using nn::padding_mode;

template <class T, class... Inputs>
void require_sound(const nn::module<T>& m, const Inputs&... inputs) {
  const auto report = nn::check_module(m, inputs...);
  INFO(report);
  CHECK(report.sound());
}

/// All sentences in one.
template <class T, class... Inputs>
std::string complaint(const nn::module<T>& m, const Inputs&... inputs) {
  std::ostringstream text;
  text << nn::check_module(m, inputs...);
  return text.str();
}

/// Each of these layers breaks one promise.
struct square final : nn::operation {
  tensor forward(const tensor& x) {
    keep({x});
    return x * x;
  }
  std::vector<tensor> gradients(const tensor& gradient) override {
    return {gradient * kept<1>()[0] * 2.001};  // 2
  }
  static tensor of(const tensor& x) {
    return nn::apply_operation(nn::make_operation<square>(), {x},
                               [&](auto& node) { return node.forward(x); });
  }
};

struct one_weight : nn::layer {
  static constexpr index_t parameter_count = 3;
  tensor weight;
  void reset() override { weight = register_parameter("weight", nn::drawn_normal({3}, 1)); }
};

struct wrong_input_gradient : one_weight {
  tensor forward(const tensor& x) const { return square::of(x) * weight; }
};
struct wrong_weight_gradient : one_weight {
  tensor forward(const tensor& x) const { return x * square::of(weight); }
};
struct forgets_the_graph : one_weight {
  tensor forward(const tensor& x) const { return x * weight.detach(); }
};
struct leaves_the_graph : one_weight {
  tensor forward(const tensor& x) const { return (x * weight).detach(); }
};
struct unregistered_parameter : one_weight {
  tensor hidden;
  void reset() override {
    one_weight::reset();
    hidden = torch::ones({3}, torch::requires_grad());
  }
  tensor forward(const tensor& x) const { return x * weight + hidden; }
};
struct unregistered_draw : one_weight {
  tensor hidden;
  void reset() override {
    one_weight::reset();
    hidden = torch::randn({3});
  }
  tensor forward(const tensor& x) const { return x * weight + hidden; }
};
struct draws_in_eval : one_weight {
  tensor forward(const tensor& x) const { return at::dropout(x * weight, 0.5, true); }
};
struct counts_too_much : one_weight {
  static constexpr index_t parameter_count = 4;
  tensor forward(const tensor& x) const { return x * weight; }
};
struct freezes_more_than_it_says : one_weight {
  void reset() override {
    one_weight::reset();
    weight.set_requires_grad(false);
  }
  tensor forward(const tensor& x) const { return x * weight; }
};
struct remembers : one_weight {
  tensor seen;
  void reset() override {
    one_weight::reset();
    seen = register_buffer("seen", nn::filled({1}, 0));
  }
  tensor forward(const tensor& x) const {
    const torch::NoGradGuard no_gradient;
    seen.add_(1);
    return x * seen;
  }
};
struct changes_its_weight : one_weight {
  tensor forward(const tensor& x) const {
    const torch::NoGradGuard no_gradient;
    weight.mul_(0.5);
    return x.clone();
  }
};
struct counts_its_calls : one_weight {
  mutable int calls = 0;
  tensor forward(const tensor& x) const { return x * weight + ++calls; }
};
struct grows : one_weight {
  mutable index_t calls = 0;
  tensor forward(const tensor& x) const { return (x * weight).repeat({++calls, 1}); }
};
struct shorter_in_training : one_weight {
  tensor forward(const tensor& x) const { return is_training() ? (x * weight).narrow(0, 0, 1) : x * weight; }
};
struct fixes_its_type : one_weight {
  tensor forward(const tensor& x) const { return (x * weight).to(torch::kFloat); }
};
struct mixes_types : one_weight {
  tensor forward(const tensor& x) const { return at::linear(x, at::ones({2, 3}) * weight.to(torch::kFloat)); }
};
struct throws : one_weight {
  tensor forward(const tensor&) const { throw std::runtime_error("no such forward"); }
};
struct shares : one_weight {
  tensor table = torch::zeros({3});
  void reset() override {
    one_weight::reset();
    register_buffer("table", table);
  }
  tensor forward(const tensor& x) const { return x * weight + table; }
};

}  // namespace

TEST_CASE("every layer of the library is sound: dense layers and norms") {
  torch::manual_seed(1);
  const auto x = torch::randn({5, 4});
  require_sound(nn::module<nn::linear<4, 3>>(), x);
  require_sound(nn::module<nn::linear<4, 3, nn::bias_term::no>>(), torch::randn({2, 3, 4}));
  require_sound(nn::module<nn::linear<>>(nn::linear_extents{4, 3}), x);
  require_sound(nn::module<nn::layer_norm<4>>(), x);
  require_sound(nn::module<nn::layer_norm<4, {.bias = false}>>(), x);
  require_sound(nn::module<nn::layer_norm<4, {.affine = false}>>(), x);
  require_sound(nn::module<nn::layer_norm<>>(nn::norm_extents{4}), x);
  require_sound(nn::module<nn::rms_norm<4>>(), x);
  require_sound(nn::module<nn::rms_norm<>>(nn::norm_extents{4}), x);
  require_sound(nn::module<nn::batch_norm<1, 4>>(), x);
  require_sound(nn::module<nn::batch_norm<1>>(nn::norm_extents{4}), torch::randn({3, 4, 7}));
  require_sound(nn::module<nn::batch_norm<2, 4, {.affine = false}>>(), torch::randn({3, 4, 2, 5}));
  require_sound(nn::module<nn::dropout<0.3>>(), x);
  require_sound(nn::module<nn::dropout<>>(0.3), x);
  require_sound(nn::module<nn::embedding<7, 3>>(), torch::randint(0, 7, {2, 5}));
  require_sound(nn::module<nn::embedding<dynamic, dynamic, 2>>(nn::embedding_extents{7, 3}),
                torch::randint(3, 7, {2, 5}));  // the padding token's row gets no gradient
}

TEST_CASE("every layer of the library is sound: convolutions") {
  torch::manual_seed(2);
  const auto line = torch::randn({2, 4, 11}), image = torch::randn({2, 4, 7, 6});
  require_sound(nn::module<conv1<{}>>(), line);
  require_sound(nn::module<conv1<{.stride = 2, .dilation = 2, .groups = 2, .padding = 3}>>(), line);
  require_sound(nn::module<conv1<{.padding = nn::same, .mode = padding_mode::reflect}>>(), line);
  require_sound(
      nn::module<conv1<{.padding = 2, .mode = padding_mode::replicate, .bias = nn::bias_term::no}>>(), line);
  require_sound(nn::module<conv1<{.padding = 2, .mode = padding_mode::circular}>>(), line);
  require_sound(nn::module<nn::conv1d<dynamic, dynamic, 2, {.padding = nn::same}>>(nn::conv_extents{4, 3}),
                line);
  require_sound(nn::module<conv2<{.stride = 2, .groups = 2, .padding = 1}>>(), image);
  require_sound(nn::module<conv2<{.dilation = 2, .padding = nn::same, .mode = padding_mode::reflect}>>(),
                image);
  require_sound(nn::module<conv2<{.padding = 1, .mode = padding_mode::replicate}>>(), image);
  require_sound(nn::module<conv2<{.padding = 1, .mode = padding_mode::circular}>>(), image);
}

TEST_CASE("every layer of the library is sound: attention, adapters, models, trees") {
  torch::manual_seed(3);
  const auto tokens = torch::randn({2, 5, 6});
  require_sound(nn::module<nn::multi_head_attention<{.width = 6, .inner = 8, .heads = 2}>>(), tokens);
  require_sound(
      nn::module<nn::multi_head_attention<
          {.width = 6, .inner = 4, .heads = 2, .scaled = false, .bias = nn::bias_term::no, .dropout = 0.2},
          nn::unplanned, nn::rotary<>>>(),
      tokens);
  using adapt::lora;
  require_sound(nn::module<nn::with<nn::linear<6, 3>, lora<2>>>(), tokens);
  require_sound(nn::module<nn::with<nn::linear<6, 3>, lora<2, {.dropout = 0.2, .bias = true}>>>(), tokens);
  require_sound(nn::module<nn::with<conv1<{.dilation = 2, .groups = 2, .padding = nn::same}>, lora<2>>>(),
                torch::randn({2, 4, 9}));
  require_sound(
      nn::module<nn::with<conv2<{.groups = 2, .padding = 1, .mode = padding_mode::circular}>, lora<2>>>(),
      torch::randn({2, 4, 6, 5}));
  require_sound(nn::module<nn::with<nn::embedding<7, 3>, lora<2>>>(), torch::randint(0, 7, {2, 5}));
  require_sound(nn::module<models::autoregression<3, 1, 4>>(), torch::randn({2, 3, 9}, torch::kDouble));
  require_sound(
      nn::module<nn::sequential<nn::child<"0", conv1<{.padding = nn::same}>>,
                                nn::child<"1", nn::batch_norm<1, 6>>, nn::child<"2", nn::dropout<0.1>>>>(),
      torch::randn({2, 4, 9}));
}

TEST_CASE("the check leaves the module, its mode and the generator as they were") {
  torch::manual_seed(4);
  nn::module<nn::sequential<nn::child<"norm", nn::batch_norm<1, 3>>, nn::child<"drop", nn::dropout<0.5>>>> m;
  const auto before = m->clone();
  m->train();
  torch::manual_seed(5);
  const auto next = torch::rand({3});
  torch::manual_seed(5);
  CHECK(nn::check_module(m, torch::randn({0, 3})).failures.size() > 0);  // a batch of nothing has no variance
  torch::manual_seed(5);
  CHECK(nn::check_module(m, torch::ones({2, 3}).cumsum(0)).sound());
  CHECK(torch::rand({3}).equal(next));
  CHECK(m->is_training());
  for (const auto& item : before->named_buffers()) CHECK(item->equal(m->named_buffers()[item.key()]));
  for (const auto& item : m->named_parameters()) CHECK_FALSE(item->grad().defined());
}

TEST_CASE("a sound module is called sound, a broken one has a sentence for each break") {
  std::ostringstream text;
  text << nn::check_module(nn::module<nn::linear<2, 2>>(), torch::ones({1, 2}));
  CHECK(text.str() == "sound");
  CHECK(complaint(nn::module<counts_too_much>(), torch::ones({2, 3})).starts_with("- "));
}

TEST_CASE("a wrong gradient is caught, of an input and of a parameter, and by how much") {
  torch::manual_seed(6);
  const auto x = torch::randn({4, 3});
  const auto of_input = complaint(nn::module<wrong_input_gradient>(), x);
  CHECK(of_input.find("the gradient of input 1 is wrong in eval mode") != std::string::npos);
  CHECK(of_input.find("the gradient of input 1 is wrong in training mode") != std::string::npos);
  CHECK(of_input.find("the parameter") == std::string::npos);
  const auto of_weight = complaint(nn::module<wrong_weight_gradient>(), x);
  CHECK(of_weight.find("the gradient of the parameter \"weight\" is wrong") != std::string::npos);
  CHECK(of_weight.find("input 1") == std::string::npos);
  // An error of 5e-4 stands above a tolerance of 1e-5 and below one of 1e-2.
  CHECK(
      nn::check_module(nn::module<wrong_input_gradient>(), nn::check_options{.tolerance = 1e-2}, x).sound());
}

TEST_CASE("a gradient that does not arrive is caught") {
  torch::manual_seed(7);
  const auto x = torch::randn({4, 3});
  CHECK(complaint(nn::module<forgets_the_graph>(), x)
            .find("the gradient of the parameter \"weight\" is wrong") != std::string::npos);
  CHECK(complaint(nn::module<leaves_the_graph>(), x).find("forward leaves the graph") != std::string::npos);
}

TEST_CASE("a tensor that is not registered is caught") {
  torch::manual_seed(8);
  const auto x = torch::randn({4, 3});
  CHECK(complaint(nn::module<unregistered_parameter>(), x)
            .find("a tensor of shape [3] that requires a gradient and is not registered") !=
        std::string::npos);
  const auto draw = complaint(nn::module<unregistered_draw>(), x);
  CHECK(draw.find("a clone computes something else") != std::string::npos);
  CHECK(draw.find("loaded from its file computes something else") != std::string::npos);
}

TEST_CASE("what a pass must not do is caught: draw in eval, keep count, change numbers, grow") {
  torch::manual_seed(9);
  const auto x = torch::randn({4, 3});
  CHECK(complaint(nn::module<draws_in_eval>(), x).find("differ in eval mode") != std::string::npos);
  CHECK(complaint(nn::module<remembers>(), x).find("a pass in eval mode changes the buffer \"seen\"") !=
        std::string::npos);
  CHECK(complaint(nn::module<changes_its_weight>(), x)
            .find("a pass in training mode changes the parameter \"weight\"") != std::string::npos);
  CHECK(complaint(nn::module<counts_its_calls>(), x).find("differ in eval mode") != std::string::npos);
  CHECK(complaint(nn::module<grows>(), x).find("return the shapes [4, 3] and [8, 3]") != std::string::npos);
  CHECK(complaint(nn::module<shorter_in_training>(), x)
            .find("the shape of the output is [1, 3] in training mode and [4, 3] in eval mode") !=
        std::string::npos);
}

TEST_CASE("wrong counts are caught") {
  const auto x = torch::ones({4, 3});
  CHECK(complaint(nn::module<counts_too_much>(), x)
            .find("its type says parameter_count = 4, but 3 numbers are registered") != std::string::npos);
  CHECK(complaint(nn::module<freezes_more_than_it_says>(), x)
            .find("its type says trainable_parameter_count = 3, but 0 of the registered") !=
        std::string::npos);
}

TEST_CASE("a layer that fixes its number type is caught") {
  const auto x = torch::ones({4, 3});
  CHECK(
      complaint(nn::module<fixes_its_type>(), x).find("moved to double and given double, it returns Float") !=
      std::string::npos);
  CHECK(complaint(nn::module<mixes_types>(), x).find("moving it to double and back threw") !=
        std::string::npos);
}

TEST_CASE("clones that share a buffer are caught, and a layer that throws is a sentence") {
  const auto x = torch::ones({4, 3});
  CHECK(complaint(nn::module<shares>(), x).find("shares") != std::string::npos);
  CHECK(complaint(nn::module<throws>(), x).find("a pass in eval mode threw: no such forward") !=
        std::string::npos);
}
