// A random model of the published sizes on a GPU.
#pragma once

#include <ATen/DeviceAccelerator.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "model/device/device.h"
#include "model/session/vidi_session.h"
#include "tests/support/aten.h"
#include "tests/support/case.h"
#include "tests/tools/geometry.h"

namespace vidi {

// The real sizes of Vidi1.5-9B, a picture a second and sound.
struct RealSizes {
  explicit RealSizes(uint64_t limit) {
    OpenOptions options;
    options.device = "cuda", options.precision = Precision::kFp16, options.memory_limit = limit;
    const CheckpointGeometry geometry = checkpoint_geometry("vidi1.5-9b");
    session = VidiSession::random(config_of(geometry), shapes_of(geometry), options, 1);
  }
  Result<std::vector<std::shared_ptr<const FrameFeatures>>> encode_images(int n) {
    const std::vector<Frame> frames(n, Frame{picture.data(), 384, 384, 3 * 384});
    return session->encode_images(frames, Cancel());
  }
  Window window(int seconds) {
    Window window;
    window.duration_s = seconds;
    window.frames = value_of(encode_images(seconds));
    const std::vector<float> samples(480000, 0.1f);
    for (int left = seconds * 16000; left > 0; left -= 480000)
      window.audio.push_back(
          value_of(session->encode_audio(samples.data(), std::min(left, 480000), Cancel())));
    return window;
  }
  int64_t held() const { return memory_use(session->model().device()).held; }

  std::vector<uint8_t> picture = std::vector<uint8_t>(3 * 384 * 384, 100);
  std::unique_ptr<VidiSession> session;
};

// Needs a device of more than 25 GB that is free.
class CudaRealSizes : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no CUDA device";
    free_device_cache(at::Device(at::kCUDA, 0));
    if (at::accelerator::getMemoryInfo(0).first < 25'000'000'000u)
      GTEST_SKIP() << "less than 25 GB of device memory are free";
  }
  c10::InferenceMode inference_;
};

}  // namespace vidi
