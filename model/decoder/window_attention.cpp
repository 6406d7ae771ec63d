#include "model/decoder/window_attention.h"

#include "kernels/attention/windows_attention.h"

namespace vidi {
namespace {

std::vector<SharedKeys> keys_of(const MediaCache& media, size_t layer) {
  std::vector<SharedKeys> shared;
  for (Modality m : {Modality::kImage, Modality::kAudio}) {
    if (media.has(m)) shared.push_back({media.at(m, layer).key, media.at(m, layer).value});
  }
  return shared;
}

}  // namespace

at::Tensor window_attention(const at::Tensor& q, const OwnKeys& own, const PassWindows& windows,
                            size_t layer, const AttentionScale& scale) {
  std::vector<WindowKeys> keys;
  for (const WindowRows& rows : windows) keys.push_back({keys_of(*rows.media, layer), rows.n});
  return windows_attention(q, own, keys, scale);
}

}  // namespace vidi
