#pragma once
#include "fmsb/nn/layer.hpp"  // layer

#include "menu.hpp"  // menu_item

#include <memory>   // std::shared_ptr
#include <utility>  // std::move

namespace driver {

using fmsb::tensor;

/// The next tokens' logits, step by step.
struct token_steps {
  virtual ~token_steps() = default;
  virtual tensor step(const tensor& tokens) = 0;
};

/// What depends on the type of a model, and no more: all else is compiled once, on `any_model`.
struct typed {
  virtual ~typed() = default;
  virtual std::shared_ptr<torch::nn::Module> module() const = 0;
  virtual std::string describe() const = 0;
  virtual tensor encode(const tensor& ids, const tensor& mask) const = 0;
  virtual std::unique_ptr<token_steps> start(const tensor& encoded, const tensor& mask,
                                             fmsb::index_t samples) const = 0;
  virtual tensor loss(const tensor& ids, const tensor& mask, const tensor& labels) const = 0;
  virtual void save(const fmsb::chronos::config& c, const std::filesystem::path& folder) const = 0;
  virtual void save_adapter(const std::filesystem::path& folder, const std::string& base,
                            const std::string& method) const = 0;
  virtual void load_adapter(const std::filesystem::path& folder, const std::string& method) = 0;
};

/// A layer that is any of them.
class any_model : public fmsb::nn::layer {
 public:
  struct steps {
    std::unique_ptr<token_steps> next;
    tensor step(const tensor& tokens) { return next->step(tokens); }
  };

  explicit any_model(std::shared_ptr<typed> of) : typed_(std::move(of)) {}
  void reset() override { register_module("model", typed_->module()); }
  std::string describe() const override { return typed_->describe(); }

  typed& own() const { return *typed_; }
  tensor encode(const tensor& ids, const tensor& mask) const { return typed_->encode(ids, mask); }
  steps start(const tensor& encoded, const tensor& mask, fmsb::index_t samples) const {
    return {typed_->start(encoded, mask, samples)};
  }
  tensor loss(const tensor& ids, const tensor& mask, const tensor& labels) const {
    return typed_->loss(ids, mask, labels);
  }

 private:
  std::shared_ptr<typed> typed_;
};

/// A network of such a model. @param methods  what peft calls its adapters
std::unique_ptr<network> network_of(std::shared_ptr<typed> model, const fmsb::chronos::config& tokens,
                                    std::vector<std::string> methods);

}  // namespace driver
