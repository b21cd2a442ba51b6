#pragma once
#include <c10/core/Allocator.h>     // c10::Allocator, c10::DataPtr
#include <c10/core/CPUAllocator.h>  // c10::GetCPUAllocator, c10::SetCPUAllocator

#include <atomic>   // std::atomic
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint8_t
#include <memory>   // std::make_shared, std::shared_ptr
#include <utility>  // std::move

namespace fmsb::test {

/// Counts, while it lives, the bytes of tensors on the CPU that were allocated since and are not yet freed.
class live_memory final : public c10::Allocator {
 public:
  live_memory() : below_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, kPriority); }
  ~live_memory() override { c10::SetCPUAllocator(below_, kPriority); }
  live_memory(const live_memory&) = delete;
  live_memory& operator=(const live_memory&) = delete;

  std::size_t bytes() const { return *live_; }

  c10::DataPtr allocate(std::size_t count) override {
    auto memory = below_->allocate(count);
    void* const at = memory.get();
    const auto device = memory.device();
    *live_ += count;
    return {at, new piece{std::move(memory), count, live_}, &release, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, std::size_t count) const override {
    default_copy_data(to, from, count);
  }

 private:
  static constexpr std::uint8_t kPriority = 100;
  /// A tensor may outlive the counting: each piece shares the counter.
  struct piece {
    c10::DataPtr memory;
    std::size_t count;
    std::shared_ptr<std::atomic<std::size_t>> live;
  };
  static void release(void* context) {
    auto* const one = static_cast<piece*>(context);
    *one->live -= one->count;
    delete one;
  }

  c10::Allocator* below_;
  std::shared_ptr<std::atomic<std::size_t>> live_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace fmsb::test
