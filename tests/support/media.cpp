#include "tests/support/media.h"

#include <gtest/gtest.h>

namespace vidi::test {

uint32_t colour_of(int k) { return static_cast<uint32_t>(k + 1) * 0x010203 & 0xffffff; }

uint32_t colour_at(GstClockTime pts) { return static_cast<uint32_t>(GST_TIME_AS_MSECONDS(pts)); }

GstBuffer* rgb_frame(uint32_t colour, int width, int height, GstClockTime pts,
                     GstClockTime duration) {
  const int stride = GST_ROUND_UP_4(width * 3);
  GstBuffer* buffer =
      gst_buffer_new_allocate(nullptr, static_cast<gsize>(stride) * height, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      guint8* pixel = map.data + y * stride + x * 3;
      pixel[0] = colour >> 16, pixel[1] = colour >> 8, pixel[2] = colour;
    }
  }
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = duration;
  return buffer;
}

GstBuffer* mono_audio(int16_t value, GstClockTime pts, GstClockTime duration) {
  const gsize n = gst_util_uint64_scale_round(duration, 16000, GST_SECOND);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, n * sizeof(int16_t), nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < n; ++i) reinterpret_cast<int16_t*>(map.data)[i] = value;
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = duration;
  return buffer;
}

int16_t sample_at(int64_t position) { return static_cast<int16_t>(1 + position * 7919 % 32749); }

GstBuffer* sound_buffer(int64_t position, int64_t n_samples, GstClockTime pts) {
  std::vector<int16_t> samples;
  for (int64_t i = 0; i < n_samples; ++i) samples.push_back(sample_at(position + i));
  GstBuffer* buffer = gst_buffer_new_memdup(samples.data(), samples.size() * sizeof(int16_t));
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale_round(n_samples, GST_SECOND, 16000);
  return buffer;
}

void expect_sound(const std::vector<float>& samples, int64_t position, int64_t n_samples) {
  ASSERT_EQ(static_cast<int64_t>(samples.size()), n_samples);
  for (int64_t i = 0; i < n_samples; ++i) {
    ASSERT_NEAR(samples[i], sample_at(position + i) / 32768.0f, 1e-6) << "sample " << i;
  }
}

}  // namespace vidi::test
