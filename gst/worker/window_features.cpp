#include "gst/worker/window_features.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <unordered_set>

namespace vidi {
namespace {

constexpr auto kChunk = std::chrono::seconds(30);  // of sound, but for a window's last one

void check_count(size_t found, size_t expected) {
  if (found == expected) return;
  throw EngineError(ErrorCode::kInternal, "The engine returned " + std::to_string(found) +
                                              " pictures' features, expected " +
                                              std::to_string(expected) + ".");
}

Frame frame_of(const SampledFrame& picture) {
  const size_t side = static_cast<size_t>(std::max(picture.side, 0));
  if (side == 0 || picture.rgb.size() != side * side * 3) {
    throw EngineError(ErrorCode::kBadInput, "A picture of side " + std::to_string(picture.side) +
                                                " has " + std::to_string(picture.rgb.size()) +
                                                " bytes, expected " +
                                                std::to_string(side * side * 3) + ".");
  }
  return {picture.rgb.data(), picture.side, picture.side, side * 3};
}

bool is_streamed(const AnalysisWindow& window, size_t place) {
  return window.prepared.has(place, window.frames[place]);
}

// At the places first ... last - 1, at most so many.
Pictures unseen_of(const Session& session, const AnalysisWindow& window, size_t first, size_t last,
                   size_t most) {
  Pictures pictures;
  std::unordered_set<const SampledFrame*> taken;
  for (size_t i = first; i < last && pictures.size() < most; ++i) {
    const SampledFrame* frame = window.frames[i].get();
    if (!frame->features.of(&session) && !is_streamed(window, i) && taken.insert(frame).second)
      pictures.push_back(frame);
  }
  return pictures;
}

WindowSize size_of(const Session& session, const AnalysisWindow& window) {
  WindowSize size;
  size.n_frames = window.frames.size();
  for (const SampledFrame* frame : unseen(session, window)) {
    ++size.n_unseen;
    size.n_shared += frame->pts >= window.needed_from ? 1 : 0;
  }
  for (const auto& chunk : window.audio)
    size.n_samples += static_cast<int64_t>(chunk->samples.size());
  return size;
}

// What was streamed ahead, if it is of use; else a new beginning.
void begin_streaming(Session& session, const AnalysisWindow& window) {
  StreamedPictures& streamed = window.prepared;
  if (streamed.keys && streamed.keys->n_frames() != window.frames.size()) streamed = {};
  if (!streamed.keys)
    streamed = {value_or_throw(session.begin_complete_window(size_of(session, window))), {}};
}

// Of the pictures at these places, which were streamed, what no other window needs. One that stands
// beyond them is needed there.
void let_go_of(const Session& session, const AnalysisWindow& window, size_t first, size_t last) {
  const auto& frames = window.frames;
  for (size_t i = first; i < last; ++i) {
    const bool stands = last < frames.size() && frames[i] == frames[last];
    if (!stands && frames[i]->pts < window.needed_from) frames[i]->features.reset(&session);
  }
}

// As many are looked at in a call as ever, also from behind the piece: what the model sees of a
// picture does not depend on where a piece ends.
void append_piece(Session& session, const AnalysisWindow& window, size_t first, size_t last) {
  while (!unseen_of(session, window, first, last, 1).empty()) {
    look_at(session, unseen_of(session, window, first, window.frames.size(), kPicturesAtOnce),
            *window.cancel, kPicturesAtOnce);
  }
  FrameList features;
  for (size_t i = first; i < last; ++i) features.push_back(window.frames[i]->features.of(&session));
  StreamedPictures& streamed = window.prepared;
  value_or_throw(session.append(*streamed.keys, first, features, *window.cancel));
  streamed.frames.resize(std::max(streamed.frames.size(), last));
  for (size_t i = first; i < last; ++i) streamed.frames[i] = window.frames[i];
  let_go_of(session, window, first, last);
}

}  // namespace

Pictures unseen(const Session& session, const AnalysisWindow& window) {
  return unseen_of(session, window, 0, window.frames.size(), window.frames.size());
}

void look_at(Session& session, const Pictures& pictures, const Cancel& cancel, size_t at_once) {
  for (size_t first = 0; first < pictures.size(); first += at_once) {
    const size_t n = std::min(at_once, pictures.size() - first);
    std::vector<Frame> frames;
    for (size_t i = 0; i < n; ++i) frames.push_back(frame_of(*pictures[first + i]));
    auto features = value_or_throw(session.encode_images(frames, cancel));
    check_count(features.size(), n);
    for (size_t i = 0; i < n; ++i)
      pictures[first + i]->features.set(&session, std::move(features[i]));
  }
}

void listen_to(Session& session, const AnalysisWindow& window) {
  for (const auto& chunk : window.audio) {
    if (chunk->samples.empty() || chunk->features.of(&session)) continue;
    chunk->features.set(&session, value_or_throw(session.encode_audio(
                                      chunk->samples.data(),
                                      static_cast<int>(chunk->samples.size()), *window.cancel)));
  }
}

void stream_pictures(Session& session, const AnalysisWindow& window) {
  begin_streaming(session, window);
  if (!window.prepared.keys) return;
  const size_t n = window.frames.size(), step = window.prepared.keys->frames_per_piece();
  size_t n_left = 0;
  for (size_t i = 0; i < n; ++i) n_left += is_streamed(window, i) ? 0 : 1;
  if (n_left <= step) return;
  for (size_t first = 0; first < n;) {
    size_t last = first;
    while (last < n && last - first < step && !is_streamed(window, last)) ++last;
    if (last > first) append_piece(session, window, first, last);
    first = std::max(last, first + 1);
  }
}

// Sound of another window is the same where it begins with a whole chunk of this one.
void let_go(const Session& session, const AnalysisWindow& window) {
  for (const auto& frame : window.frames) {
    if (frame->pts < window.needed_from) frame->features.reset(&session);
  }
  std::unordered_set<const SoundChunk*> needed;
  Time start = window.start;
  for (const auto& chunk : window.audio) {
    if (start >= window.needed_from) needed.insert(chunk.get());
    start += kChunk;
  }
  for (const auto& chunk : window.audio) {
    if (!needed.count(chunk.get())) chunk->features.reset(&session);
  }
}

void drop_features(const Session& session, const AnalysisWindow& window) {
  for (const auto& frame : window.frames) frame->features.reset(&session);
  for (const auto& chunk : window.audio) chunk->features.reset(&session);
  window.prepared = {};
}

}  // namespace vidi
