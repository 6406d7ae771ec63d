// A limit on the device's memory, for as long as the object lives. On CUDA it is hard: the
// process's allocator never holds more on that device, and what goes beyond is an out-of-memory
// error. There is one allocator a device, so of several limits the smallest holds for all models
// together. On the CPU it is only a number that plans are made by.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <utility>

namespace vidi {

class MemoryLimit {
 public:
  MemoryLimit() = default;                         // none
  MemoryLimit(c10::Device device, int64_t bytes);  // 0 = none
  ~MemoryLimit();
  MemoryLimit(MemoryLimit&& other) noexcept
      : device_(other.device_), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryLimit& operator=(MemoryLimit&& other) noexcept {
    std::swap(device_, other.device_), std::swap(bytes_, other.bytes_);
    return *this;
  }

  // What holds now, 0 = none.
  int64_t bytes() const;

 private:
  c10::Device device_{c10::DeviceType::CPU};
  int64_t bytes_ = 0;  // as it was asked for
};

// The allocator of a CUDA device holds at most so many bytes from now on; 0 = as many as there are.
// Does nothing in a build without CUDA's headers (allocator_cap_stub.cpp). Throws c10::Error.
void cap_allocator(c10::Device device, int64_t bytes);

}  // namespace vidi
