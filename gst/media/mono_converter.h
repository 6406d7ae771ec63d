// Raw audio of one format to 16 kHz mono float, appended to an AudioTrack. Two steps instead of
// GstAudioConverter's one, so that bad values are taken out between mix and filter. GStreamer's
// resampler starts half a filter ahead: output p is input time p without a delay, and the last half
// filter comes out with zeros pushed behind. One thread at a time.
#pragma once

#include <gst/audio/audio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gst/media/audible_mix.h"
#include "gst/media/audio_track.h"
#include "model/result.h"

namespace vidi {

class MonoConverter {
 public:
  // Refuses what GStreamer cannot convert, and rates and counts of channels beyond anything
  // recorded.
  static Result<std::unique_ptr<MonoConverter>> make(const GstAudioInfo& info);
  const GstAudioInfo& info() const { return info_; }

  // Behind a jump: what comes next lies at `position` of the track (samples at 16 kHz). Writes what
  // is still held of before.
  void jump(AudioTrack& track, int64_t position);
  // Frames [first, first + count) of `audio`; null: silence.
  void convert(AudioTrack& track, const GstAudioBuffer* audio, gsize first, gsize count);
  void write_tail(AudioTrack& track);  // what the filter still holds, up to where the input ended
  void flush();                        // forgets that, and how loud the channels were

 private:
  struct Release {
    void operator()(GstAudioConverter* converter) const { gst_audio_converter_free(converter); }
    void operator()(GstAudioResampler* resampler) const { gst_audio_resampler_free(resampler); }
  };
  template <class T>
  using Owned = std::unique_ptr<T, Release>;

  explicit MonoConverter(const GstAudioInfo& info) : info_(info) {}
  static Owned<GstAudioConverter> make_to_float(const GstAudioInfo& info);
  static Owned<GstAudioConverter> make_mix(GstAudioInfo info);
  static Owned<GstAudioResampler> make_resampler(int rate);
  static std::vector<float> mix_weights(const GstAudioInfo& info);
  void read_mono(const GstAudioBuffer* audio, gsize first, gsize count);
  void read_channels(gpointer* planes, int n_planes, gsize count);
  void average(gsize count);
  void resample(AudioTrack& track, float* input, gsize count, int64_t at_most);
  void forget();

  const GstAudioInfo info_;
  Owned<GstAudioConverter> to_floats_, mix_;  // without `mix_`, channels are averaged here
  std::optional<AudibleMix> audible_;         // of several channels
  Owned<GstAudioResampler> resampler_;        // null at 16 kHz
  int64_t start_ = 0;                         // position of the first sample behind the last jump
  int64_t n_in_ = 0, n_out_ = 0;  // samples since then, at the input's rate and at 16 kHz
  std::vector<float> samples_, mono_, resampled_;
};

}  // namespace vidi
