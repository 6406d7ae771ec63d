#include "model/generate.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/pick.h"

namespace vidi {
namespace {

constexpr size_t kRepeats = 4, kMinRepeatedTokens = 24, kMaxPeriod = 64;

// Appends what was picked to every answer that is still open. Returns whether one is.
bool take_tokens(std::vector<Generation>& all, std::vector<bool>& open, const at::Tensor& on_host,
                 const DecoderConfig& config, const AskOptions& options) {
  const float* ids = on_host.data_ptr<float>();
  const float* probabilities = ids + all.size();
  bool any = false;
  for (size_t b = 0; b < all.size(); ++b) {
    if (!open[b]) continue;
    Generation& g = all[b];
    g.ids.push_back(static_cast<int>(ids[b]));
    g.probabilities.push_back(probabilities[b]);
    open[b] = false;
    if (g.ids.back() == config.eos_id)
      g.stop = StopReason::kEndToken;
    else if (static_cast<int>(g.ids.size()) >= options.max_new_tokens)
      g.stop = StopReason::kMaxTokens;
    else if (options.stop_repetition && repeats_itself(g.ids))
      g.stop = StopReason::kRepetition;
    else
      open[b] = any = true;
  }
  return any;
}

}  // namespace

bool repeats_itself(const std::vector<int>& ids) {
  for (size_t period = 1; period <= kMaxPeriod; ++period) {
    const size_t n = std::max(kRepeats * period, kMinRepeatedTokens);
    if (ids.size() < n) return false;  // longer periods need more tokens still
    auto tail = ids.end() - static_cast<std::ptrdiff_t>(n);
    if (std::equal(tail + static_cast<std::ptrdiff_t>(period), ids.end(), tail)) return true;
  }
  return false;
}

std::vector<Generation> generate(const Decoder& decoder, const MediaCache& media,
                                 const std::vector<std::vector<int>>& prompts,
                                 const AskOptions& options, const Tap& tap, const Cancel& cancel) {
  std::vector<Generation> all(prompts.size());
  std::vector<bool> open(prompts.size(), true);
  if (prompts.empty() || options.max_new_tokens < 1) return all;
  TextCache text;
  at::Tensor logits = decoder.read_prompts(prompts, media, text, tap, cancel);
  while (true) {
    tap_into(tap, "decoder.logits", logits);
    Picked picked = pick_tokens(logits);
    if (!take_tokens(all, open, picked.for_host.cpu(), decoder.config(), options)) return all;
    cancel.check();
    logits = decoder.step(picked.ids, media, text, cancel);
  }
}

}  // namespace vidi
