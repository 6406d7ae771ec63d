// What the scripted engine makes of pictures, sound and windows, and its answers.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/support/scripted_stage.h"

namespace vidi::scripted {

constexpr int kChunkSamples = 480000;                 // 30 s
constexpr int kTokenSamples = 1600;                   // of sound for one token
constexpr int64_t kLeastSamples = 2 * kTokenSamples;  // less counts as no sound, as in the engine

struct SeenFrame final : FrameFeatures {
  SeenFrame() {
    locked([](Stage& s) {
      return s.record.most_features = std::max(s.record.most_features, ++s.features);
    });
  }
  ~SeenFrame() override {
    locked([](Stage& s) { return --s.features; });
  }
  int session = 0;
  uint32_t colour = 0;
  uint64_t digest = 0;
};

struct HeardSound final : AudioFeatures {
  int session = 0;
  std::vector<float> samples;
  int n_samples() const override { return static_cast<int>(samples.size()); }
};

struct ScriptedEncoded final : Encoded {
  ScriptedEncoded() {
    locked([](Stage& s) {
      s.record.most_encoded = std::max(s.record.most_encoded, ++s.encoded);
      return 0;
    });
  }
  ~ScriptedEncoded() override {
    locked([](Stage& s) { return --s.encoded; });
    stage().changed.notify_all();
  }
  int session = 0;
  SeenWindow seen;
  bool has_frames() const override { return !seen.frames.empty(); }
  bool has_audio() const override {
    return static_cast<int64_t>(seen.audio.size()) >= kLeastSamples;
  }
  int64_t n_tokens() const override {
    return static_cast<int64_t>(seen.frames.size() + seen.audio.size() / kTokenSamples);
  }
  double duration_s() const override { return seen.duration_s; }
};

// The features as this session's own, or a refusal: features of a freed model mean nothing.
template <class Own, class Shared>
auto& own_kind(Shared* shared, int session, const char* what) {
  using Kind = std::conditional_t<std::is_const_v<Shared>, const Own, Own>;
  auto* own = dynamic_cast<Kind*>(shared);
  if (!own) refuse(std::string(what) + " was not made by this engine");
  if (own->session != session) refuse(std::string(what) + " was made by another session");
  return *own;
}

struct ScriptedPartialWindow final : PartialWindow {
  ScriptedPartialWindow(int session, size_t n) : session(session), done(n) {
    locked([](Stage& s) { return ++s.partial_windows; });
  }
  ~ScriptedPartialWindow() override {
    locked([](Stage& s) { return --s.partial_windows; });
    stage().changed.notify_all();
  }
  size_t n_frames() const override { return done.size(); }
  size_t frames_per_piece() const override {
    return locked([](Stage& s) { return s.script.frames_per_piece; });
  }
  // What append() was given at a place; the features themselves may be gone.
  struct Appended {
    bool is_done = false;
    std::weak_ptr<const FrameFeatures> features;
    uint32_t colour = 0;
    uint64_t digest = 0;
  };
  int session;
  std::vector<Appended> done;
};

// Refuses what is no picture.
uint32_t middle_pixel(const Frame& frame);
uint64_t digest_of(const Frame& frame);        // FNV-1a of the rows, without what lies between them
double similarity_of(uint32_t a, uint32_t b);  // colours
SeenWindow look_at(const Window& window, int session);
Answer answer_to(const Query& query, const SeenWindow& seen, const Script& script);

}  // namespace vidi::scripted
