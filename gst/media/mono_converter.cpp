#include "gst/media/mono_converter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

namespace vidi {
namespace {

// Filters grow with the rate; far above anything recorded they would take all memory.
constexpr int kMaxRate = 1536000;
constexpr int kMaxChannels = 64;

Error unsupported(const std::string& message) { return {ErrorCode::kUnsupported, message}; }

// Whether nobody knows where the channels sound: then they are averaged here, because
// GstAudioConverter refuses to mix them without a matrix, and 64 of them (1.22) with one.
bool is_unpositioned(const GstAudioInfo& info) {
  return info.channels == 1 || GST_AUDIO_INFO_IS_UNPOSITIONED(&info);
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

}  // namespace

Result<std::unique_ptr<MonoConverter>> MonoConverter::make(const GstAudioInfo& info) {
  if (info.rate < 1 || info.rate > kMaxRate || info.channels < 1 || info.channels > kMaxChannels)
    return unsupported("expected audio of at most " + std::to_string(kMaxRate) + " Hz and " +
                       std::to_string(kMaxChannels) + " channels, found " +
                       std::to_string(info.rate) + " Hz and " + std::to_string(info.channels));
  std::unique_ptr<MonoConverter> converter(new MonoConverter(info));
  converter->to_floats_ = make_to_float(info);
  if (!is_unpositioned(info)) converter->mix_ = make_mix(info);
  if (info.channels > 1) converter->audible_.emplace(info.rate, mix_weights(info));
  if (info.rate != kAudioRate) converter->resampler_ = make_resampler(info.rate);
  const bool mixes = is_unpositioned(info) || converter->mix_;
  if (!converter->to_floats_ || !mixes || (info.rate != kAudioRate && !converter->resampler_))
    return unsupported(std::string("GStreamer cannot convert audio of format ") + info.finfo->name +
                       " to 16 kHz mono");
  return converter;
}

// Samples of a format to float, one after another, whatever channels they are of.
MonoConverter::Owned<GstAudioConverter> MonoConverter::make_to_float(const GstAudioInfo& info) {
  GstAudioInfo from, to;
  gst_audio_info_set_format(&from, info.finfo->format, info.rate, 1, nullptr);
  gst_audio_info_set_format(&to, GST_AUDIO_FORMAT_F32, info.rate, 1, nullptr);
  return Owned<GstAudioConverter>(
      gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &from, &to, nullptr));
}

// Positioned channels to mono float at the same rate.
MonoConverter::Owned<GstAudioConverter> MonoConverter::make_mix(GstAudioInfo info) {
  GstAudioInfo mono;
  gst_audio_info_set_format(&mono, GST_AUDIO_FORMAT_F32, info.rate, 1, nullptr);
  return Owned<GstAudioConverter>(
      gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &info, &mono, nullptr));
}

// How much of every channel is in the mix: what comes out for one channel at a time.
std::vector<float> MonoConverter::mix_weights(const GstAudioInfo& info) {
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

MonoConverter::Owned<GstAudioResampler> MonoConverter::make_resampler(int rate) {
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

void MonoConverter::jump(AudioTrack& track, int64_t position) {
  write_tail(track);
  start_ = position;
}

// In steps of at most a second and 65536 frames, so that memory stays small whatever the buffer and
// the rates are.
void MonoConverter::convert(AudioTrack& track, const GstAudioBuffer* audio, gsize first,
                            gsize count) {
  const gsize step = std::min(info_.rate, 65536);
  for (gsize done = 0; done < count; done += step) {
    const gsize n = std::min(step, count - done);
    read_mono(audio, first + done, n);
    n_in_ += static_cast<int64_t>(n);
    resample(track, mono_.data(), n, INT64_MAX);
  }
}

void MonoConverter::read_mono(const GstAudioBuffer* audio, gsize first, gsize count) {
  mono_.assign(count, 0.0f);
  if (!audio) return;
  const bool interleaved = info_.layout == GST_AUDIO_LAYOUT_INTERLEAVED;
  const gsize step = interleaved ? info_.bpf : GST_AUDIO_INFO_WIDTH(&info_) / 8;
  gpointer planes[kMaxChannels];
  for (int i = 0; i < audio->n_planes; ++i)
    planes[i] = static_cast<guint8*>(audio->planes[i]) + first * step;
  read_channels(planes, audio->n_planes, count);
  if (mix_) {
    convert_samples(mix_.get(), planes, count, mono_.data());
    make_sane(mono_);
  } else {
    average(count);
  }
  if (!audible_) return;
  const gsize channels = info_.channels;
  audible_->apply(samples_.data(), interleaved ? channels : 1, interleaved ? 1 : count,
                  mono_.data(), count);
}

// To `samples_`, in the order in which they come.
void MonoConverter::read_channels(gpointer* planes, int n_planes, gsize count) {
  const gsize per_plane = count * info_.channels / n_planes;
  samples_.resize(count * info_.channels);
  for (int i = 0; i < n_planes; ++i)
    convert_samples(to_floats_.get(), &planes[i], per_plane, samples_.data() + i * per_plane);
  make_sane(samples_);
}

void MonoConverter::average(gsize count) {
  const gsize channels = info_.channels;
  const bool interleaved = info_.layout == GST_AUDIO_LAYOUT_INTERLEAVED;
  for (gsize i = 0; i < samples_.size(); ++i)
    mono_[interleaved ? i / channels : i % count] += samples_[i];
  for (float& sample : mono_) sample /= static_cast<float>(channels);
}

// `input` null: `count` zeros.
void MonoConverter::resample(AudioTrack& track, float* input, gsize count, int64_t at_most) {
  const float* out = input;
  auto n = static_cast<int64_t>(count);
  if (resampler_) {
    n = static_cast<int64_t>(gst_audio_resampler_get_out_frames(resampler_.get(), count));
    resampled_.assign(n, 0.0f);
    gpointer in_planes[] = {input}, out_planes[] = {resampled_.data()};
    gst_audio_resampler_resample(resampler_.get(), input ? in_planes : nullptr, count, out_planes,
                                 n);
    make_sane(resampled_);  // a filter overshoots at edges
    out = resampled_.data();
  }
  n = std::min(n, at_most);
  track.append(start_ + n_out_, out, n);
  n_out_ += n;
}

void MonoConverter::write_tail(AudioTrack& track) {
  const auto n_missing = static_cast<int64_t>(gst_util_uint64_scale_round(
                             n_in_, static_cast<guint64>(kAudioRate), info_.rate)) -
                         n_out_;
  if (resampler_ && n_missing > 0) {
    const gsize n_zeros = gst_audio_resampler_get_max_latency(resampler_.get()) +
                          gst_audio_resampler_get_in_frames(resampler_.get(), n_missing) + 1;
    resample(track, nullptr, n_zeros, n_missing);
  }
  forget();
}

void MonoConverter::forget() {
  // gst_audio_resampler_reset() keeps the fraction of a sample where it stood (1.22): a new one.
  if (resampler_ && n_in_ > 0)
    if (auto fresh = make_resampler(info_.rate)) resampler_ = std::move(fresh);
  n_in_ = n_out_ = 0;
}

void MonoConverter::flush() {
  forget();
  if (audible_) audible_->forget();
}

}  // namespace vidi
