#include "model/decoder/window_attention.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/attention/windows_attention.h"

namespace vidi {
namespace {

constexpr Modality kModalities[] = {Modality::kImage, Modality::kAudio};

SharedKeys keys_of(const MediaCache& media, Modality m, size_t layer) {
  return {media.at(m, layer).key, media.at(m, layer).value};
}

std::vector<SharedKeys> keys_of(const MediaCache& media, size_t layer) {
  std::vector<SharedKeys> shared;
  for (Modality m : kModalities) {
    if (media.has(m)) shared.push_back(keys_of(media, m, layer));
  }
  return shared;
}

// The parts of a window's two softmaxes, each where its keys are.
using PartsByModality = std::array<std::vector<AttentionPart>, 2>;

// Adds what one device's keys give. The queries go there.
void add_parts(PartsByModality& all, const at::Tensor& q, const MediaCache& media, size_t layer,
               const AttentionScale& scale) {
  const std::vector<SharedKeys> keys = keys_of(media, layer);
  if (keys.empty()) return;
  std::vector<AttentionPart> found = attention_parts(q.to(keys.front().key.options()), keys, scale);
  auto part = found.begin();
  for (Modality m : kModalities) {
    if (media.has(m)) all[static_cast<size_t>(m)].push_back(std::move(*part++));
  }
}

// A device waits for what comes to it, so nothing comes before all of them have their work.
at::Tensor split_attention(const at::Tensor& q, const OwnKeys& own, const MediaCache& media,
                           size_t layer, const AttentionScale& scale) {
  PartsByModality parts;
  for (const auto& other : media.elsewhere) add_parts(parts, q, *other, layer, scale);
  add_parts(parts, q, media, layer, scale);
  at::Tensor sum = summed_attention(q, own, {}, scale).to(at::kFloat);
  for (auto& of_modality : parts) {
    for (AttentionPart& part : of_modality)
      part = {part.out.to(q.device()), part.log_sum.to(q.device())};
    if (!of_modality.empty()) sum = sum + merged_attention(of_modality);
  }
  return sum.to(q.scalar_type());
}

// One window after the other.
at::Tensor split_windows_attention(const at::Tensor& q, const OwnKeys& own,
                                   const PassWindows& windows, size_t layer,
                                   const AttentionScale& scale) {
  std::vector<at::Tensor> parts;
  int64_t first = 0;
  for (const WindowRows& rows : windows) {
    parts.push_back(split_attention(q.narrow(0, first, rows.n), own.rows(first, rows.n),
                                    *rows.media, layer, scale));
    first += rows.n;
  }
  return at::cat(parts);
}

}  // namespace

at::Tensor window_attention(const at::Tensor& q, const OwnKeys& own, const PassWindows& windows,
                            size_t layer, const AttentionScale& scale) {
  const auto is_split = [](const WindowRows& rows) { return !rows.media->elsewhere.empty(); };
  if (std::any_of(windows.begin(), windows.end(), is_split))
    return split_windows_attention(q, own, windows, layer, scale);
  std::vector<WindowKeys> keys;
  for (const WindowRows& rows : windows) keys.push_back({keys_of(*rows.media, layer), rows.n});
  return windows_attention(q, own, keys, scale);
}

}  // namespace vidi
