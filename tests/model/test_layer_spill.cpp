// Layers that wait in the host's memory: a decoder with them is the decoder without.
#include <gtest/gtest.h>

#include "kernels/cuda/dispatch.h"
#include "model/checkpoint/open_checkpoint.h"
#include "model/decoder/cuda_graph.h"
#include "model/decoder/decoder.h"
#include "model/device/device.h"
#include "model/device/layer_spill.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

constexpr const char* kFolder = VIDI_DEMO_CHECKPOINT;

struct Place {
  at::Device device;
  at::ScalarType dtype;
};

std::vector<Place> places() {
  std::vector<Place> all = {{at::kCPU, at::kFloat}};
  const at::Device gpu(at::kCUDA, 0);
  if (at::hasCUDA() && own_kernels_run(gpu, at::kHalf)) all.push_back({gpu, at::kHalf});
  return all;
}

struct Form {
  bool packed;
  std::vector<int64_t> spilled;
};

Decoder decoder_of(const Place& place, const Form& form) {
  const Checkpoint checkpoint = open_checkpoint(kFolder);
  Weights weights(checkpoint.files, place.device, place.dtype);
  if (form.packed) weights.pack_matrices();
  weights.spill_layers(form.spilled);
  Decoder decoder;
  decoder.take(weights, checkpoint.config.decoder);
  weights.load({}, Cancel());
  if (!form.spilled.empty()) {
    const auto spill = std::make_shared<LayerSpill>(weights.spilled());
    EXPECT_EQ(spill->host_bytes() / static_cast<int64_t>(form.spilled.size()),
              spill->device_bytes() / int64_t{LayerSpill::kPlaces});
    EXPECT_EQ(weights.spilled_bytes() > 0, true);
    decoder.stream_layers(spill);
  }
  return decoder;
}

// Everything that a decoder makes of a window and a question, a recorded step twice.
std::vector<at::Tensor> outputs_of(const Decoder& decoder, const Place& place) {
  const Cancel cancel;
  const int64_t hidden = decoder.config().hidden;
  at::manual_seed(17);
  const at::Tensor tokens = at::randn({70, hidden}).to(place.device, place.dtype);
  const MediaCache media = decoder.make_media_cache(70, 0);
  decoder.prefill_media(tokens, Modality::kImage, 0, media, cancel, 32);
  std::vector<at::Tensor> all;
  for (const MediaKeys& keys : media.layers[0]) all.push_back(keys.value.restored());
  TextCache text;
  all.push_back(decoder.prefill({{1, 5, 9}, {1, 7}}, media, text, {}, cancel));
  decoder.reserve(text, 2, 8);
  const at::Tensor ids = at::full({2, 1}, 11, at::TensorOptions(at::kLong).device(place.device));
  const at::Tensor positions = at::full_like(ids, 3);
  at::Tensor logits = at::empty_like(all.back());
  CudaGraph graph(place.device);
  for (int i = 0; i < 3; ++i) {  // plain, recorded, replayed
    logits.zero_();
    graph.run(
        [&] {
          logits.copy_(
              decoder.step(ids, positions, text.capacity, {{&media, 2}}, text, cancel).squeeze(1));
        },
        false);
    all.push_back(logits.clone());
  }
  synchronize(place.device);
  return all;
}

// A decoder whose layers wait in the host's memory, one of them, some or all, packed or not, gives
// what the whole one gives, bit for bit, also when a step is recorded and replayed.
TEST(LayerSpill, ChangesNothing) {
  for (const Place& place : places()) {
    for (const bool packed : {false, true}) {
      const auto wanted = outputs_of(decoder_of(place, {packed, {}}), place);
      for (const std::vector<int64_t>& spilled :
           {std::vector<int64_t>{0}, {5}, {1, 4}, {0, 2, 4}, {0, 1, 2, 3, 4, 5}}) {
        SCOPED_TRACE(place.device.str() + (packed ? " packed, " : " native, ") +
                     std::to_string(spilled.size()) + " layers from " + std::to_string(spilled[0]));
        const auto found = outputs_of(decoder_of(place, {packed, spilled}), place);
        ASSERT_EQ(found.size(), wanted.size());
        for (size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(at::equal(found[i], wanted[i])) << i;
      }
    }
  }
}

// They are evenly spread, as many as were asked for.
TEST(LayerSpill, Spreads) {
  EXPECT_TRUE(spread_layers(42, 0).empty());
  EXPECT_EQ(spread_layers(6, 6), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(spread_layers(6, 2), (std::vector<int64_t>{2, 5}));
  for (int64_t n = 1; n <= 42; ++n) {
    const auto chosen = spread_layers(42, n);
    ASSERT_EQ(static_cast<int64_t>(chosen.size()), n);
    for (size_t i = 1; i < chosen.size(); ++i) {
      EXPECT_GE(chosen[i] - chosen[i - 1], 42 / n);
      EXPECT_LE(chosen[i] - chosen[i - 1], (42 + n - 1) / n);
    }
  }
}

// A value that is not finite is said with its tensor's name though nobody looks at the layer later.
TEST(LayerSpill, SaysWhatIsNotFinite) {
  const Checkpoint checkpoint = open_checkpoint(kFolder);
  for (const bool packed : {false, true}) {
    Weights weights(checkpoint.files, at::kCPU, at::kFloat);
    if (packed) weights.pack_matrices();
    weights.spill_layers({0});
    WeightMatrix matrix;
    const std::string name = "model.layers.0.mlp.down_proj.weight";
    const auto& shape = checkpoint.files.find(name)->entry.shape;
    weights.take(matrix, name, shape, "");
    WeightSlot slot{nullptr, &matrix, packed, name, *checkpoint.files.find(name)};
    slot.layer = 0;
    slot.spilled.image = std::make_shared<HostImage>(shape[0] * shape[1] * 8, false);
    slot.spilled.scales_first = shape[0] * shape[1];
    matrix = packed ? WeightMatrix::packed(shape[0], shape[1], at::kCPU, at::kFloat)
                    : WeightMatrix(at::empty({shape[0], shape[1]}));
    at::Tensor values = at::ones({16 * shape[1]});
    EXPECT_NO_THROW(store_values(slot, 0, values));
    values[5] = std::numeric_limits<float>::infinity();
    try {
      store_values(slot, 0, values);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const EngineError& e) {
      EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace vidi
