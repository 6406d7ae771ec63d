#include "model/decoder/window_attention.h"

#include "kernels/aten.h"

namespace vidi {
namespace {

std::vector<SharedKeys> keys_of(const MediaCache& media, size_t layer) {
  std::vector<SharedKeys> shared;
  for (Modality m : {Modality::kImage, Modality::kAudio}) {
    if (media.has(m)) shared.push_back({media.at(m, layer).key, media.at(m, layer).value});
  }
  return shared;
}

OwnKeys rows_of(const OwnKeys& all, int64_t first, int64_t n) {
  OwnKeys rows = all;
  for (at::Tensor* t : {&rows.key, &rows.value, &rows.q, &rows.positions, &rows.mask}) {
    if (t->defined()) *t = t->narrow(0, first, n);
  }
  return rows;
}

}  // namespace

at::Tensor window_attention(const at::Tensor& q, const OwnKeys& own, const PassWindows& windows,
                            size_t layer, const AttentionScale& scale) {
  if (windows.size() == 1)
    return summed_attention(q, own, keys_of(*windows.front().media, layer), scale);
  std::vector<at::Tensor> parts;
  int64_t first = 0;
  for (const WindowRows& rows : windows) {
    parts.push_back(summed_attention(q.narrow(0, first, rows.n), rows_of(own, first, rows.n),
                                     keys_of(*rows.media, layer), scale));
    first += rows.n;
  }
  return at::cat(parts);
}

}  // namespace vidi
