// What is counted of windows, and the reasons to drop one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gst/media_time.h"

namespace vidi {

// Why a window was not analysed.
enum class DropReason { kOverload, kTooFewFrames, kOutOfMemory, kFlush, kModelFailed, kStopped };
inline constexpr size_t kDropReasons = 6;

// What one device has done for an element.
struct DeviceCounters {
  std::string device;
  uint64_t windows_completed = 0, windows_failed = 0, bytes = 0;
  std::string why_out;  // it is left out: why; else empty
};

// Behind `stats`. Every window is counted once: submitted is always completed + gated + failed +
// dropped for some reason + pending.
struct Counters {
  uint64_t windows_submitted = 0, windows_completed = 0, windows_failed = 0;
  uint64_t windows_gated = 0;  // the gate was closed for them: neither analysed nor lost
  std::array<uint64_t, kDropReasons> dropped{};  // by reason
  uint64_t frames_in = 0, frames_sampled = 0, audio_samples = 0;
  uint64_t pending = 0;  // that wait for the model, or are with it
  Time inference_last{}, inference_max{}, inference_sum{};
  Time delay_last{}, delay_max{}, delay_sum{};
  Time analysed{};  // length of the analysed windows' new parts, for the realtime factor
  uint64_t sample_bytes = 0, device_bytes = 0;
  uint64_t left_out = 0;  // of what was said: Delivery::n_left_out()
  std::string device, precision, weights, keys, plan, why_no_gpu;  // of the model, once it is ready
  std::vector<DeviceCounters> devices;

  uint64_t windows_dropped() const;  // for any reason
  void count_drops(size_t n, DropReason reason);
  // `delay`: from the stream's passing of the window's end to now.
  void count_completed(Time inference, Time delay);
};

}  // namespace vidi
