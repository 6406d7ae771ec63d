#include "model/decoder/generate.h"

#include <algorithm>

#include "model/decoder/batch.h"

namespace vidi {
namespace {

constexpr size_t kRepeats = 4, kMinRepeatedTokens = 24, kMaxPeriod = 64;

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

std::vector<Generation> Generator::generate(const MediaCache& media,
                                            const std::vector<std::vector<int>>& prompts,
                                            const GenerateOptions& options,
                                            const AnswerDraft* draft, const Tap& tap,
                                            const Cancel& cancel) {
  std::vector<Generation> all(prompts.size());
  if (prompts.empty() || options.max_new_tokens < 1) return all;
  Batch batch(decoder_, media, options, draft, tap, cancel, known_sizes_);
  batch.start(prompts, all);
  while (batch.step()) cancel.check();
  return all;
}

}  // namespace vidi
