// Layers whose weights do not fit the device: they wait in the host's memory, and each is fetched
// before its turn into one of two places that they share, while the layers before it work.
//
//   LayerSpill::Pass pass(spill);        // the first two are on their way
//   for each layer i:
//     pass.use(i);                       // the device's work waits until it is there
//     ... products with layer i ...
//     pass.done(i);                      // its place is free: the next but one is on its way
//
// The tensors of all spilled layers stay the same objects with the same addresses, those of their
// place; what lies there changes. So a CUDA graph may record a pass, copies and all. Between passes
// the places hold nothing that counts. One thread at a time, as a decoder has it.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "model/checkpoint/spilled_layer.h"
#include "model/device/memory_plan.h"

namespace vidi {

class LayerSpill {
 public:
  static constexpr size_t kPlaces = kSpillPlaces;

  // Ascending by index, all of the same form and of one device. Allocates the places.
  explicit LayerSpill(std::vector<SpilledLayer> layers);

  int64_t host_bytes() const;    // of all layers
  int64_t device_bytes() const;  // of the places

  class Pass {
   public:
    explicit Pass(const LayerSpill* spill);  // null: nothing is spilled
    void use(int64_t layer);
    void done(int64_t layer);

   private:
    bool is_next(int64_t layer) const;
    const LayerSpill* spill_;
    size_t next_ = 0;  // of the spilled ones, in use or to be used next
  };

 private:
  void fetch(size_t number) const;
  at::Tensor place_of(size_t number) const;

  std::vector<SpilledLayer> layers_;
  at::Tensor places_;  // uint8 [kPlaces, bytes of a layer]
  // On a GPU: copies run on a stream of their own.
  std::optional<c10::Stream> copies_;
  mutable std::optional<c10::Event> there_[kPlaces], free_[kPlaces];
};

// Of `n` layers `spilled` ones, evenly spread.
std::vector<int64_t> spread_layers(int64_t n, int64_t spilled);

}  // namespace vidi
