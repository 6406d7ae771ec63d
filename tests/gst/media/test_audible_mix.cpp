// Channels that cancel each other: what a listener hears is heard, without a click, and sound whose
// mix is fine stays bit for bit.
#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "gst/media/audio_input.h"

namespace vidi {
namespace {

using Floats = std::vector<float>;
using Wave = std::function<double(int64_t i, int channel)>;

constexpr int64_t kSecond = kAudioRate;  // samples; the rate of the input as well, unless it says
// Nothing that began to cancel is lost for longer: 100 ms that are looked at, and the fade.
constexpr int64_t kReaction = kSecond * 13 / 100;

double tone(double hz, int64_t i) {
  return 0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / kAudioRate);
}

double noise(int64_t i, int which) {
  auto n = static_cast<uint32_t>(i) * 2654435761u ^ static_cast<uint32_t>(which + 1) * 2246822519u;
  n = (n ^ n >> 15) * 2654435769u;
  return static_cast<double>((n ^ n >> 13) & 0xFFFF) / 32768 - 1;
}

// Noise in syllables, four a second, with a pause after every eight.
double speech(int64_t i, int which = 0) {
  const double t = static_cast<double>(i) / kAudioRate;
  const double syllable = std::max(0.0, std::sin(2 * std::numbers::pi * 4 * t));
  return std::fmod(t, 3) < 2 ? 0.4 * syllable * (noise(i, which) + noise(i - 1, which)) / 2 : 0;
}

GstCaps* caps_of(int channels, const std::string& more) {
  return gst_caps_from_string(("audio/x-raw, format=F32LE, rate=16000, layout=interleaved, "
                               "channels=" +
                               std::to_string(channels) + more)
                                  .c_str());
}

const std::string kStereo = ", channel-mask=(bitmask)0x3";
const std::string k51 = ", channel-mask=(bitmask)0x3f";  // FL FR FC LFE RL RR

Floats interleaved(const Wave& wave, int channels, int64_t n) {
  Floats samples;
  for (int64_t i = 0; i < n; ++i)
    for (int c = 0; c < channels; ++c) samples.push_back(static_cast<float>(wave(i, c)));
  return samples;
}

GstBuffer* buffer_of(const float* samples, size_t n, GstClockTime pts) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, n * sizeof(float), nullptr);
  gst_buffer_fill(buffer, 0, samples, n * sizeof(float));
  GST_BUFFER_PTS(buffer) = pts;
  return buffer;
}

// What is heard of `n` samples, pushed in blocks.
Floats heard(const Wave& wave, int channels, int64_t n, const std::string& more = kStereo,
             int64_t block = 1024) {
  AudioTrack track;
  AudioInput input(track);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  input.set_segment(segment);
  GstCaps* caps = caps_of(channels, more);
  EXPECT_TRUE(input.set_caps(caps));
  gst_caps_unref(caps);
  const Floats all = interleaved(wave, channels, n);
  for (int64_t i = 0; i < n; i += block) {
    const int64_t count = std::min(block, n - i);
    GstBuffer* buffer = buffer_of(&all[i * channels], count * channels,
                                  gst_util_uint64_scale(i, GST_SECOND, kAudioRate));
    EXPECT_TRUE(input.push(buffer));
    gst_buffer_unref(buffer);
  }
  input.drain();
  Floats samples = track.read(0, 3600 * kAudioRate).samples;
  samples.resize(n);
  return samples;
}

// GStreamer's own mix.
Floats mixed(const Wave& wave, int channels, int64_t n, const std::string& more = kStereo) {
  GstCaps* caps = caps_of(channels, more);
  GstAudioInfo info, mono;
  gst_audio_info_from_caps(&info, caps);
  gst_caps_unref(caps);
  gst_audio_info_set_format(&mono, GST_AUDIO_FORMAT_F32, info.rate, 1, nullptr);
  auto* mix = gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &info, &mono, nullptr);
  Floats all = interleaved(wave, channels, n), out(n);
  gpointer from[] = {all.data()}, to[] = {out.data()};
  gst_audio_converter_samples(mix, GST_AUDIO_CONVERTER_FLAG_NONE, from, n, to, n);
  gst_audio_converter_free(mix);
  return out;
}

Floats one_channel(const Wave& wave, int channel, int64_t n) {
  Floats samples;
  for (int64_t i = 0; i < n; ++i) samples.push_back(static_cast<float>(wave(i, channel)));
  return samples;
}

double power(const Floats& samples, int64_t from, int64_t to) {
  double sum = 0;
  for (int64_t i = from; i < to; ++i) sum += double{samples[i]} * samples[i];
  return sum / static_cast<double>(to - from);
}

float largest_step(const Floats& samples) {
  float largest = 0;
  for (size_t i = 1; i < samples.size(); ++i)
    largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
  return largest;
}

void expect_equal_from(int64_t from, const Floats& got, const Floats& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = from; i < got.size(); ++i) ASSERT_EQ(got[i], expected[i]) << i;
}

struct AudibleMixTest : ::testing::Test {
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

// Stereo whose right channel is the left one upside down is heard as the left one, wherever its
// channels are said to sound, and however it is cut into buffers.
TEST_F(AudibleMixTest, AntiphaseStereoIsHeard) {
  const Wave sine = [](int64_t i, int c) { return (c ? -1 : 1) * tone(440, i); };
  const Wave voice = [](int64_t i, int c) { return (c ? -1 : 1) * speech(i); };
  for (const std::string& where : {kStereo, std::string(", channel-mask=(bitmask)0x0")}) {
    for (const Wave& wave : {sine, voice}) {
      const Floats out = heard(wave, 2, 5 * kSecond, where);
      expect_equal_from(kReaction, out, one_channel(wave, 0, 5 * kSecond));
      for (const int64_t block : {1, 37, 160, 48000})
        EXPECT_EQ(heard(wave, 2, 5 * kSecond, where, block), out) << block;
    }
  }
}

// The louder channel is heard where one is upside down and not as loud.
TEST_F(AudibleMixTest, TheLoudestIsHeard) {
  const Wave wave = [](int64_t i, int c) { return (c ? 1.0 : -0.8) * speech(i); };
  expect_equal_from(kReaction, heard(wave, 2, 3 * kSecond), one_channel(wave, 1, 3 * kSecond));
}

// Noise of its own in each channel, as of two microphones, changes nothing of that.
TEST_F(AudibleMixTest, NoisyAntiphaseIsHeard) {
  const Wave wave = [](int64_t i, int c) {
    return (c ? -1 : 1) * speech(i) + 0.01 * noise(i, 7 + c);
  };
  const Floats out = heard(wave, 2, 9 * kSecond);
  const double whole = power(one_channel(wave, 0, 9 * kSecond), 0, 9 * kSecond);
  EXPECT_GT(power(out, 0, 9 * kSecond), 0.9 * whole);
}

// One inverted channel among six: heard when it cancels what the others have, left alone when the
// mix has enough of the rest.
TEST_F(AudibleMixTest, OneOfSixChannels) {
  const Wave pair = [](int64_t i, int c) { return c == 0 ? speech(i) : c == 1 ? -speech(i) : 0.0; };
  const int64_t n = 4 * kSecond;
  expect_equal_from(kReaction, heard(pair, 6, n, k51), one_channel(pair, 0, n));
  const Wave film = [](int64_t i, int c) {
    constexpr double kSigns[] = {1, -1, 0, 0, 0, 0};
    return kSigns[c] * speech(i) * 0.5 + (c == 2 ? speech(i, 3) : 0);
  };
  EXPECT_EQ(heard(film, 6, n, k51), mixed(film, 6, n, k51));
  // The same voice in front and, louder, in the centre, wired wrong there.
  const Wave centre = [](int64_t i, int c) {
    constexpr double kParts[] = {0.3, 0.3, -0.8, 0, 0, 0};
    return kParts[c] * speech(i);
  };
  expect_equal_from(kReaction, heard(centre, 6, n, k51), one_channel(centre, 2, n));
}

// What a mix is made for stays as GStreamer mixes it, bit for bit: common sound, panned sound,
// independent channels, one channel alone, echoes, chords, six channels of their own, a rumble in
// the low frequency channel.
TEST_F(AudibleMixTest, OrdinarySoundIsUnchanged) {
  const std::vector<Wave> ordinary = {
      [](int64_t i, int) { return speech(i); },
      [](int64_t i, int c) { return (c ? 0.2 : 0.9) * speech(i); },
      [](int64_t i, int c) { return 0.5 * noise(i, c); },
      [](int64_t i, int c) { return c ? 0.0 : tone(300, i); },
      [](int64_t i, int c) { return speech(i - 90 * c) + 0.3 * speech(i - 1300 * (1 - c), 5); },
      [](int64_t i, int c) { return tone(220, i) * 0.4 + tone(c ? 331 : 277, i) * 0.5; },
      [](int64_t i, int c) { return 0.7 * tone(150, i) + (c ? -0.2 : 0.2) * noise(i, 1); },
  };
  for (size_t k = 0; k < ordinary.size(); ++k)
    EXPECT_EQ(heard(ordinary[k], 2, 9 * kSecond), mixed(ordinary[k], 2, 9 * kSecond)) << k;
  const Wave six = [](int64_t i, int c) { return 0.5 * noise(i, c); };
  EXPECT_EQ(heard(six, 6, 3 * kSecond, k51), mixed(six, 6, 3 * kSecond, k51));
  const Wave rumble = [](int64_t i, int c) { return c == 3 ? tone(40, i) : 0.001 * noise(i, c); };
  EXPECT_EQ(heard(rumble, 6, 3 * kSecond, k51), mixed(rumble, 6, 3 * kSecond, k51));
}

// Sound that turns from common to inverted and back is heard throughout, and no step between two
// samples is larger than the sound's own.
TEST_F(AudibleMixTest, SwitchesWithoutAClick) {
  // At passages through zero, so that the right channel has no step of its own.
  for (const double hz : {100.0, 440.0}) {
    const Wave wave = [hz](int64_t i, int c) {
      return (c == 1 && i / (2 * kSecond) % 2 ? -1 : 1) * tone(hz, i);
    };
    const int64_t n = 12 * kSecond;
    const Floats out = heard(wave, 2, n);
    EXPECT_LE(largest_step(out), largest_step(one_channel(wave, 0, n)) * 1.001f) << hz;
    const double whole = power(one_channel(wave, 0, n), 0, n);
    for (int64_t from = kReaction; from + 2 * kSecond <= n; from += 2 * kSecond)
      EXPECT_NEAR(power(out, from, from + kSecond) / whole, 1, 0.01) << hz << " " << from;
  }
}

// A channel that is heard is kept while it is about as loud as the others: no change of sides.
TEST_F(AudibleMixTest, KeepsTheChannel) {
  const Wave wave = [](int64_t i, int c) {
    const double sway = 1 + 0.05 * std::sin(static_cast<double>(i) / 1500) * (c ? -1 : 1);
    return (c ? -1 : 1) * sway * tone(200, i);
  };
  const Floats out = heard(wave, 2, 6 * kSecond);
  const Floats left = one_channel(wave, 0, 6 * kSecond), right = one_channel(wave, 1, 6 * kSecond);
  const bool is_left = out.back() == left.back();
  expect_equal_from(kReaction, out, is_left ? left : right);
}

// ---- After a codec -----------------------------------------------------------------------------

bool is_installed(const std::string& factory) {
  GstElementFactory* found = gst_element_factory_find(factory.c_str());
  if (found) gst_object_unref(found);
  return found != nullptr;
}

// One tone with pauses as two inverted channels, coded and decoded; what is heard of it.
Floats heard_after(const std::string& codec) {
  const std::string line =
      "audiotestsrc wave=sine freq=500 volume=0.5 num-buffers=200 samplesperbuffer=1024 ! "
      "audio/x-raw,format=F32LE,rate=48000,channels=1 ! audioconvert "
      "mix-matrix=\"<<(float)1.0>,<(float)-1.0>>\" ! audio/x-raw,channels=2,"
      "channel-mask=(bitmask)0x3 ! audioconvert ! " +
      codec + " ! audioconvert ! audio/x-raw,format=F32LE ! appsink name=end sync=false";
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(line.c_str(), &error);
  EXPECT_FALSE(error) << (error ? error->message : "");
  g_clear_error(&error);
  GstElement* end = gst_bin_get_by_name(GST_BIN(pipeline), "end");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  AudioTrack track;
  AudioInput input(track);
  while (GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(end))) {
    input.set_segment(*gst_sample_get_segment(sample));
    EXPECT_TRUE(input.set_caps(gst_sample_get_caps(sample)));
    EXPECT_TRUE(input.push(gst_sample_get_buffer(sample)));
    gst_sample_unref(sample);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(end);
  gst_object_unref(pipeline);
  input.drain();
  return track.read(0, 3600 * kAudioRate).samples;
}

// A codec leaves a rest in the mix; the sound is heard all the same, about as loud as it was.
TEST_F(AudibleMixTest, HeardAfterALossyCodec) {
  int n = 0;
  struct Codec {
    std::string encoder, between, decoder;
  };
  // None of libav's: with its plugin come factories that are never freed, which the leak watch
  // sees.
  for (const auto& [encoder, between, decoder] :
       {Codec{"vorbisenc", " ! ", "vorbisdec"}, Codec{"opusenc", " bitrate=96000 ! ", "opusdec"},
        Codec{"lamemp3enc", " target=bitrate bitrate=128 ! mpegaudioparse ! ", "mpg123audiodec"},
        Codec{"voaacenc", " bitrate=128000 ! aacparse ! ", "faad"}}) {
    if (!is_installed(encoder.c_str()) || !is_installed(decoder.c_str())) continue;
    ++n;
    const Floats out = heard_after(encoder + between + decoder);
    ASSERT_GT(out.size(), static_cast<size_t>(4 * kSecond)) << encoder;
    EXPECT_NEAR(power(out, kSecond, 4 * kSecond) / 0.125, 1, 0.3) << encoder;
  }
  EXPECT_GT(n, 1) << "expected encoders of GStreamer's base plugins";
}

}  // namespace
}  // namespace vidi
