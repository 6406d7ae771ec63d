#include "model/device/offload.h"

#include <c10/core/DeviceGuard.h>

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

// `memory`: of the device, as large as the part.
at::Tensor Offload::view(const Part& part, void* memory) const {
  return at::from_blob(memory, {part.bytes},
                       at::TensorOptions(at::kByte).device(part.storage.device()));
}

void Offload::copy_to_host() {
  const bool pinned = !parts_.empty() && parts_[0].storage.device().is_cuda();
  host_ = HostImage(bytes_, pinned, chunk_bytes_);
  for (const Part& part : parts_) host_.write(part.first, view(part, part.storage.mutable_data()));
}

void Offload::leave() {
  if (!on_device_) return;
  if (!host_.defined()) {
    try {
      copy_to_host();
    } catch (...) {
      host_ = {};  // half a copy is none
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
    host_.read(parts_[i].first, view(parts_[i], memory[i].get()));
    parts_[i].storage.set_data_ptr_noswap(std::move(memory[i]));
  }
  on_device_ = true;
}

}  // namespace vidi
