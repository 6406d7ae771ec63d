#include "model/session/window_encoder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/aten.h"
#include "kernels/log_mel.h"
#include "model/device/device.h"
#include "model/towers/tower_features.h"

namespace vidi {
namespace {

// What a partial window leaves of the device's memory: the window's sound, questions, workspace.
constexpr int64_t kSpareBytes = int64_t{2} << 30;

void check_window(const Window& window) {
  if (window.frames.size() == 1) {
    throw EngineError(ErrorCode::kBadInput, "a window with 1 frame, expected none or at least 2");
  }
  if (!(window.duration_s >= 0) || !std::isfinite(window.duration_s)) {
    throw EngineError(ErrorCode::kBadInput, "a window of " + std::to_string(window.duration_s) +
                                                " s, expected a length of 0 or more");
  }
}

void check_stretch(const TowerAudio& audio, size_t index, bool is_last) {
  if (audio.samples >= kChunkSamples || is_last) return;
  throw EngineError(ErrorCode::kBadInput,
                    "stretch " + std::to_string(index) + " of a window has " +
                        std::to_string(audio.samples) + " samples, expected " +
                        std::to_string(kChunkSamples) + " in all but the last");
}

}  // namespace

std::shared_ptr<PartialWindow> WindowEncoder::begin(size_t n_frames) const {
  if (n_frames < 2) {
    throw EngineError(ErrorCode::kBadInput, "a window of " + std::to_string(n_frames) +
                                                " frames to begin, expected at least 2");
  }
  const int64_t bytes = model_.decoder().media_bytes(pictures_.n_tokens(n_frames));
  // Of many cameras' windows some are complete: of all that keys and values can have a quarter is
  // theirs.
  const int64_t left = std::max(kSpareBytes, memory_.window_bytes() / 3);
  if (memory_.room_ahead() < bytes + left) return nullptr;
  return std::make_shared<PictureKeys>(pictures_.begin(n_frames, kStreamTokens));
}

std::shared_ptr<PartialWindow> WindowEncoder::begin_complete(const WindowSize& size) {
  if (size.n_frames < 2) return nullptr;
  WindowNeed need =
      memory_.need_of(pictures_.n_tokens(size.n_frames), own_audio_tokens(size.n_samples));
  need.look = memory_.look_need(model_.share().size(size));
  const auto plan = memory_.make_room_to_look(need);
  if (!plan) return nullptr;
  return std::make_shared<PictureKeys>(pictures_.begin(size.n_frames, plan->piece_tokens));
}

// Sound of less than two tokens counts as none.
int64_t WindowEncoder::n_audio_tokens(int64_t audio_size) const {
  const int64_t steps = audio_size / 2;
  const bool is_heard = steps >= 2 * model_.config().projector.audio_pool;
  return is_heard ? model_.projector().n_audio_tokens(steps) : 0;
}

int64_t WindowEncoder::own_audio_tokens(int64_t n_samples) const {
  return model_.share().n_sound(n_audio_tokens(n_samples / kHopSamples));
}

bool WindowEncoder::has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const {
  const int64_t n_audio = own_audio_tokens(n_samples);
  const int64_t n_image = n_frames < 2 ? 0 : pictures_.n_tokens(n_frames);
  WindowNeed need = memory_.need_of(n_image, n_audio);
  if (has_pictures) need.keys = memory_.need_of(0, n_audio).keys;
  return memory_.has_room(need);
}

void WindowEncoder::append(PartialWindow& partial, size_t first, const FrameList& frames,
                           const Cancel& cancel) const {
  auto* own = dynamic_cast<PictureKeys*>(&partial);
  if (!own || own->n_all == 0 || first > own->n_all || frames.size() > own->n_all - first) {
    throw EngineError(ErrorCode::kBadInput, std::to_string(frames.size()) + " frames from " +
                                                std::to_string(first) +
                                                " on for a partial window of " +
                                                std::to_string(partial.n_frames()) + " frames");
  }
  pictures_.append(*own, first, frames, own->piece, cancel);
}

WindowEncoder::Sound WindowEncoder::take_sound(const Window& window) const {
  Sound sound;
  for (size_t i = 0; i < window.audio.size(); ++i) {
    const auto& audio = own_kind<TowerAudio>(window.audio[i].get(), "a stretch of sound");
    check_stretch(audio, i, i + 1 == window.audio.size());
    sound.audio_size += audio.samples / kHopSamples;
    sound.states.push_back(audio.states);
  }
  sound.n_tokens = n_audio_tokens(sound.audio_size);
  sound.first = model_.share().first_sound(sound.n_tokens);
  sound.n_own = model_.share().n_sound(sound.n_tokens);
  return sound;
}

// What other devices have listened to comes here.
at::Tensor WindowEncoder::Sound::joined(int64_t first, int64_t n,
                                        const at::TensorOptions& options) const {
  std::vector<at::Tensor> parts;
  int64_t at = 0;  // where a stretch begins
  for (const at::Tensor& stretch : states) {
    const int64_t begin = std::max(first, at), end = std::min(first + n, at + stretch.size(0));
    if (begin < end) parts.push_back(stretch.narrow(0, begin - at, end - begin).to(options));
    at += stretch.size(0);
  }
  return at::cat(parts);
}

WindowNeed WindowEncoder::need_of(const Window& window, const Sound& sound) const {
  WindowNeed need = memory_.need_of(pictures_.n_tokens(window.frames.size()), sound.n_own);
  if (pictures_.check_partial(window)) need.keys = memory_.need_of(0, sound.n_own).keys;
  return need;
}

void WindowEncoder::check_room(const Window& window) {
  check_window(window);
  memory_.make_room(need_of(window, take_sound(window)));
}

std::shared_ptr<EncodedWindow> WindowEncoder::encode(const Window& window, const Cancel& cancel) {
  check_window(window);
  const Sound sound = take_sound(window);
  if (window.frames.empty() && sound.n_tokens == 0) {
    throw EngineError(ErrorCode::kBadInput,
                      "a window without frames and with less than two tokens "
                      "of sound, expected at least one of them");
  }
  auto encoded = encode_in_room(window, sound, cancel);
  synchronize(model_.device());  // a CUDA error surfaces here and not in somebody's first question
  return encoded;
}

// By the plan; where the allocator finds no room in spite of it, once more with all the room there
// can be, unless features that it would take are gone.
std::shared_ptr<EncodedWindow> WindowEncoder::encode_in_room(const Window& window,
                                                             const Sound& sound,
                                                             const Cancel& cancel) {
  const WindowNeed need = need_of(window, sound);
  const MemoryPlan plan = memory_.make_room(need);
  const std::string what = "a window of " + std::to_string(need.n_tokens) + " tokens";
  try {
    return encode_in_pieces(window, sound, plan.piece_tokens, cancel);
  } catch (const c10::OutOfMemoryError&) {
    memory_.found_short();
    if (!memory_.limited()) throw;
    const bool has_gaps = std::count(window.frames.begin(), window.frames.end(), nullptr) > 0;
    if (has_gaps) memory_.explain_shortage(what);
  }
  memory_.make_most_room();
  return memory_.explained(what,
                           [&] { return encode_in_pieces(window, sound, kSmallestPiece, cancel); });
}

std::shared_ptr<EncodedWindow> WindowEncoder::encode_in_pieces(const Window& window,
                                                               const Sound& sound, int64_t piece,
                                                               const Cancel& cancel) const {
  auto encoded = std::make_shared<EncodedWindow>();
  encoded->seconds = window.duration_s;
  MediaCache& cache = encoded->cache;
  if (!window.frames.empty()) cache = pictures_.finish(window, piece, cancel);
  if (sound.n_own > 0) add_sound(cache, sound, piece, cancel);
  encoded->held = memory_.count_keys(cache.n_tokens[0], cache.n_tokens[1]);
  tap_keys(cache);
  return encoded;
}

void WindowEncoder::add_sound(MediaCache& cache, const Sound& sound, int64_t piece,
                              const Cancel& cancel) const {
  const Decoder& decoder = model_.decoder();
  const at::TensorOptions options = at::TensorOptions(model_.dtype()).device(model_.device());
  decoder.add_media(cache, Modality::kAudio, sound.n_own);
  if (tap_ && model_.share().index == 0) {
    tap_into(tap_, "audio.size", at::full({1}, sound.audio_size, at::kLong));
    tap_into(tap_, "audio.encoder", sound.joined(0, sound.audio_size / 2, options));
  }
  const int64_t pool = model_.config().projector.audio_pool;
  const int64_t step = tap_ ? sound.n_own : piece;  // a trace has all of it at once
  for (int64_t at = 0; at < sound.n_own; at += step) {
    const int64_t n = std::min(step, sound.n_own - at), first = sound.first + at;
    const at::Tensor states = sound.joined(first * pool, n * pool, options);
    const at::Tensor tokens = model_.projector().audio_tokens(states, first, sound.n_tokens, tap_);
    decoder.prefill_media(tokens, Modality::kAudio, at, cache, cancel, piece);
  }
}

void WindowEncoder::tap_keys(const MediaCache& cache) const {
  for (int m = 0; tap_ && m < 2; ++m) {
    const std::string modality = m == 0 ? "image" : "audio";
    for (size_t i = 0; i < cache.layers[m].size(); ++i) {
      const std::string name = "decoder.layer" + std::to_string(i) + "." + modality;
      tap_(name + "_key", cache.layers[m][i].key.restored());
      tap_(name + "_value", cache.layers[m][i].value.restored());
    }
  }
}

}  // namespace vidi
