#include "tests/support/scripted_window.h"

#include <cmath>
#include <cstdlib>

#include "model/text/answer.h"
#include "model/text/utf8.h"

namespace vidi::scripted {

uint32_t middle_pixel(const Frame& f) {
  if (!f.rgb || f.width < 1 || f.height < 1 || f.stride < static_cast<size_t>(f.width) * 3) {
    refuse("a frame of " + std::to_string(f.width) + " x " + std::to_string(f.height) +
           " with a stride of " + std::to_string(f.stride) +
           " bytes, expected RGB rows of at least 1 pixel");
  }
  const uint8_t* p = f.rgb + (f.height / 2) * f.stride + static_cast<size_t>(f.width / 2) * 3;
  return uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | p[2];
}

uint64_t digest_of(const Frame& f) {
  uint64_t digest = 14695981039346656037u;
  for (int y = 0; y < f.height; ++y) {
    const uint8_t* row = f.rgb + static_cast<size_t>(y) * f.stride;
    for (size_t i = 0; i < static_cast<size_t>(f.width) * 3; ++i)
      digest = (digest ^ row[i]) * 1099511628211u;
  }
  return digest;
}

// As append() was given it at this place, or nothing.
static const ScriptedPartialWindow::Appended* appended_at(const Window& window, size_t place,
                                                          int session) {
  if (!window.partial) return nullptr;
  const auto& own =
      own_kind<ScriptedPartialWindow>(window.partial.get(), session, "a partial window");
  if (own.done.size() != window.frames.size() || !own.done[place].is_done) return nullptr;
  const auto& given = window.frames[place];
  return !given || own.done[place].features.lock() == given ? &own.done[place] : nullptr;
}

double similarity_of(uint32_t a, uint32_t b) {
  int most = 0;
  for (const int shift : {16, 8, 0}) {
    const int of_a = a >> shift & 0xff, of_b = b >> shift & 0xff;
    most = std::max(most, std::abs(of_a - of_b));
  }
  return 1 - most / 255.0;
}

static void check_shape(const Window& window) {
  if (window.frames.size() == 1) refuse("a window with 1 frame, expected none or at least 2");
  if (!(window.duration_s > 0) || !std::isfinite(window.duration_s)) {
    refuse("a window of " + std::to_string(window.duration_s) + " s, expected more than 0");
  }
}

SeenWindow look_at(const Window& window, int session) {
  check_shape(window);
  SeenWindow seen;
  seen.duration_s = window.duration_s;
  for (size_t i = 0; i < window.frames.size(); ++i) {
    const auto* appended = appended_at(window, i, session);
    if (!appended) own_kind<SeenFrame>(window.frames[i].get(), session, "a frame");
    const auto* frame = static_cast<const SeenFrame*>(window.frames[i].get());
    seen.frames.push_back(appended ? appended->colour : frame->colour);
    seen.digests.push_back(appended ? appended->digest : frame->digest);
    seen.n_prepared += appended ? 1 : 0;
  }
  for (size_t i = 0; i < window.audio.size(); ++i) {
    const auto& sound = own_kind<HeardSound>(window.audio[i].get(), session, "a stretch of sound");
    if (sound.n_samples() < kChunkSamples && i + 1 < window.audio.size()) {
      refuse("stretch " + std::to_string(i) + " of a window has " +
             std::to_string(sound.n_samples()) + " samples, expected " +
             std::to_string(kChunkSamples) + " in all but the last");
    }
    seen.audio.insert(seen.audio.end(), sound.samples.begin(), sound.samples.end());
  }
  if (seen.frames.empty() && static_cast<int64_t>(seen.audio.size()) < kLeastSamples) {
    refuse("a window without frames and without sound, expected at least one of them");
  }
  return seen;
}

Answer answer_to(const Query& query, const SeenWindow& seen, const Script& script) {
  if (!is_utf8(query.text)) refuse("A query should be UTF-8 text, found other bytes.");
  Answer answer;
  answer.text = script.answer(query, seen);
  answer.parsed = parse_answer(answer.text);
  for (const AnswerRange& r : answer.parsed.ranges) {
    answer.spans.push_back({r.start, r.stop, r.start * seen.duration_s, r.stop * seen.duration_s,
                            script.confidence, r.label});
  }
  answer.ids = {11, 12, 13};
  answer.probabilities.assign(3, static_cast<float>(script.confidence));
  answer.stop = script.truncate ? StopReason::kMaxTokens : StopReason::kEndToken;
  return answer;
}

}  // namespace vidi::scripted
