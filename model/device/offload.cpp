#include "model/device/offload.h"

#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <set>
#include <utility>

#include "kernels/aten.h"

namespace vidi {

Offload::Offload(const std::vector<at::Tensor>& weights, int64_t chunk_bytes)
    : chunk_bytes_(chunk_bytes) {
  std::set<const c10::StorageImpl*> known;
  for (const at::Tensor& tensor : weights) {
    const c10::Storage& storage = tensor.storage();
    if (!known.insert(storage.unsafeGetStorageImpl()).second) continue;
    const auto bytes = static_cast<int64_t>(storage.nbytes());
    parts_.push_back({storage, bytes, bytes_});
    bytes_ += bytes;
  }
}

template <class Body>
void Offload::each_stretch(const Part& part, void* device_memory, Body body) const {
  const auto options = at::TensorOptions(at::kByte).device(part.storage.device());
  const at::Tensor all = at::from_blob(device_memory, {part.bytes}, options);
  for (int64_t done = 0; done < part.bytes;) {
    const int64_t place = part.first + done, in_chunk = place % chunk_bytes_;
    const int64_t n = std::min(part.bytes - done, chunk_bytes_ - in_chunk);
    body(all.narrow(0, done, n), host_[place / chunk_bytes_].narrow(0, in_chunk, n));
    done += n;
  }
}

void Offload::copy_to_host() {
  const bool pinned = !parts_.empty() && parts_[0].storage.device().is_cuda();
  const auto options = at::TensorOptions(at::kByte).pinned_memory(pinned);
  for (int64_t at = 0; at < bytes_; at += chunk_bytes_) {
    host_.push_back(at::empty({std::min(chunk_bytes_, bytes_ - at)}, options));
  }
  for (const Part& part : parts_) {
    each_stretch(part, part.storage.mutable_data(),
                 [](const at::Tensor& device, const at::Tensor& host) { host.copy_(device); });
  }
}

void Offload::leave() {
  if (!on_device_) return;
  if (host_.empty()) {
    try {
      copy_to_host();
    } catch (...) {
      host_.clear();  // half a copy is none
      throw;
    }
  }
  for (Part& part : parts_) {
    part.storage.set_data_ptr_noswap(at::DataPtr(nullptr, part.storage.device()));
  }
  on_device_ = false;
}

void Offload::come_back() {
  if (on_device_) return;
  std::vector<at::DataPtr> memory;
  for (const Part& part : parts_) {
    c10::DeviceGuard guard(part.storage.device());
    memory.push_back(part.storage.allocator()->allocate(part.bytes));
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    each_stretch(parts_[i], memory[i].get(), [](const at::Tensor& device, const at::Tensor& host) {
      device.copy_(host, /*non_blocking=*/true);
    });
    parts_[i].storage.set_data_ptr_noswap(std::move(memory[i]));
  }
  on_device_ = true;
}

}  // namespace vidi
