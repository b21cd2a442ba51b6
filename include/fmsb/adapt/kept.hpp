#pragma once
#include <map>      // std::map
#include <memory>   // std::shared_ptr, std::weak_ptr
#include <mutex>    // std::mutex
#include <utility>  // std::move

/// What layers work out from what does not change, and share.
namespace fmsb::adapt::detail {

/// A layer's own reference to such a thing: copied with the layer, read and replaced from any thread.
template <class T>
class kept {
 public:
  kept() = default;
  kept(const kept& other) : value_(other.load()) {}
  kept& operator=(const kept& other) {
    if (this != &other) store(other.load());
    return *this;
  }

  std::shared_ptr<const T> load() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void store(std::shared_ptr<const T> value) const {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const T> value_;
};

/// One T a key for all layers of the process that need it at the same time; the last one to go frees it.
template <class Key, class T>
class shared_table {
 public:
  /// `make(key)` runs where nobody holds the key's T.
  template <class Make>
  std::shared_ptr<const T> get(const Key& key, Make&& make) {
    const std::lock_guard lock(mutex_);
    if (const auto found = held_.find(key); found != held_.end())
      if (auto value = found->second.lock()) return value;
    std::erase_if(held_, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<const T> value(new T(make(key)));  // not make_shared: a T need not be movable
    held_[key] = value;
    return value;
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<const T>> held_;
};

}  // namespace fmsb::adapt::detail
