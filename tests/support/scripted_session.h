// A session of the scripted engine, and pictures for its windows.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "gst/media/samples.h"
#include "model/engine_api.h"
#include "tests/support/scripted_engine.h"

namespace vidi::test {

// A solid picture of 4 x 4 pixels, 0xRRGGBB.
inline std::shared_ptr<SampledFrame> solid_frame(uint32_t colour, Time pts = {}) {
  auto frame = std::make_shared<SampledFrame>();
  frame->pts = pts;
  frame->side = 4;
  for (int i = 0; i < frame->side * frame->side; ++i) {
    for (const int shift : {16, 8, 0}) frame->rgb.push_back(static_cast<uint8_t>(colour >> shift));
  }
  return frame;
}

inline std::shared_ptr<SoundChunk> even_sound(size_t n, float value) {
  auto sound = std::make_shared<SoundChunk>();
  sound->samples.assign(n, value);
  return sound;
}

// Each test has a session of an engine that was reset.
class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    scripted::reset();
    auto opened = vidi_engine_api()->open({.folder = "a", .progress = {}}, Cancel());
    ASSERT_TRUE(opened);
    session_ = std::move(*opened);
  }

  std::unique_ptr<Session> session_;
};

}  // namespace vidi::test
