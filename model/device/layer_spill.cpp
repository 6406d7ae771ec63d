#include "model/device/layer_spill.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "kernels/aten.h"

namespace vidi {
namespace {

c10::impl::VirtualGuardImpl guard_of(at::Device device) {
  return c10::impl::VirtualGuardImpl(device.type());
}

c10::Stream current_stream_of(at::Device device) { return guard_of(device).getStream(device); }

}  // namespace

std::vector<int64_t> spread_layers(int64_t n, int64_t spilled) {
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < n; ++i) {
    if ((i + 1) * spilled / n > i * spilled / n) chosen.push_back(i);
  }
  return chosen;
}

LayerSpill::LayerSpill(std::vector<SpilledLayer> layers) : layers_(std::move(layers)) {
  TORCH_CHECK(!layers_.empty(), "LayerSpill: no layers");
  const at::Device device = layers_[0].tensors.at(0).first.device();
  const c10::DeviceGuard guard(device);
  places_ = at::empty({int64_t{kPlaces}, layers_[0].image->bytes()},
                      at::TensorOptions(at::kByte).device(device));
  for (size_t i = 0; i < layers_.size(); ++i) {
    TORCH_CHECK(layers_[i].image->bytes() == places_.size(1), "LayerSpill: layers differ");
    auto* memory = place_of(i).mutable_data_ptr<uint8_t>();
    for (auto& [tensor, first] : layers_[i].tensors)
      tensor.storage().set_data_ptr_noswap(at::DataPtr(memory + first, device));
  }
  if (!device.is_cuda()) return;
  copies_ = guard_of(device).getStreamFromGlobalPool(device, /*isHighPriority=*/true);
  for (size_t i = 0; i < kPlaces; ++i)
    there_[i].emplace(device.type()), free_[i].emplace(device.type());
}

at::Tensor LayerSpill::place_of(size_t number) const {
  return places_.select(0, static_cast<int64_t>(number % kPlaces));
}

int64_t LayerSpill::host_bytes() const {
  return static_cast<int64_t>(layers_.size()) * places_.size(1);
}

int64_t LayerSpill::device_bytes() const { return static_cast<int64_t>(places_.nbytes()); }

void LayerSpill::fetch(size_t number) const {
  if (number >= layers_.size()) return;
  if (!copies_) return layers_[number].image->read(0, place_of(number));
  const c10::StreamGuard on(*copies_);
  layers_[number].image->read(0, place_of(number));
  there_[number % kPlaces]->record(*copies_);
}

// What is under way on the stream, another pass's work among it, has read the places.
LayerSpill::Pass::Pass(const LayerSpill* spill) : spill_(spill) {
  if (!spill_) return;
  if (spill_->copies_) {
    c10::Event& begin = *spill_->free_[0];
    begin.record(current_stream_of(spill_->places_.device()));
    begin.block(*spill_->copies_);
  }
  for (size_t i = 0; i < kPlaces; ++i) spill_->fetch(i);
}

bool LayerSpill::Pass::is_next(int64_t layer) const {
  return spill_ && next_ < spill_->layers_.size() && spill_->layers_[next_].index == layer;
}

void LayerSpill::Pass::use(int64_t layer) {
  if (!is_next(layer) || !spill_->copies_) return;
  spill_->there_[next_ % kPlaces]->block(current_stream_of(spill_->places_.device()));
}

void LayerSpill::Pass::done(int64_t layer) {
  if (!is_next(layer)) return;
  const size_t following = next_ + kPlaces;
  if (spill_->copies_ && following < spill_->layers_.size()) {
    c10::Event& free = *spill_->free_[next_ % kPlaces];
    free.record(current_stream_of(spill_->places_.device()));
    free.block(*spill_->copies_);
  }
  spill_->fetch(following);
  ++next_;
}

}  // namespace vidi
