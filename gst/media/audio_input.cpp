#include "gst/media/audio_input.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "gst/media/audible_mix.h"

namespace vidi {
namespace {

// A hole or overlap from here on is real; below it, it is jitter of the timestamps.
constexpr GstClockTime kAlignmentThreshold = 40 * GST_MSECOND;
// No waiting until a jump has lasted: each jump of 40 ms is a hole at once, because windows are cut
// by time and nothing listens to the sound.
constexpr GstClockTime kDiscontWait = 0;
// Filters grow with the rate; far above anything recorded they would take all memory.
constexpr int kMaxRate = 1536000;
constexpr int kMaxChannels = 64;
// 146 years: sums of two stay inside every integer they meet.
constexpr GstClockTime kMaxTime = G_MAXINT64 / 2;

struct Release {
  void operator()(GstAudioConverter* converter) const { gst_audio_converter_free(converter); }
  void operator()(GstAudioResampler* resampler) const { gst_audio_resampler_free(resampler); }
  void operator()(GstAudioStreamAlign* align) const { gst_audio_stream_align_free(align); }
  void operator()(gchar* text) const { g_free(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

Error unsupported(const std::string& message) { return {ErrorCode::kUnsupported, message}; }
Error bad_buffer(const std::string& message) { return {ErrorCode::kBadInput, message}; }

class MappedAudio {
 public:
  MappedAudio(GstBuffer* buffer, const GstAudioInfo& info)
      : mapped_(gst_audio_buffer_map(&audio_, &info, buffer, GST_MAP_READ)) {}
  MappedAudio(const MappedAudio&) = delete;
  ~MappedAudio() {
    if (mapped_) gst_audio_buffer_unmap(&audio_);
  }
  explicit operator bool() const { return mapped_; }
  const GstAudioBuffer* get() const { return &audio_; }

 private:
  GstAudioBuffer audio_ = {};
  bool mapped_;
};

// Nothing when the buffer may be mapped as `info` says. (GStreamer itself would print criticals.)
std::string contradiction(GstBuffer* buffer, const GstAudioInfo& info) {
  const GstAudioMeta* meta = gst_buffer_get_audio_meta(buffer);
  const size_t size = gst_buffer_get_size(buffer), frame = info.bpf;
  if (!meta && info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    return "a non-interleaved audio buffer has no GstAudioMeta that says where its planes are";
  if (!meta && size % frame != 0)
    return "an audio buffer of " + std::to_string(size) + " bytes does not hold whole frames of " +
           std::to_string(frame) + " bytes";
  if (meta && (meta->info.finfo != info.finfo || meta->info.channels != info.channels ||
               meta->info.layout != info.layout || meta->info.bpf != info.bpf))
    return "an audio buffer's GstAudioMeta contradicts its caps";
  if (meta && meta->samples > size / frame)
    return "an audio buffer of " + std::to_string(size) + " bytes is said to hold " +
           std::to_string(meta->samples) + " frames of " + std::to_string(frame) + " bytes";
  return "";
}

// Whether nobody knows where the channels sound: then they are averaged here, because
// GstAudioConverter refuses to mix them without a matrix, and 64 of them (1.22) with one.
bool is_unpositioned(const GstAudioInfo& info) {
  return info.channels == 1 || GST_AUDIO_INFO_IS_UNPOSITIONED(&info);
}

// Samples of a format to float, one after another, whatever channels they are of.
Owned<GstAudioConverter> make_to_float(const GstAudioInfo& info) {
  GstAudioInfo from, to;
  gst_audio_info_set_format(&from, info.finfo->format, info.rate, 1, nullptr);
  gst_audio_info_set_format(&to, GST_AUDIO_FORMAT_F32, info.rate, 1, nullptr);
  return Owned<GstAudioConverter>(
      gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &from, &to, nullptr));
}

// Positioned channels to mono float at the same rate.
Owned<GstAudioConverter> make_mix(GstAudioInfo info) {
  GstAudioInfo mono;
  gst_audio_info_set_format(&mono, GST_AUDIO_FORMAT_F32, info.rate, 1, nullptr);
  return Owned<GstAudioConverter>(
      gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &info, &mono, nullptr));
}

// How much of every channel is in the mix: what comes out for one channel at a time.
std::vector<float> mix_weights(const GstAudioInfo& info) {
  const gsize n = info.channels;
  std::vector<float> weights(n, 1.0f / static_cast<float>(n));
  if (is_unpositioned(info)) return weights;
  GstAudioInfo floats;
  gst_audio_info_set_format(&floats, GST_AUDIO_FORMAT_F32, info.rate, info.channels, info.position);
  const auto mix = make_mix(floats);
  std::vector<float> frames(n * n, 0.0f);
  for (gsize c = 0; c < n; ++c) frames[c * n + c] = 1;
  gpointer in[] = {frames.data()}, out[] = {weights.data()};
  if (mix) gst_audio_converter_samples(mix.get(), GST_AUDIO_CONVERTER_FLAG_NONE, in, n, out, n);
  return weights;
}

Owned<GstAudioResampler> make_resampler(int rate) {
  GstStructure* options = gst_structure_new_empty("options");
  gst_audio_resampler_options_set_quality(GST_AUDIO_RESAMPLER_METHOD_KAISER,
                                          GST_AUDIO_RESAMPLER_QUALITY_DEFAULT, rate, kAudioRate,
                                          options);
  // The default tables are interpolated, which delays all sound by a quarter of an input sample
  // (1.22). Rates that are multiples of 25 Hz have few phases: one exact filter for each.
  if (kAudioRate / std::gcd(rate, static_cast<int>(kAudioRate)) <= 640)
    gst_structure_set(options, GST_AUDIO_RESAMPLER_OPT_FILTER_MODE,
                      GST_TYPE_AUDIO_RESAMPLER_FILTER_MODE, GST_AUDIO_RESAMPLER_FILTER_MODE_FULL,
                      GST_AUDIO_RESAMPLER_OPT_FILTER_INTERPOLATION,
                      GST_TYPE_AUDIO_RESAMPLER_FILTER_INTERPOLATION,
                      GST_AUDIO_RESAMPLER_FILTER_INTERPOLATION_NONE, nullptr);
  Owned<GstAudioResampler> resampler(
      gst_audio_resampler_new(GST_AUDIO_RESAMPLER_METHOD_KAISER, GST_AUDIO_RESAMPLER_FLAG_NONE,
                              GST_AUDIO_FORMAT_F32, 1, rate, kAudioRate, options));
  gst_structure_free(options);
  return resampler;
}

void convert_samples(GstAudioConverter* converter, gpointer* planes, gsize count, float* out) {
  gpointer out_planes[] = {out};
  gst_audio_converter_samples(converter, GST_AUDIO_CONVERTER_FLAG_NONE, planes, count, out_planes,
                              count);
}

// One NaN would spread over every output sample that the filter reaches from it.
void make_sane(std::vector<float>& samples) {
  for (float& sample : samples)
    sample = std::isfinite(sample) ? std::clamp(sample, -1.0f, 1.0f) : 0.0f;
}

// Where samples of a buffer lie in the track: frames [first, first + count), from `start` on.
struct Placed {
  gsize first = 0, count = 0;
  GstClockTime start = GST_CLOCK_TIME_NONE;  // running time
};

// The part of [pts, pts + n frames) inside the segment; count = 0 when there is none.
Placed clipped(const GstSegment& segment, GstClockTime pts, gsize n, int rate) {
  const GstClockTime stop = pts + gst_util_uint64_scale(n, GST_SECOND, rate);
  guint64 kept_start = 0, kept_stop = 0;
  Placed placed;
  if (!gst_segment_clip(&segment, GST_FORMAT_TIME, pts, stop, &kept_start, &kept_stop))
    return placed;
  placed.start = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, kept_start);
  if (!GST_CLOCK_TIME_IS_VALID(placed.start)) return placed;
  placed.first = gst_util_uint64_scale_round(kept_start - pts, rate, GST_SECOND);
  const gsize last = gst_util_uint64_scale_round(kept_stop - pts, rate, GST_SECOND);
  placed.count = std::min(last, n) - std::min(placed.first, n);
  return placed;
}

// At other rates running time is no count of samples.
bool counts_time(const GstSegment& segment) {
  return segment.format == GST_FORMAT_TIME && segment.rate == 1.0;
}

}  // namespace

// The converter of one caps. Two steps instead of GstAudioConverter's one, so that bad values are
// taken out between mix and filter. GStreamer's resampler starts half a filter ahead: output p is
// input time p without a delay, and the last half filter comes out with zeros pushed behind.
struct AudioInput::Converter {
  GstAudioInfo info;
  Owned<GstAudioConverter> to_floats, mix;  // without `mix`, channels are averaged here
  std::optional<AudibleMix> audible;        // of several channels
  Owned<GstAudioResampler> resampler;       // null at 16 kHz
  Owned<GstAudioStreamAlign> align;         // on running times, in samples of the input
  int64_t start = 0;                        // position of the first sample behind the last jump
  int64_t n_in = 0, n_out = 0;              // samples since then, at the input's rate and at 16 kHz
  std::vector<float> samples, mono, resampled;

  void convert(AudioTrack& track, const GstAudioBuffer* audio, const Placed& placed);
  void read_mono(const GstAudioBuffer* audio, gsize first, gsize count);
  void read_channels(gpointer* planes, int n_planes, gsize count);
  void average(gsize count);
  void resample(AudioTrack& track, float* input, gsize count, int64_t at_most);
  void write_tail(AudioTrack& track);
  void forget();
};

// `audio` null: silence. In steps of at most a second and 65536 frames, so that memory stays small
// whatever the buffer and the rates are.
void AudioInput::Converter::convert(AudioTrack& track, const GstAudioBuffer* audio,
                                    const Placed& placed) {
  const gsize step = std::min(info.rate, 65536);
  for (gsize done = 0; done < placed.count; done += step) {
    const gsize count = std::min(step, placed.count - done);
    read_mono(audio, placed.first + done, count);
    n_in += static_cast<int64_t>(count);
    resample(track, mono.data(), count, INT64_MAX);
  }
}

void AudioInput::Converter::read_mono(const GstAudioBuffer* audio, gsize first, gsize count) {
  mono.assign(count, 0.0f);
  if (!audio) return;
  const bool interleaved = info.layout == GST_AUDIO_LAYOUT_INTERLEAVED;
  const gsize step = interleaved ? info.bpf : GST_AUDIO_INFO_WIDTH(&info) / 8;
  gpointer planes[kMaxChannels];
  for (int i = 0; i < audio->n_planes; ++i)
    planes[i] = static_cast<guint8*>(audio->planes[i]) + first * step;
  read_channels(planes, audio->n_planes, count);
  if (mix) {
    convert_samples(mix.get(), planes, count, mono.data());
    make_sane(mono);
  } else {
    average(count);
  }
  if (!audible) return;
  const gsize channels = info.channels;
  audible->apply(samples.data(), interleaved ? channels : 1, interleaved ? 1 : count, mono.data(),
                 count);
}

// To `samples`, in the order in which they come.
void AudioInput::Converter::read_channels(gpointer* planes, int n_planes, gsize count) {
  const gsize per_plane = count * info.channels / n_planes;
  samples.resize(count * info.channels);
  for (int i = 0; i < n_planes; ++i)
    convert_samples(to_floats.get(), &planes[i], per_plane, samples.data() + i * per_plane);
  make_sane(samples);
}

void AudioInput::Converter::average(gsize count) {
  const gsize channels = info.channels;
  const bool interleaved = info.layout == GST_AUDIO_LAYOUT_INTERLEAVED;
  for (gsize i = 0; i < samples.size(); ++i)
    mono[interleaved ? i / channels : i % count] += samples[i];
  for (float& sample : mono) sample /= static_cast<float>(channels);
}

// `input` null: `count` zeros.
void AudioInput::Converter::resample(AudioTrack& track, float* input, gsize count,
                                     int64_t at_most) {
  const float* out = input;
  auto n = static_cast<int64_t>(count);
  if (resampler) {
    n = static_cast<int64_t>(gst_audio_resampler_get_out_frames(resampler.get(), count));
    resampled.assign(n, 0.0f);
    gpointer in_planes[] = {input}, out_planes[] = {resampled.data()};
    gst_audio_resampler_resample(resampler.get(), input ? in_planes : nullptr, count, out_planes,
                                 n);
    make_sane(resampled);  // a filter overshoots at edges
    out = resampled.data();
  }
  n = std::min(n, at_most);
  track.append(start + n_out, out, n);
  n_out += n;
}

// What the filter still holds, up to where the input ended.
void AudioInput::Converter::write_tail(AudioTrack& track) {
  const auto n_missing = static_cast<int64_t>(gst_util_uint64_scale_round(
                             n_in, static_cast<guint64>(kAudioRate), info.rate)) -
                         n_out;
  if (resampler && n_missing > 0) {
    const gsize n_zeros = gst_audio_resampler_get_max_latency(resampler.get()) +
                          gst_audio_resampler_get_in_frames(resampler.get(), n_missing) + 1;
    resample(track, nullptr, n_zeros, n_missing);
  }
  forget();
}

void AudioInput::Converter::forget() {
  // gst_audio_resampler_reset() keeps the fraction of a sample where it stood (1.22): a new one.
  if (resampler && n_in > 0)
    if (auto fresh = make_resampler(info.rate)) resampler = std::move(fresh);
  n_in = n_out = 0;
}

AudioInput::AudioInput(AudioTrack& track) : track_(track) {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
}
AudioInput::~AudioInput() = default;

Result<bool> AudioInput::set_caps(const GstCaps* caps) {
  GstAudioInfo info;
  const bool readable = caps && gst_caps_is_fixed(caps) && gst_audio_info_from_caps(&info, caps) &&
                        info.finfo->unpack_func;  // not ENCODED
  if (readable && converter_ && gst_audio_info_is_equal(&info, &converter_->info)) return true;
  drain();
  converter_.reset();
  if (!readable) {
    const Owned<gchar> text(caps ? gst_caps_to_string(caps) : g_strdup("none"));
    return unsupported("expected caps of raw audio, found " + std::string(text.get()));
  }
  if (info.rate < 1 || info.rate > kMaxRate || info.channels < 1 || info.channels > kMaxChannels)
    return unsupported("expected audio of at most " + std::to_string(kMaxRate) + " Hz and " +
                       std::to_string(kMaxChannels) + " channels, found " +
                       std::to_string(info.rate) + " Hz and " + std::to_string(info.channels));
  auto converter = std::make_unique<Converter>();
  converter->info = info;
  converter->to_floats = make_to_float(info);
  if (!is_unpositioned(info)) converter->mix = make_mix(info);
  if (info.channels > 1) converter->audible.emplace(info.rate, mix_weights(info));
  if (info.rate != kAudioRate) converter->resampler = make_resampler(info.rate);
  const bool mixes = is_unpositioned(info) || converter->mix;
  if (!converter->to_floats || !mixes || (info.rate != kAudioRate && !converter->resampler))
    return unsupported(std::string("GStreamer cannot convert audio of format ") + info.finfo->name +
                       " to 16 kHz mono");
  converter->align.reset(gst_audio_stream_align_new(info.rate, kAlignmentThreshold, kDiscontWait));
  converter_ = std::move(converter);
  return true;
}

void AudioInput::set_segment(const GstSegment& segment) { segment_ = segment; }

// Goes on counting, or starts anew where the timestamps say when that is a jump. Behind a jump only
// samples are counted: the rounding of timestamps never shows, and nothing drifts.
void AudioInput::place(GstClockTime running_time, gsize n_samples) {
  GstClockTime start = 0, duration = 0;
  const bool jump =
      gst_audio_stream_align_process(converter_->align.get(), FALSE, running_time,
                                     static_cast<guint>(n_samples), &start, &duration, nullptr);
  next_ = start + duration;
  if (!jump) return;
  converter_->write_tail(track_);
  converter_->start = audio_position(Time(start));
}

// What keeps a buffer from being read; nothing when it can be.
std::string AudioInput::obstacle(GstBuffer* buffer) const {
  if (!converter_) return "an audio buffer came before usable caps";
  if (!counts_time(segment_))
    return "expected a time segment of rate 1 before the audio, found " +
           std::string(gst_format_get_name(segment_.format)) + " at rate " +
           std::to_string(segment_.rate);
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  if (!GST_CLOCK_TIME_IS_VALID(pts) && !GST_CLOCK_TIME_IS_VALID(next_))
    return "an audio buffer has no timestamp, and none came before it";
  if (GST_CLOCK_TIME_IS_VALID(pts) && pts > kMaxTime)
    return "an audio buffer's timestamp of " + std::to_string(pts) + " ns is beyond any stream";
  return contradiction(buffer, converter_->info);
}

Result<bool> AudioInput::push(GstBuffer* buffer) {
  if (const std::string text = obstacle(buffer); !text.empty()) return bad_buffer(text);
  const GstAudioMeta* meta = gst_buffer_get_audio_meta(buffer);
  const MappedAudio audio(buffer, meta ? meta->info : converter_->info);
  if (!audio) return bad_buffer("an audio buffer's memory cannot be mapped for reading");

  const gsize n = audio.get()->n_samples;
  Placed placed{0, n, next_};
  if (GST_BUFFER_PTS_IS_VALID(buffer))
    placed = clipped(segment_, GST_BUFFER_PTS(buffer), n, converter_->info.rate);
  if (placed.count == 0) return true;
  if (placed.start > kMaxTime)
    return bad_buffer("an audio buffer's running time of " + std::to_string(placed.start) +
                      " ns is beyond any stream");
  place(placed.start, placed.count);
  const bool silent = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
  converter_->convert(track_, silent ? nullptr : audio.get(), placed);
  return true;
}

Time AudioInput::running_time_of(GstBuffer* buffer) const {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  if (!counts_time(segment_) || pts > kMaxTime) return Time::zero();  // NONE is beyond it, too
  const GstClockTime time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
  return time > kMaxTime ? Time::zero() : Time(time);
}

void AudioInput::gap(GstClockTime pts, GstClockTime duration) {
  if (!counts_time(segment_) || pts > kMaxTime) return;  // NONE is beyond it, too
  const GstClockTime stop =
      GST_CLOCK_TIME_IS_VALID(duration) ? pts + std::min(duration, kMaxTime) : pts;
  guint64 kept_start = 0, kept_stop = 0;
  if (!gst_segment_clip(&segment_, GST_FORMAT_TIME, pts, stop, &kept_start, &kept_stop)) return;
  const GstClockTime end = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, kept_stop);
  if (end > kMaxTime) return;
  drain();
  next_ = end;
  track_.advance(audio_position(Time(end)));
}

void AudioInput::finish_segment() {
  if (GST_CLOCK_TIME_IS_VALID(segment_.stop)) gap(segment_.start, segment_.stop - segment_.start);
}

void AudioInput::drain() {
  if (!converter_) return;
  converter_->write_tail(track_);
  gst_audio_stream_align_mark_discont(converter_->align.get());
}

void AudioInput::flush() {
  next_ = GST_CLOCK_TIME_NONE;
  if (!converter_) return;
  converter_->forget();
  if (converter_->audible) converter_->audible->forget();
  gst_audio_stream_align_mark_discont(converter_->align.get());
}

GstCaps* audio_template_caps() {
  return gst_caps_from_string("audio/x-raw, format = (string) " GST_AUDIO_FORMATS_ALL
                              ", rate = (int) [ 1, max ], channels = (int) [ 1, 64 ], "
                              "layout = (string) { interleaved, non-interleaved }");
}

}  // namespace vidi
