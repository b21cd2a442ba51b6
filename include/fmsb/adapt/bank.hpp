#pragma once
#include "fmsb/adapt/adapted.hpp"  // adapted, is_adapted, linear_map
#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/nn/module.hpp"      // concrete

#include <cstddef>  // std::size_t
#include <memory>   // std::make_shared, std::shared_ptr
#include <string>   // std::string
#include <utility>  // std::pair
#include <vector>   // std::vector

namespace fmsb::adapt {

/// The weights by which a bank combines its adapters: `{{"vitals", 0.7}, {"labs", 0.3}}`.
using mixture = std::vector<std::pair<std::string, double>>;

/// A bank as a program sees it that does not know the layer's type; `for_each_bank` finds those of a model.
class any_bank {
 public:
  /// Puts in a new adapter, at its start, and leaves what is active as it is.
  /// @throws usage_error if the name is taken, empty or holds a dot
  virtual void add(const std::string& name) = 0;
  /// Runs the base with this adapter alone.
  /// @throws usage_error naming those that there are
  void activate(const std::string& name) { activate(mixture{{name, 1.0}}); }
  /// Runs the base with the weighted sum of these adapters; of none with `{}`. Only what is active trains.
  /// @throws usage_error naming those that there are, or if a name stands twice
  virtual void activate(const mixture& weights) = 0;
  /// Takes an adapter out; it is active no more.
  /// @throws usage_error naming those that there are
  virtual void remove(const std::string& name) = 0;
  /// In the order in which they came.
  virtual std::vector<std::string> names() const = 0;
  virtual const mixture& active() const = 0;

 protected:
  ~any_bank() = default;
};

namespace detail {

/// A reference to the layer that owns something. A copy of the thing made for another owner must not come to
/// refer to this one, so assignment leaves it alone.
template <class Owner>
struct owner_link {
  const Owner* at = nullptr;
  owner_link() = default;
  explicit owner_link(const Owner* owner) : at(owner) {}
  owner_link(const owner_link&) = default;
  owner_link& operator=(const owner_link&) { return *this; }
};

/// A layer that registers nothing: its weight and bias are another's, whose handles it shares.
template <nn::layer_type Base>
class borrowed : public Base {
 public:
  explicit borrowed(owner_link<Base> owner) : Base(*owner.at), owner_(owner) {}
  void reset() override {
    this->weight = owner_.at->weight;
    this->bias = owner_.at->bias;
  }

 private:
  owner_link<Base> owner_;
};

/// The adapters of a bank by name: a module, so that their parameters are "<name>.lora_A".
template <class Adapter, nn::layer_type Base>
class shelf : public nn::layer {
 public:
  using entry = typename Adapter::template on<borrowed<Base>>;

  explicit shelf(owner_link<Base> owner) : owner_(owner) {}

  void reset() override {
    entries_.clear();
    for (const auto& name : names_) build(name);
  }
  void add(const std::string& name) {
    build(name);
    names_.push_back(name);
  }
  void remove(std::size_t i) {
    this->unregister_module(names_[i]);
    names_.erase(names_.begin() + static_cast<std::ptrdiff_t>(i));
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  const std::vector<std::string>& names() const { return names_; }
  const entry& operator[](std::size_t i) const { return *entries_[i]; }
  entry& operator[](std::size_t i) { return *entries_[i]; }

  std::string describe() const override {
    std::string list;
    for (const auto& name : names_) list += (list.empty() ? "" : ", ") + name;
    return "shelf(" + list + ")";
  }

 private:
  void build(const std::string& name) {
    auto made = nn::detail::build_as(entry(owner_));
    for (auto& p : made->parameters()) p.set_data(p.to(owner_.at->weight.options()));
    made->train(this->is_training());
    entries_.push_back(this->register_module(name, std::move(made)));
  }

  owner_link<Base> owner_;
  std::vector<std::string> names_;
  std::vector<std::shared_ptr<nn::concrete<entry>>> entries_;
};

}  // namespace detail

/// Several adapters of one kind on one base, switched by name while the program runs; the base is there once.
///
/// With the weights w of the active adapters and what each adds to the layer, y = forward(x) + sum w_i
/// delta_i(x): one adapter at weight 1 is that adapter, and costs what it costs; a sum costs a pass of the
/// base for each. A combination merges as it runs.
///
/// Registers the adapters' parameters under "bank.<name>.", as "bank.vitals.lora_A". A file holds the
/// adapters and is loaded into a bank with the same names; which are active is no part of it.
///
/// @tparam Adapter  an adapter of linear or convolution layers, such as lora<8>
template <class Adapter>
struct bank {
  static constexpr bool adds_bias = detail::adds_bias<Adapter>;
  static std::string describe() { return "bank"; }
  template <class Base>  // a layer: clang 19 takes no constraint here, where the class follows outside
  class on;
};

/// The layer with its bank, empty when it is built.
template <class Adapter>
template <class Base>
class bank<Adapter>::on : public adapted<Base, dynamic>, public any_bank {
  static_assert(
      linear_map<Base> && !is_adapted<Base>,
      "fmsb::adapt::bank stands directly on a linear or convolution layer; other adapters may follow "
      "it: nn::with<layer, adapt::bank<adapter>, others...>");
  using shelf = detail::shelf<Adapter, Base>;

 public:
  using adapter = bank;
  using parent = adapted<Base, dynamic>;
  using plain = nn::plain_of<typename Adapter::template on<Base>>;
  using parent::parent;

  void reset() override {
    parent::reset();
    shelf_ = this->register_module("bank", nn::detail::build_as(shelf(link())));
  }

  using any_bank::activate;

  void add(const std::string& name) override {
    if (name.empty() || name.find('.') != name.npos)
      throw usage_error("fmsb::adapt::bank: an adapter cannot be called \"" + name +
                        "\": a name has at least one character and no dot.");
    if (position_of(name) < shelf_->names().size())
      throw usage_error("fmsb::adapt::bank: there is an adapter \"" + name +
                        "\" already. Take another name, or remove it first.");
    shelf_->add(name);
    train_active();
  }

  void activate(const mixture& weights) override {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      require(weights[i].first);
      for (std::size_t j = 0; j < i; ++j)
        if (weights[i].first == weights[j].first)
          throw usage_error("fmsb::adapt::bank: \"" + weights[i].first +
                            "\" stands twice in a combination. Add its weights.");
    }
    active_ = weights;
    train_active();
  }

  void remove(const std::string& name) override {
    shelf_->remove(require(name));
    std::erase_if(active_, [&](const auto& item) { return item.first == name; });
  }

  std::vector<std::string> names() const override { return shelf_->names(); }
  const mixture& active() const override { return active_; }

  /// One of the adapters, on the shared base, active or not.
  /// @throws usage_error naming those that there are
  auto& named(const std::string& name) { return (*shelf_)[require(name)]; }
  const auto& named(const std::string& name) const { return held()[require(name)]; }

  tensor forward(const tensor& x) const {
    if (active_.size() == 1 && active_[0].second == 1) return named(active_[0].first).forward(x);
    const auto base = Base::forward(x);
    auto y = base;
    for (const auto& [name, share] : active_) y = y + (named(name).forward(x) - base) * share;
    return y;
  }

  tensor effective_weight() const {
    const auto base = Base::effective_weight();
    auto sum = base;
    for (const auto& [name, share] : active_) sum = sum + (named(name).effective_weight() - base) * share;
    return sum;
  }
  tensor effective_bias() const {
    const auto base = Base::effective_bias();
    auto sum = base;
    for (const auto& [name, share] : active_) {
      const auto own = named(name).effective_bias();
      if (!own.defined()) continue;
      const auto added = (base.defined() ? own - base : own) * share;
      sum = sum.defined() ? sum + added : added;
    }
    return sum;
  }

  std::string describe() const override {
    return Base::describe() + " + bank of " + Adapter::describe() + (shelf_ ? " " + held().describe() : "");
  }

 private:
  detail::owner_link<Base> link() const { return detail::owner_link<Base>(this); }
  const shelf& held() const { return *shelf_; }

  std::size_t position_of(const std::string& name) const {
    const auto& all = held().names();
    std::size_t i = 0;
    while (i < all.size() && all[i] != name) ++i;
    return i;
  }
  std::size_t require(const std::string& name) const {
    const auto i = position_of(name);
    if (i < held().names().size()) return i;
    std::string list;
    for (const auto& other : held().names()) list += (list.empty() ? "\"" : ", \"") + other + "\"";
    throw usage_error("fmsb::adapt::bank: there is no adapter \"" + name + "\" here; " +
                      (list.empty() ? std::string("there are none") : "there are " + list) +
                      ". Add it with add(name).");
  }
  void train_active() {
    for (const auto& name : held().names()) {
      bool runs = false;
      for (const auto& item : active_) runs = runs || item.first == name;
      for (auto& p : named(name).parameters()) p.requires_grad_(runs);
    }
  }

  std::shared_ptr<nn::concrete<shelf>> shelf_;
  mixture active_;
};

/// Calls `visit(bank)` for every bank of a module, in the order of its children: to add an adapter to a whole
/// model, or to activate one.
///
///     adapt::for_each_bank(*model, [](adapt::any_bank& b) { b.add("vitals"); });
template <class Visit>
void for_each_bank(torch::nn::Module& module, Visit&& visit) {
  for (const auto& part : module.modules())
    if (auto* found = dynamic_cast<any_bank*>(part.get())) visit(*found);
}

}  // namespace fmsb::adapt
