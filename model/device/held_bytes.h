// Counts bytes in a shared total for as long as it lives; whoever owns them may outlive the
// session.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace vidi {

using TotalBytes = std::shared_ptr<std::atomic<int64_t>>;

class HeldBytes {
 public:
  HeldBytes() = default;
  HeldBytes(TotalBytes total, int64_t bytes) : total_(std::move(total)), bytes_(bytes) {
    total_->fetch_add(bytes_);
  }
  ~HeldBytes() {
    if (total_) total_->fetch_sub(bytes_);
  }
  HeldBytes(HeldBytes&& other) noexcept { swap(other); }
  HeldBytes& operator=(HeldBytes&& other) noexcept {
    HeldBytes old(std::move(*this));
    swap(other);
    return *this;
  }

 private:
  void swap(HeldBytes& other) noexcept {
    std::swap(total_, other.total_), std::swap(bytes_, other.bytes_);
  }
  TotalBytes total_;
  int64_t bytes_ = 0;
};

}  // namespace vidi
