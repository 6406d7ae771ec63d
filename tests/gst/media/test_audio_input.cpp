#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "gst/media/audio_input.h"

namespace vidi {
namespace {

using Floats = std::vector<float>;
using Wave = std::function<double(int64_t i, int channel)>;
struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using Buffer = std::unique_ptr<GstBuffer, Unref>;
using Caps = std::unique_ptr<GstCaps, Unref>;

Caps make_caps(const std::string& format, int rate, int channels, const std::string& more = "") {
  return Caps(gst_caps_from_string(
      ("audio/x-raw, format=(string)" + format + ", rate=(int)" + std::to_string(rate) +
       ", channels=(int)" + std::to_string(channels) +
       (more.find("layout") == std::string::npos ? ", layout=(string)interleaved" : "") + more)
          .c_str()));
}

GstSegment time_segment(GstClockTime start = 0, GstClockTime stop = GST_CLOCK_TIME_NONE,
                        GstClockTime base = 0) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start;
  segment.stop = stop;
  segment.base = base;
  return segment;
}

template <class T>
Buffer make_buffer(const std::vector<T>& values, GstClockTime pts) {
  Buffer buffer(gst_buffer_new_allocate(nullptr, values.size() * sizeof(T), nullptr));
  gst_buffer_fill(buffer.get(), 0, values.data(), values.size() * sizeof(T));
  GST_BUFFER_PTS(buffer.get()) = pts;
  return buffer;
}

Floats sampled(const Wave& wave, int64_t first, int64_t n, int channels = 1) {
  Floats values;
  for (int64_t i = first; i < first + n; ++i)
    for (int c = 0; c < channels; ++c) values.push_back(static_cast<float>(wave(i, c)));
  return values;
}

GstClockTime time_of(int64_t sample, int rate) {
  return gst_util_uint64_scale(sample, GST_SECOND, rate);
}

// A critical or warning of GStreamer fails the test: untrusted buffers must be refused before.
class AudioInputTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    gst_init(nullptr, nullptr);
    old_mask_ = g_log_set_always_fatal(
        static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK));
  }
  static void TearDownTestSuite() { g_log_set_always_fatal(old_mask_); }
  void SetUp() override { input_.set_segment(time_segment()); }

  void use(const Caps& caps) {
    auto result = input_.set_caps(caps.get());
    ASSERT_TRUE(result) << result.error().message;
  }
  void push(const Buffer& buffer) {
    auto result = input_.push(buffer.get());
    ASSERT_TRUE(result) << result.error().message;
  }
  // `n` samples from sample `first` on, in blocks, each stamped with its exact time.
  void play(int rate, const Wave& wave, int64_t first, int64_t n, int64_t block = 1024) {
    for (int64_t i = first; i < first + n; i += block)
      push(make_buffer(sampled(wave, i, std::min(block, first + n - i)), time_of(i, rate)));
  }
  Floats all() const {
    Floats samples = track_.read(0, 3600 * kAudioRate).samples;
    return samples;
  }
  std::string refusal(const Buffer& buffer) {
    auto result = input_.push(buffer.get());
    return result ? "" : result.error().message;
  }

  static inline GLogLevelFlags old_mask_;
  AudioTrack track_;
  AudioInput input_{track_};
};

double one(int64_t, int) { return 0.5; }
Wave sine(double hz, int rate, double loudness = 0.8) {
  return [=](int64_t i, int) {
    return loudness * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate);
  };
}

// At 16 kHz, mono samples pass unchanged and stereo becomes the mean.
TEST_F(AudioInputTest, SameRateIsUnchanged) {
  use(make_caps("F32LE", 16000, 1));
  push(make_buffer<float>({0.25f, -0.5f, 1.0f, -1.0f, 1e-7f}, 0));
  EXPECT_EQ(all(), (Floats{0.25f, -0.5f, 1.0f, -1.0f, 1e-7f}));
  track_.clear();
  input_.flush();
  use(make_caps("S16LE", 16000, 1));
  push(make_buffer<int16_t>({16384, -32768, 1, 32767}, 0));
  EXPECT_EQ(all(), (Floats{0.5f, -1.0f, 1 / 32768.0f, 32767 / 32768.0f}));
  track_.clear();
  input_.flush();
  use(make_caps("S16LE", 16000, 2));
  push(make_buffer<int16_t>({16384, 0, -32768, -32768, 100, -100}, 0));
  EXPECT_EQ(all(), (Floats{0.25f, -1.0f, 0.0f}));
}

// Every raw format carries the same tone to within its own precision.
TEST_F(AudioInputTest, EveryFormatIsRead) {
  const Caps caps(audio_template_caps());
  const GValue* formats = gst_structure_get_value(gst_caps_get_structure(caps.get(), 0), "format");
  ASSERT_GE(gst_value_list_get_size(formats), 30u);
  const Wave wave = sine(440, 16000);
  for (guint k = 0; k < gst_value_list_get_size(formats); ++k) {
    const char* format = g_value_get_string(gst_value_list_get_value(formats, k));
    const auto* info = gst_audio_format_get_info(gst_audio_format_from_string(format));
    std::vector<uint8_t> packed(static_cast<size_t>(400 * info->width / 8));
    const bool is_float = GST_AUDIO_FORMAT_INFO_IS_FLOAT(info);
    std::vector<double> doubles;
    std::vector<int32_t> integers;
    for (int i = 0; i < 400; ++i) {
      doubles.push_back(wave(i, 0));
      integers.push_back(static_cast<int32_t>(wave(i, 0) * 2147483647.0));
    }
    gconstpointer plain = integers.data();
    if (is_float) plain = doubles.data();
    info->pack_func(info, GST_AUDIO_PACK_FLAG_NONE, plain, packed.data(), 400);
    input_.flush();
    track_.clear();
    use(make_caps(format, 16000, 1));
    push(make_buffer(packed, 0));
    const Floats out = all();
    ASSERT_EQ(out.size(), 400u) << format;
    for (int i = 0; i < 400; ++i)
      ASSERT_NEAR(out[i], wave(i, 0), info->depth <= 8 ? 0.01 : 1e-4) << format << " " << i;
  }
}

// Whatever the rate, an impulse at 1 s lands at position 16000, with its whole area.
TEST_F(AudioInputTest, ImpulseKeepsItsTime) {
  for (int rate : {8000, 11025, 22050, 24000, 32000, 44100, 48000, 96000, 192000}) {
    track_.clear();
    input_.flush();
    use(make_caps("F32LE", rate, 1));
    play(
        rate, [rate](int64_t i, int) { return i == rate ? 0.9 : 0.0; }, 0, 2 * rate, 1000);
    input_.drain();
    const Floats out = all();
    EXPECT_EQ(out.size(), 32000u) << rate;
    const auto peak = std::max_element(out.begin(), out.end()) - out.begin();
    EXPECT_EQ(peak, 16000) << rate;
    double area = 0;
    for (float sample : out) area += sample;
    EXPECT_NEAR(area, 0.9 * 16000 / rate, 0.02 * 16000 / rate) << rate;
  }
}

// A 1 kHz tone keeps phase and loudness at any rate, through blocks of any size, to its very end.
TEST_F(AudioInputTest, ToneKeepsItsPhase) {
  for (int rate : {8000, 11025, 44100, 48000, 384000})
    for (int block : {1, 333, 100000}) {
      track_.clear();
      input_.flush();
      use(make_caps("F32LE", rate, 1));
      play(rate, sine(1000, rate), 0, rate / 2, block);
      input_.drain();
      const Floats out = all();
      ASSERT_EQ(out.size(), static_cast<size_t>(std::lround(rate / 2 * 16000.0 / rate))) << rate;
      const Wave expected = sine(1000, 16000);
      for (size_t i = 300; i + 300 < out.size(); ++i)
        ASSERT_NEAR(out[i], expected(static_cast<int64_t>(i), 0), 1e-4) << rate << " " << i;
    }
}

// How a stream is cut into buffers does not change one sample.
TEST_F(AudioInputTest, BlocksDoNotMatter) {
  const Wave wave = sine(777, 44100);
  use(make_caps("F32LE", 44100, 1));
  play(44100, wave, 0, 44100, 44100);
  input_.drain();
  const Floats whole = all();
  track_.clear();
  play(44100, wave, 0, 44100, 77);
  input_.drain();
  EXPECT_EQ(all(), whole);
}

// An hour of buffers with rounded timestamps ends where it must, without a hole or an overlap.
TEST_F(AudioInputTest, NoDriftInAnHour) {
  const int64_t rate = 44100, n = 3600 * rate;
  use(make_caps("S16LE", 44100, 1));
  const std::vector<int16_t> silence(1024);
  for (int64_t i = 0; i < n; i += 1024) push(make_buffer(silence, time_of(i, 44100)));
  input_.drain();
  const int64_t n_blocks = (n + 1023) / 1024;
  const int64_t end = std::llround(static_cast<double>(n_blocks * 1024) * 16000 / 44100);
  EXPECT_TRUE(track_.complete_until(end));
  EXPECT_FALSE(track_.complete_until(end + 16));
  EXPECT_EQ(track_.n_received(), static_cast<uint64_t>(end));  // each sample once
}

// A clock that is 0.1 % fast is followed: the sound is never more than 40 ms off its timestamps.
TEST_F(AudioInputTest, DriftingClockIsFollowed) {
  use(make_caps("S16LE", 48000, 1));
  const std::vector<int16_t> block(480, 1000);
  GstClockTime pts = 0;
  for (int i = 0; i < 20000; ++i, pts += 10010 * GST_USECOND) push(make_buffer(block, pts));
  input_.drain();
  const int64_t end = audio_position(Time(pts));
  EXPECT_FALSE(track_.complete_until(end + 1));
  EXPECT_TRUE(track_.complete_until(end - 640 - 16));
  EXPECT_NEAR(static_cast<double>(track_.n_received()), 200 * 16000, 200);
}

// Jitter below 40 ms is smoothed; a jump beyond is a hole, or an overlap where the newer wins.
TEST_F(AudioInputTest, JumpsAndJitter) {
  use(make_caps("F32LE", 16000, 1));
  const Floats block(1600, 0.5f);
  push(make_buffer(block, 0));
  push(make_buffer(block, 139 * GST_MSECOND));  // 39 ms late
  push(make_buffer(block, 161 * GST_MSECOND));  // 39 ms early
  EXPECT_EQ(all(), Floats(4800, 0.5f));
  push(make_buffer(block, 341 * GST_MSECOND));
  Floats out = all();
  ASSERT_EQ(out.size(), 5456u + 1600);
  EXPECT_EQ(out[4799], 0.5f);
  EXPECT_EQ(out[4800], 0.0f);
  EXPECT_EQ(out[5455], 0.0f);
  EXPECT_EQ(out[5456], 0.5f);
  push(make_buffer(Floats(1600, -0.25f), 100 * GST_MSECOND));
  out = all();
  EXPECT_EQ(out[1599], 0.5f);
  EXPECT_EQ(out[1600], -0.25f);
  EXPECT_EQ(out[3199], -0.25f);
  EXPECT_EQ(out[3200], 0.5f);
  EXPECT_EQ(out.size(), 7056u);
}

// Before a hole the resampler's tail is written, behind it nothing of the old sound is heard.
TEST_F(AudioInputTest, HoleDrainsTheResampler) {
  use(make_caps("F32LE", 48000, 1));
  play(48000, one, 0, 48000);
  play(
      48000, [](int64_t, int) { return -0.25; }, 96000, 48000);
  input_.drain();
  const Floats out = all();
  ASSERT_EQ(out.size(), 48000u);
  EXPECT_NEAR(out[15000], 0.5, 1e-3);
  EXPECT_NEAR(out[15990], 0.5, 0.06);
  for (int i = 16000; i < 32000; ++i) ASSERT_EQ(out[i], 0) << i;
  EXPECT_NEAR(out[32010], -0.25, 0.03);
  EXPECT_NEAR(out[33000], -0.25, 1e-3);
}

// Samples outside of the segment are dropped; positions are running times.
TEST_F(AudioInputTest, SegmentsClipAndShift) {
  input_.set_segment(time_segment(10 * GST_SECOND, 11 * GST_SECOND, 2 * GST_SECOND));
  use(make_caps("F32LE", 16000, 1));
  push(make_buffer(Floats(16000, 0.1f), 8 * GST_SECOND));
  EXPECT_EQ(track_.n_received(), 0u);
  push(make_buffer(Floats(16000, 0.2f), 9500 * GST_MSECOND));
  push(make_buffer(Floats(16000, 0.3f), 10500 * GST_MSECOND));
  push(make_buffer(Floats(16000, 0.4f), 11500 * GST_MSECOND));
  const auto stretch = track_.read(0, 10 * kAudioRate);
  ASSERT_EQ(stretch.samples.size(), 48000u);
  EXPECT_EQ(stretch.samples[31999], 0.0f);
  EXPECT_EQ(stretch.samples[32000], 0.2f);
  EXPECT_EQ(stretch.samples[39999], 0.2f);
  EXPECT_EQ(stretch.samples[40000], 0.3f);
  EXPECT_EQ(stretch.samples[47999], 0.3f);
  EXPECT_EQ(track_.n_received(), 16000u);
  // A segment that follows in running time goes on without a seam.
  input_.set_segment(time_segment(0, GST_CLOCK_TIME_NONE, 3 * GST_SECOND));
  push(make_buffer(Floats(160, 0.5f), 0));
  EXPECT_EQ(track_.read(48000, 60000).samples, Floats(160, 0.5f));
}

// A GAP stores nothing, moves the track on and keeps the next buffer at its own time.
TEST_F(AudioInputTest, GapsMoveOn) {
  use(make_caps("F32LE", 44100, 1));
  play(44100, one, 0, 44100);
  input_.gap(GST_SECOND, GST_SECOND);
  EXPECT_TRUE(track_.complete_until(32000));
  EXPECT_FALSE(track_.complete_until(32001));
  EXPECT_EQ(track_.n_received(), 16000u);
  push(make_buffer(sampled(one, 0, 4410), GST_CLOCK_TIME_NONE));  // goes on behind the gap
  input_.drain();
  EXPECT_EQ(track_.read(32000, 99999).samples.size(), 1600u);
  input_.gap(5 * GST_SECOND, GST_CLOCK_TIME_NONE);
  EXPECT_TRUE(track_.complete_until(80000));
  input_.gap(GST_CLOCK_TIME_NONE, GST_SECOND);  // nonsense is ignored
  input_.gap(6 * GST_SECOND, G_MAXUINT64 - 5);
  EXPECT_EQ(track_.n_received(), 17600u);
}

// A short GAP event is honoured too, though it is below the alignment threshold.
TEST_F(AudioInputTest, ShortGap) {
  use(make_caps("F32LE", 16000, 1));
  push(make_buffer(Floats(160, 0.5f), 0));
  input_.gap(10 * GST_MSECOND, 5 * GST_MSECOND);
  push(make_buffer(Floats(160, 0.5f), 15 * GST_MSECOND));
  const Floats out = all();
  ASSERT_EQ(out.size(), 400u);
  EXPECT_EQ(out[160], 0.0f);
  EXPECT_EQ(out[239], 0.0f);
  EXPECT_EQ(out[240], 0.5f);
}

// The data of a GAP-flagged buffer is never heard.
TEST_F(AudioInputTest, GapFlagIsSilence) {
  for (int rate : {16000, 48000}) {
    track_.clear();
    input_.flush();
    use(make_caps("F32LE", rate, 1));
    const Buffer buffer = make_buffer(Floats(rate, 0.9f), 0);
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_GAP);
    push(buffer);
    input_.drain();
    EXPECT_EQ(all(), Floats(16000, 0.0f));
  }
}

// Not-a-number and infinity become silence, without a trace in their neighbours; the rest is
// clipped.
TEST_F(AudioInputTest, WildFloatsAreTamed) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  use(make_caps("F32LE", 16000, 1));
  push(make_buffer<float>({0.5f, nan, inf, -inf, 7.0f, -1e30f, 0.25f}, 0));
  EXPECT_EQ(all(), (Floats{0.5f, 0, 0, 0, 1.0f, -1.0f, 0.25f}));
  for (const char* format : {"F64LE", "F32LE"}) {
    track_.clear();
    input_.flush();
    use(make_caps(format, 48000, 2));
    std::vector<double> wild(9600, 1e300);
    wild[100] = std::numeric_limits<double>::quiet_NaN();
    wild[201] = -std::numeric_limits<double>::infinity();
    push(std::string(format) == "F64LE" ? make_buffer(wild, 0)
                                        : make_buffer(Floats(wild.begin(), wild.end()), 0));
    input_.drain();
    const Floats out = all();
    ASSERT_EQ(out.size(), 1600u);
    for (float sample : out) ASSERT_TRUE(sample >= -1 && sample <= 1) << sample;
  }
}

// Channels without positions are averaged, also 64 of them; planes of their own read the same.
TEST_F(AudioInputTest, ManyChannels) {
  for (int channels : {1, 2, 3, 8, 9, 64})
    for (bool planar : {false, true}) {
      track_.clear();
      input_.flush();
      const Caps caps = make_caps("S16LE", 16000, channels,
                                  std::string(", channel-mask=(bitmask)0x0, layout=(string)") +
                                      (planar ? "non-interleaved" : "interleaved"));
      use(caps);
      std::vector<int16_t> values(static_cast<size_t>(100 * channels));
      double mean = 0;
      for (int c = 0; c < channels; ++c) {
        mean += c * 100 / 32768.0 / channels;
        for (int i = 0; i < 100; ++i)
          values[planar ? c * 100 + i : i * channels + c] = static_cast<int16_t>(c * 100);
      }
      const Buffer buffer = make_buffer(values, 0);
      if (planar) {
        EXPECT_NE(refusal(buffer), "");  // planes without a meta
        GstAudioInfo info;
        ASSERT_TRUE(gst_audio_info_from_caps(&info, caps.get()));
        gst_buffer_add_audio_meta(buffer.get(), &info, 100, nullptr);
      }
      push(buffer);
      const Floats out = all();
      ASSERT_EQ(out.size(), 100u);
      for (float sample : out) ASSERT_NEAR(sample, mean, 1e-5) << channels << planar;
    }
}

// Planes beyond the buffer's memory are refused, empty ones are nothing.
TEST_F(AudioInputTest, DamagedPlanes) {
  const Caps caps = make_caps("S16LE", 16000, 2, ", layout=(string)non-interleaved");
  use(caps);
  GstAudioInfo info;
  ASSERT_TRUE(gst_audio_info_from_caps(&info, caps.get()));
  const Buffer buffer = make_buffer(std::vector<int16_t>(200, 8192), 0);
  GstAudioMeta* meta = gst_buffer_add_audio_meta(buffer.get(), &info, 100, nullptr);
  for (gsize offset : {gsize{202}, gsize{400}, G_MAXSIZE / 2, G_MAXSIZE - 1}) {
    meta->offsets[1] = offset;
    EXPECT_NE(refusal(buffer), "") << offset;
  }
  meta->offsets[1] = 200;
  meta->samples = 0;
  push(buffer);
  EXPECT_EQ(track_.n_received(), 0u);
  meta->samples = 100;
  push(buffer);
  EXPECT_EQ(all(), Floats(100, 0.25f));
}

// Positioned surround sound is mixed by GStreamer: every full channel is heard, nothing clips.
TEST_F(AudioInputTest, Surround) {
  use(make_caps("F32LE", 16000, 6, ", channel-mask=(bitmask)0x3f"));
  push(make_buffer(Floats(600, 0.5f), 0));
  for (float sample : all()) ASSERT_NEAR(sample, 0.5, 0.01);
}

// New caps write out the old tail, and the sound goes on at its own time; equal caps change
// nothing.
TEST_F(AudioInputTest, CapsChange) {
  use(make_caps("F32LE", 48000, 1));
  play(48000, one, 0, 48000);
  use(make_caps("F32LE", 48000, 1));
  play(48000, one, 48000, 48000);
  use(make_caps("S16LE", 22050, 2));
  std::vector<int16_t> block(44100, 16384);
  push(make_buffer(block, 2 * GST_SECOND));
  input_.drain();
  const Floats out = all();
  ASSERT_EQ(out.size(), 48000u);
  for (int i = 100; i < 31900; ++i) ASSERT_NEAR(out[i], 0.5, 2e-3) << i;
  for (int i = 32100; i < 47900; ++i) ASSERT_NEAR(out[i], 0.5, 2e-3) << i;
  EXPECT_GT(out[31998], 0.1f);
}

// After a flush nothing of before is heard, and a buffer needs a timestamp again.
TEST_F(AudioInputTest, FlushForgets) {
  use(make_caps("F32LE", 48000, 1));
  EXPECT_NE(refusal(make_buffer(Floats(10), GST_CLOCK_TIME_NONE)), "");
  play(48000, one, 0, 4800);
  input_.flush();
  track_.clear();
  EXPECT_NE(refusal(make_buffer(Floats(10), GST_CLOCK_TIME_NONE)), "");
  input_.drain();
  EXPECT_EQ(track_.n_samples(), 0);
  push(make_buffer(Floats(4800), GST_SECOND));
  push(make_buffer(Floats(4800), GST_CLOCK_TIME_NONE));
  input_.drain();
  EXPECT_EQ(track_.read(16000, 99999).samples, Floats(3200, 0.0f));
}

// Damaged buffers, nonsense times and other segments are refused with a sentence; good ones pass
// afterwards.
TEST_F(AudioInputTest, DamageIsRefused) {
  EXPECT_NE(refusal(make_buffer(Floats(4), 0)), "");  // no caps yet
  input_.gap(0, GST_SECOND);
  input_.drain();
  use(make_caps("F32LE", 48000, 2));
  EXPECT_NE(refusal(make_buffer(std::vector<uint8_t>(7), 0)), "");
  EXPECT_NE(refusal(make_buffer(Floats(4), G_MAXUINT64 - 1)), "");
  EXPECT_NE(refusal(make_buffer(Floats(4), G_MAXINT64)), "");
  push(make_buffer(Floats(), 0));
  GstAudioInfo info;
  gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_F32LE, 48000, 6, nullptr);
  const Buffer contradicting = make_buffer(Floats(600), 0);
  gst_buffer_add_audio_meta(contradicting.get(), &info, 100, nullptr);
  EXPECT_NE(refusal(contradicting), "");
  gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_F32LE, 48000, 2, nullptr);
  const Buffer too_short = make_buffer(Floats(600), 0);
  gst_buffer_add_audio_meta(too_short.get(), &info, 300, nullptr)->samples = 301;
  EXPECT_NE(refusal(too_short), "");
  GstSegment segment = time_segment();
  for (double rate : {2.0, -1.0, 0.5}) {
    segment.rate = rate;
    input_.set_segment(segment);
    EXPECT_NE(refusal(make_buffer(Floats(4), 0)), "");
    input_.gap(0, GST_SECOND);
  }
  gst_segment_init(&segment, GST_FORMAT_BYTES);
  input_.set_segment(segment);
  EXPECT_NE(refusal(make_buffer(Floats(4), 0)), "");
  input_.set_segment(time_segment(0, GST_CLOCK_TIME_NONE, G_MAXINT64));
  EXPECT_NE(refusal(make_buffer(Floats(4), 0)), "");
  EXPECT_EQ(track_.n_received(), 0u);
  input_.set_segment(time_segment());
  push(make_buffer(Floats(960), 0));
  input_.drain();
  EXPECT_EQ(track_.n_received(), 160u);
}

// Caps that are no fixed raw audio, or beyond what the filter can hold, are refused, and buffers
// with them.
TEST_F(AudioInputTest, BadCaps) {
  for (const char* text :
       {"ANY", "EMPTY", "video/x-raw", "audio/x-raw", "audio/mpeg, rate=16000, channels=1",
        "audio/x-raw, format=F32LE, rate=[1,9], channels=1, layout=interleaved",
        "audio/x-raw, format=F32LE, rate=0, channels=1, layout=interleaved",
        "audio/x-raw, format=F32LE, rate=2147483647, channels=1, layout=interleaved",
        "audio/x-raw, format=F32LE, rate=16000, channels=0, layout=interleaved",
        "audio/x-raw, format=F32LE, rate=16000, channels=65, layout=interleaved, "
        "channel-mask=(bitmask)0x0",
        "audio/x-raw, format=NONSENSE, rate=16000, channels=1, layout=interleaved"}) {
    use(make_caps("F32LE", 16000, 1));
    const Caps caps(gst_caps_from_string(text));
    auto result = input_.set_caps(caps.get());
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(refusal(make_buffer(Floats(4), 0)), "") << text;
  }
  EXPECT_FALSE(input_.set_caps(nullptr));
}

// Extreme but legal rates neither fail nor take the memory.
TEST_F(AudioInputTest, ExtremeRates) {
  for (int rate : {1, 7, 100, 15999, 16001, 767999, 1536000}) {
    track_.clear();
    input_.flush();
    use(make_caps("F32LE", rate, 1));
    push(make_buffer(Floats(static_cast<size_t>(rate) + 1, 0.5f), 0));
    input_.drain();
    EXPECT_NEAR(static_cast<double>(all().size()), 16000.0 * (rate + 1) / rate, 1) << rate;
  }
}

}  // namespace
}  // namespace vidi
