#pragma once
#include "fmsb/core/number_text.hpp"    // number_text
#include "fmsb/nn/counts.hpp"           // dynamic
#include "fmsb/nn/generator_guard.hpp"  // generator_guard
#include "fmsb/nn/gradient_check.hpp"   // check_options, strange_leaves, worst_slope
#include "fmsb/nn/initialise.hpp"       // without_initialisation
#include "fmsb/nn/layer.hpp"            // shape_text
#include "fmsb/nn/tree.hpp"             // count_parameters

#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <cstddef>     // std::size_t
#include <exception>   // std::exception
#include <functional>  // std::function
#include <memory>      // std::shared_ptr
#include <ostream>     // std::ostream
#include <sstream>     // std::stringstream
#include <string>      // std::string
#include <utility>     // std::move, std::pair
#include <vector>      // std::vector

/// What `check_module` does, for a module whose type it need not know: compiled once, whatever is checked.
namespace fmsb::nn {

/// What `check_module` found.
struct check_report {
  std::vector<std::string> failures;  ///< a sentence each; none for a sound module
  bool sound() const { return failures.empty(); }
};

inline std::ostream& operator<<(std::ostream& stream, const check_report& report) {
  if (report.sound()) return stream << "sound";
  for (std::size_t i = 0; i < report.failures.size(); ++i)
    stream << (i == 0 ? "" : "\n") << "- " << report.failures[i];
  return stream;
}

namespace detail {

inline bool equal_tensors(const tensor& a, const tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.equal(b) || at::allclose(a, b, 0, 0, /*equal_nan=*/true));
}

inline std::string difference_text(const tensor& a, const tensor& b) {
  if (a.sizes() != b.sizes()) return "shapes " + shape_text(a) + " and " + shape_text(b);
  if (a.numel() == 0 || a.scalar_type() != b.scalar_type())
    return std::string("types ") + c10::toString(a.scalar_type()) + " and " + c10::toString(b.scalar_type());
  return "largest difference " +
         number_text((a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>());
}

/// The first line of a message: LibTorch's go on with a stack.
inline std::string first_line(const std::exception& problem) {
  const std::string text = problem.what();
  return text.substr(0, text.find('\n'));
}

/// The module, and what only its type knows.
struct checked_module {
  std::shared_ptr<torch::nn::Module> original;
  std::string type;  ///< its description
  index_t parameters = dynamic, trainable_parameters = dynamic;
  std::vector<tensor> inputs;
  std::vector<std::size_t> positions;  ///< of each among forward's arguments, from 1
  std::function<std::shared_ptr<torch::nn::Module>()>
      build;  ///< another one of the type, with numbers of its own
  std::function<tensor(torch::nn::Module&, const std::vector<tensor>&)> forward;
};

class module_check {
 public:
  module_check(checked_module checked, const check_options& options)
      : checked_(std::move(checked)), options_(options) {}

  check_report run() {
    const generator_guard keep_generator;
    attempt("counting its parameters", [&] { check_counts(); });
    attempt("cloning it", [&] { check_clone(); });
    attempt("a pass in eval mode", [&] { check_eval(); });
    attempt("a pass in training mode", [&] { check_training(); });
    attempt("saving and loading it", [&] { check_file(); });
    attempt("moving it to double and back", [&] { check_number_types(); });
    for (const bool training : {false, true})
      attempt(training ? "its gradient in training mode" : "its gradient in eval mode",
              [&] { check_gradient(training); });
    return report_;
  }

 private:
  using handle = std::shared_ptr<torch::nn::Module>;
  using tensors = std::vector<tensor>;

  void fail(const std::string& sentence) { report_.failures.push_back(checked_.type + ": " + sentence); }

  template <class Step>
  void attempt(const std::string& what, Step&& step) {
    try {
      at::manual_seed(options_.seed);
      step();
    } catch (const std::exception& problem) { fail(what + " threw: " + first_line(problem)); }
  }

  handle copy() const { return checked_.original->clone(); }

  /// The inputs in another number type (integers stay), detached.
  tensors converted(at::ScalarType type) const {
    tensors result;
    for (const auto& x : checked_.inputs)
      result.push_back(x.defined() && x.is_floating_point() ? x.detach().to(type) : x);
    return result;
  }

  tensor quietly(const handle& m, const tensors& inputs) const {
    const torch::NoGradGuard no_gradient;
    return checked_.forward(*m, inputs).clone();
  }
  tensor quietly(const handle& m) const { return quietly(m, checked_.inputs); }

  void check_counts() {
    const auto found = count_parameters(*checked_.original);
    const auto compare = [&](const char* name, index_t said, index_t registered, const char* what) {
      if (said != dynamic && said != registered)
        fail(std::string("its type says ") + name + " = " + std::to_string(said) + ", but " +
             std::to_string(registered) + " " + what + ". Correct the constant, or what reset() registers.");
    };
    compare("parameter_count", checked_.parameters, found.all, "numbers are registered as parameters");
    // A user may freeze and thaw at run time: the type speaks of a module as reset() leaves it.
    const without_initialisation none;
    const handle fresh = checked_.build();
    compare("trainable_parameter_count", checked_.trainable_parameters, count_parameters(*fresh).trainable,
            "of the registered numbers require a gradient");
  }

  void check_clone() {
    auto m = copy();
    auto twin = m->clone();
    m->eval();
    twin->eval();
    const auto y = quietly(m), z = quietly(twin);
    if (!equal_tensors(y, z))
      fail("a clone computes something else in eval mode (" + difference_text(y, z) +
           "). A tensor that forward reads is drawn anew by reset() and not registered, or forward draws.");
    const auto a = m->named_parameters(), b = twin->named_parameters();
    for (const auto& item : a)
      if (const auto* other = b.find(item.key()); other == nullptr || !equal_tensors(*item, *other) ||
                                                  item->requires_grad() != other->requires_grad())
        fail("the clone's parameter \"" + item.key() + "\" is not the original's.");
    for (const auto& item : a)
      for (const auto& other : b)
        if (item->numel() > 0 && item->data_ptr() == other->data_ptr())
          fail("the clone shares the parameter \"" + item.key() + "\" with the original.");
    const auto c = m->named_buffers(), d = twin->named_buffers();
    for (const auto& item : c)
      if (const auto* other = d.find(item.key()); other == nullptr || !equal_tensors(*item, *other))
        fail("the clone's buffer \"" + item.key() + "\" is not the original's.");
      else if (item->numel() > 0 && item->data_ptr() == other->data_ptr())
        fail("the clone shares the buffer \"" + item.key() + "\" with the original.");
    // Nothing done to the original may show in the clone.
    {
      const torch::NoGradGuard no_gradient;
      for (auto& p : m->parameters()) p.fill_(0.5);
      for (auto& p : m->buffers()) p.fill_(1);
    }
    if (!equal_tensors(z, quietly(twin)) && equal_tensors(y, z))
      fail("a clone changes when the original does: they share a tensor.");
  }

  void check_eval() {
    auto m = copy();
    m->eval();
    const auto before = m->clone();
    const auto y = quietly(m), z = quietly(m);  // the generator has moved in between
    if (y.sizes() != z.sizes())
      fail("two passes over the same input return the shapes " + shape_text(y) + " and " + shape_text(z) +
           ".");
    else if (!equal_tensors(y, z))
      fail("two passes over the same input differ in eval mode (" + difference_text(y, z) +
           "). A layer that draws must ask is_training().");
    require_same_state(*before, *m, "a pass in eval mode");
  }

  void check_training() {
    auto m = copy();
    m->train();
    auto twin = m->clone();
    const auto before = m->clone();
    at::manual_seed(options_.seed);
    const auto y = quietly(m);
    at::manual_seed(options_.seed);
    const auto z = quietly(twin);
    if (y.sizes() != z.sizes())
      fail("two passes over the same input return the shapes " + shape_text(y) + " and " + shape_text(z) +
           ".");
    else if (!equal_tensors(y, z))
      fail("under one seed two passes over the same input differ in training mode (" + difference_text(y, z) +
           "). Draw from LibTorch's generator only, and keep what a pass changes in buffers.");
    require_same_state(*before, *m, "a pass in training mode", /*buffers=*/false);
    auto eval = copy();
    eval->eval();
    if (const auto shape = quietly(eval); shape.sizes() != y.sizes())
      fail("the shape of the output is " + shape_text(y) + " in training mode and " + shape_text(shape) +
           " in eval mode.");
  }

  void require_same_state(const torch::nn::Module& before, const torch::nn::Module& after,
                          const std::string& what, bool buffers = true) {
    const auto compare = [&](const char* kind, const auto& a, const auto& b) {
      for (const auto& item : a)
        if (!equal_tensors(*item, b[item.key()]))
          fail(what + " changes the " + kind + " \"" + item.key() + "\".");
    };
    compare("parameter", before.named_parameters(), after.named_parameters());
    if (buffers) compare("buffer", before.named_buffers(), after.named_buffers());
  }

  void check_file() {
    auto m = copy();
    m->eval();
    at::manual_seed(options_.seed + 1);  // a tensor that the file does not hold comes out otherwise
    handle loaded = checked_.build();
    std::stringstream file;
    torch::save(m, file);
    torch::load(loaded, file);
    loaded->eval();
    require_same_state(*m, *loaded, "saving and loading");
    const auto y = quietly(m), z = quietly(loaded);
    if (!equal_tensors(y, z))
      fail("a module that was loaded from its file computes something else (" + difference_text(y, z) +
           "). A tensor that forward reads is not registered, or forward draws.");
  }

  void check_number_types() {
    auto m = copy();
    m->eval();
    const auto type = own_type();
    const auto before = m->clone();
    const auto y = quietly(m);
    m->to(at::kDouble);
    const auto wide = quietly(m, converted(at::kDouble));
    if (wide.is_floating_point() && wide.scalar_type() != at::kDouble)
      fail(std::string("moved to double and given double, it returns ") + c10::toString(wide.scalar_type()) +
           ". A tensor is not registered, or forward fixes a number type.");
    m->to(type);
    const auto compare = [&](const char* kind, const auto& a, const auto& b) {
      for (const auto& item : a)
        if (const auto* other = b.find(item.key()); other == nullptr || other->sizes() != item->sizes())
          fail(std::string("moving to double and back changes the shape of the ") + kind + " \"" +
               item.key() + "\".");
    };
    compare("parameter", before->named_parameters(), m->named_parameters());
    compare("buffer", before->named_buffers(), m->named_buffers());
    const auto z = quietly(m);
    if (!equal_tensors(y, z))
      fail("moving to double and back changes the output (" + difference_text(y, z) + ").");
  }

  /// The number type of the module, or of its inputs where it holds no floating-point number.
  at::ScalarType own_type() const {
    for (const auto& p : checked_.original->parameters())
      if (p.is_floating_point()) return p.scalar_type();
    at::ScalarType type = at::kFloat;
    for (const auto& x : checked_.inputs)
      if (x.defined() && x.is_floating_point()) type = x.scalar_type();
    return type;
  }

  void check_gradient(bool training) {
    auto m = copy();
    m->to(at::kDouble);
    m->train(training);
    auto inputs = converted(at::kDouble);
    std::vector<std::pair<std::string, tensor>> leaves;
    for (auto& item : m->named_parameters()) {
      if (!item->requires_grad() || !item->is_floating_point()) continue;
      const torch::NoGradGuard no_gradient;
      item->add_(at::randn(item->sizes(), item->options()), options_.disturbance);
      leaves.emplace_back("the parameter \"" + item.key() + "\"", *item);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].defined() || !inputs[i].is_floating_point()) continue;
      inputs[i] = inputs[i].clone().set_requires_grad(true);
      leaves.emplace_back("input " + std::to_string(checked_.positions[i]), inputs[i]);
    }

    const auto pass = [&] {
      at::manual_seed(options_.seed);               // the same draws at every point
      return checked_.forward(*m, inputs).clone();  // an identity returns its input
    };
    const auto y = pass();
    const std::string mode = training ? " in training mode" : " in eval mode";
    std::vector<tensor> known;
    for (const auto& leaf : leaves) known.push_back(leaf.second);
    for (const auto& strange : strange_leaves(y, known))
      fail("the output depends on a tensor of shape " + shape_text(strange) +
           " that requires a gradient and is not registered. Register it in reset().");
    if (!y.requires_grad()) {
      for (const auto& [name, leaf] : leaves)
        fail("no gradient reaches " + name + mode + ": forward leaves the graph.");
      return;
    }
    at::manual_seed(options_.seed + 2);
    const auto weights = at::randn(y.sizes(), y.options().requires_grad(false));
    const auto projected = [&](const tensor& output) { return (output * weights).sum(); };
    const auto gradients = torch::autograd::grad({projected(y)}, known, {}, /*retain_graph=*/false,
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    const double size = projected(y).abs().item<double>() + y.detach().norm().item<double>();

    const torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (known[i].numel() == 0) continue;
      const auto gradient = gradients[i].defined() ? gradients[i] : at::zeros_like(known[i]);
      const auto worst = worst_slope(
          known[i], gradient, size, options_, [&] { return pass(); }, projected);
      if (!(worst.error <= options_.tolerance))
        fail("the gradient of " + leaves[i].first + " is wrong" + mode +
             ": along a drawn direction backward says " + number_text(worst.said) +
             ", central differences say " + number_text(worst.found) + " (relative error " +
             number_text(worst.error) + ", tolerance " + number_text(options_.tolerance) + ").");
    }
  }

  checked_module checked_;
  check_options options_;
  check_report report_;
};

}  // namespace detail

}  // namespace fmsb::nn
