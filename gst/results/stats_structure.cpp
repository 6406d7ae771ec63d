// The `stats` property: what the element has done so far.
#include <chrono>
#include <string>
#include <vector>

#include "gst/results/fields.h"
#include "gst/results/structures.h"

namespace vidi {
namespace {

std::vector<GstStructure*> device_structures(const Counters& counters) {
  std::vector<GstStructure*> all;
  for (const DeviceCounters& device : counters.devices) {
    Fields fields(VIDI_STRUCTURE_DEVICE);
    fields.text(VIDI_FIELD_DEVICE, device.device);
    fields.large(VIDI_FIELD_WINDOWS_COMPLETED, device.windows_completed);
    fields.large(VIDI_FIELD_WINDOWS_FAILED, device.windows_failed);
    fields.large(VIDI_FIELD_GPU_MEMORY, device.bytes);
    fields.text(VIDI_FIELD_ERROR, device.why_out);
    all.push_back(fields.take());
  }
  return all;
}

}  // namespace

GstStructure* stats_structure(const Counters& counters) {
  Fields fields(VIDI_STRUCTURE_STATS);
  fields.large(VIDI_FIELD_WINDOWS_SUBMITTED, counters.windows_submitted);
  fields.large(VIDI_FIELD_WINDOWS_COMPLETED, counters.windows_completed);
  fields.large(VIDI_FIELD_WINDOWS_GATED, counters.windows_gated);
  fields.large(VIDI_FIELD_WINDOWS_DROPPED, counters.windows_dropped());
  for (size_t i = 0; i < kDropReasons; ++i) {
    const std::string name =
        std::string(VIDI_FIELD_WINDOWS_DROPPED_FOR) + reason_name(static_cast<DropReason>(i));
    fields.large(name.c_str(), counters.dropped[i]);
  }
  fields.large(VIDI_FIELD_WINDOWS_FAILED, counters.windows_failed);
  fields.large(VIDI_FIELD_FRAMES_IN, counters.frames_in);
  fields.large(VIDI_FIELD_FRAMES_SAMPLED, counters.frames_sampled);
  fields.large(VIDI_FIELD_AUDIO_SAMPLES, counters.audio_samples);
  fields.large(VIDI_FIELD_PENDING, counters.pending);
  if (counters.windows_completed > 0) {
    const auto n = static_cast<int64_t>(counters.windows_completed);
    fields.time(VIDI_FIELD_INFERENCE_TIME_LAST, counters.inference_last);
    fields.time(VIDI_FIELD_INFERENCE_TIME_AVG, counters.inference_sum / n);
    fields.time(VIDI_FIELD_INFERENCE_TIME_MAX, counters.inference_max);
    fields.time(VIDI_FIELD_DELAY_LAST, counters.delay_last);
    fields.time(VIDI_FIELD_DELAY_AVG, counters.delay_sum / n);
    fields.time(VIDI_FIELD_DELAY_MAX, counters.delay_max);
  }
  if (counters.inference_sum.count() > 0)
    fields.real(VIDI_FIELD_REALTIME_FACTOR,
                std::chrono::duration<double>(counters.analysed) /
                    std::chrono::duration<double>(counters.inference_sum));
  fields.large(VIDI_FIELD_SAMPLE_MEMORY, counters.sample_bytes);
  fields.large(VIDI_FIELD_GPU_MEMORY, counters.device_bytes);
  fields.large(VIDI_FIELD_LEFT_OUT, counters.left_out);
  fields.text(VIDI_FIELD_DEVICE, counters.device);
  fields.text(VIDI_FIELD_PRECISION, counters.precision);
  fields.text(VIDI_FIELD_WEIGHTS, counters.weights);
  fields.text(VIDI_FIELD_KEYS, counters.keys);
  fields.text(VIDI_FIELD_PLAN, counters.plan);
  fields.text(VIDI_FIELD_WHY_NO_GPU, counters.why_no_gpu);
  if (counters.devices.size() > 1)
    fields.structures(VIDI_FIELD_DEVICES, device_structures(counters));
  return fields.take();
}

}  // namespace vidi
