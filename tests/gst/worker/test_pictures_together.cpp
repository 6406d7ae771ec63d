// Pictures of several elements are looked at in one call when they wait together, and whatever
// becomes of one element costs the others nothing. Under ThreadSanitizer as well
// (tests/sanitize.sh).
#include <gtest/gtest.h>

#include <array>

#include "tests/support/client_rig.h"

namespace vidi {
namespace {

using scripted::Step;

constexpr size_t kCameras = 8;

struct Camera {
  Recorder heard;
  ModelClient client{heard};
  std::vector<std::shared_ptr<const SampledFrame>> pictures = {};
};

class PicturesTogether : public testing::Test {
 protected:
  void SetUp() override { scripted::reset(); }
  void TearDown() override {
    for (Camera& camera : cameras_) camera.client.stop();
    EXPECT_EQ(scripted::n_open_sessions(), 0);
  }
  // The worker is with a window of the first camera, until go_on(), and others get pictures.
  void begin() {
    for (Camera& camera : cameras_) camera.client.start(*vidi_engine_api(), {"a", "cpu"});
    for (Camera& camera : cameras_) ASSERT_TRUE(camera.client.wait_until_loaded());
    scripted::hold(Step::kEncode);
    cameras_[0].client.submit(window_at(0), OverloadPolicy::kBlock);
    ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
    calls_before_ = scripted::count(Step::kEncodeImages);
  }
  void go_on() { scripted::release(Step::kEncode); }
  void give(size_t camera, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      cameras_[camera].pictures.push_back(test::solid_frame(0, std::chrono::seconds(i)));
      cameras_[camera].client.look_ahead(cameras_[camera].pictures.back());
    }
  }
  bool all_are_seen(size_t camera) {
    const auto& pictures = cameras_[camera].pictures;
    return std::all_of(pictures.begin(), pictures.end(),
                       [](const auto& picture) { return bool{picture->features}; });
  }
  void wait_until_seen(size_t camera) {
    const auto give_up = std::chrono::steady_clock::now() + kLong;
    while (!all_are_seen(camera) && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
    EXPECT_TRUE(all_are_seen(camera)) << camera;
  }
  int n_calls() const { return scripted::count(Step::kEncodeImages) - calls_before_; }

  std::array<Camera, kCameras> cameras_;
  int calls_before_ = 0;
};

// A picture of each of eight cameras is one call.
TEST_F(PicturesTogether, OneCall) {
  begin();
  for (size_t i = 0; i < kCameras; ++i) give(i, 1);
  go_on();
  for (size_t i = 0; i < kCameras; ++i) wait_until_seen(i);
  EXPECT_EQ(n_calls(), 1);
  EXPECT_EQ(scripted::most_pictures_in_a_call(), 8);
}

// No more than the plans of memory reckon with; a GPU without a limit takes twice that.
TEST_F(PicturesTogether, NoMoreThanHaveRoom) {
  for (const auto& [device, most] : {std::pair("cpu", 16), std::pair("cuda:0", 32)}) {
    scripted::reset();
    ModelInfo info;
    info.device = device;
    scripted::set_info(info);
    begin();
    for (size_t i = 0; i < kCameras; ++i) give(i, 6);
    go_on();
    for (size_t i = 0; i < kCameras; ++i) wait_until_seen(i);
    EXPECT_EQ(scripted::most_pictures_in_a_call(), most);
    EXPECT_EQ(n_calls(), 48 / most + (48 % most ? 1 : 0));
    for (Camera& camera : cameras_) {
      camera.client.stop();
      camera.pictures.clear();
    }
  }
}

// A window's pictures that were looked at in another's call are not looked at once more.
TEST_F(PicturesTogether, EachIsSeenOnce) {
  begin();
  give(1, 2), give(2, 2);
  go_on();
  wait_until_seen(1), wait_until_seen(2);
  const int seen = scripted::n_frames_seen();
  auto window = window_at(0);
  window->frames.assign(cameras_[2].pictures.begin(), cameras_[2].pictures.end());
  cameras_[2].client.submit(window, OverloadPolicy::kBlock);
  EXPECT_TRUE(cameras_[2].client.wait_until_idle());
  EXPECT_EQ(scripted::n_frames_seen(), seen);
}

// The one whose call it is has a flush, or goes: the others' pictures are looked at all the same.
TEST_F(PicturesTogether, TheCallIsCancelled) {
  for (const bool goes : {false, true}) {
    scripted::reset();
    begin();
    for (size_t i = 0; i < 4; ++i) give(i, 2);
    scripted::hold(Step::kEncodeImages);
    const int before = scripted::count(Step::kEncodeImages);
    go_on();
    ASSERT_TRUE(scripted::wait_for(Step::kEncodeImages, before + 1));
    for (size_t i = 0; i < 3; ++i)  // whoever's it is, but for the last
      goes ? cameras_[i].client.stop() : cameras_[i].client.interrupt(1);
    scripted::release(Step::kEncodeImages);
    wait_until_seen(3);
    for (Camera& camera : cameras_) {
      camera.client.stop();
      camera.client.interrupt(0);
      camera.pictures.clear();
    }
  }
}

// One that lends its pictures and goes does not wait for the call that they are in.
TEST_F(PicturesTogether, ALenderGoes) {
  begin();
  give(1, 1), give(2, 1), give(3, 1);
  scripted::hold(Step::kEncodeImages);
  const int before = scripted::count(Step::kEncodeImages);
  go_on();
  ASSERT_TRUE(scripted::wait_for(Step::kEncodeImages, before + 1));
  for (const size_t i : {3u, 2u}) cameras_[i].client.stop();
  scripted::release(Step::kEncodeImages);
  wait_until_seen(1);
}

}  // namespace
}  // namespace vidi
