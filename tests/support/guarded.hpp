#pragma once
#include <cstddef>     // std::size_t
#include <new>         // std::bad_alloc
#include <sys/mman.h>  // mmap, mprotect, munmap
#include <unistd.h>    // sysconf
#include <utility>     // std::exchange

namespace fmsb::test {

/// Memory between two pages that nobody may touch: it ends where the second begins, so that whatever reads or
/// writes a byte behind it ends the process. `front` puts it where the first one ends instead.
template <class T>
class guarded {
 public:
  enum class side { back, front };

  explicit guarded(std::size_t count, T value = {}, side at = side::back) : count_(count) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inside = (count * sizeof(T) + page - 1) / page * page;
    bytes_ = inside + 2 * page;
    pages_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (pages_ == MAP_FAILED || mprotect(pages_ + page, inside, PROT_READ | PROT_WRITE) != 0)
      throw std::bad_alloc();
    const std::size_t offset = at == side::front ? 0 : inside - count * sizeof(T);
    begin_ = reinterpret_cast<T*>(pages_ + page + offset);
    for (T& x : *this) x = value;
  }
  guarded(guarded&& other) noexcept
      : pages_(std::exchange(other.pages_, nullptr)),
        bytes_(other.bytes_),
        begin_(other.begin_),
        count_(other.count_) {}
  guarded& operator=(guarded&&) = delete;
  ~guarded() {
    if (pages_ != nullptr) munmap(pages_, bytes_);
  }

  T* data() const { return begin_; }
  T* begin() const { return begin_; }
  T* end() const { return begin_ + count_; }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) const { return begin_[i]; }

 private:
  char* pages_ = nullptr;
  std::size_t bytes_ = 0;
  T* begin_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace fmsb::test
