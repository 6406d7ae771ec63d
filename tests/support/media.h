// Pictures and sound that the scripted engine recognises.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <vector>

namespace vidi::test {

uint32_t colour_of(int second);        // its three channels differ, and none is 0
uint32_t colour_at(GstClockTime pts);  // the time in ms
// A solid picture of one colour: what the scripted engine sees of it is exactly 0xRRGGBB.
GstBuffer* rgb_frame(uint32_t colour, int width, int height, GstClockTime pts,
                     GstClockTime duration);

// Mono S16 at 16 kHz, every sample the same.
GstBuffer* mono_audio(int16_t value, GstClockTime pts, GstClockTime duration);
// The test sound, of the same form: no two seconds are alike, and no sample is 0.
int16_t sample_at(int64_t position);
GstBuffer* sound_buffer(int64_t position, int64_t n_samples, GstClockTime pts);
// All samples as sample_at() from `position` on.
void expect_sound(const std::vector<float>& samples, int64_t position, int64_t n_samples);

}  // namespace vidi::test
