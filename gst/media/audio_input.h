// From buffers of the audio pad to the AudioTrack: any raw audio becomes 16 kHz mono float. Called
// with the pad's stream lock; nothing else touches it.
#pragma once

#include <gst/audio/audio.h>

#include <memory>
#include <string>

#include "gst/media/audio_track.h"
#include "gst/media/mono_converter.h"
#include "model/result.h"

namespace vidi {

class AudioInput {
 public:
  explicit AudioInput(AudioTrack& track);

  // New caps: the converter is rebuilt, what it still held is written out first.
  Result<bool> set_caps(const GstCaps* caps);
  void set_segment(const GstSegment& segment);

  // Converts and appends at the buffer's running time. Within 40 ms of where the last buffer ended
  // the samples are simply continued (GstAudioStreamAlign), beyond it is a hole or an overlap.
  // Clipped to the segment. GAP-flagged buffers are silence. A buffer without PTS continues the
  // last one, and is refused when there is none.
  Result<bool> push(GstBuffer* buffer);
  // Of its beginning; 0 when it has none.
  Time running_time_of(GstBuffer* buffer) const;
  void gap(GstClockTime pts, GstClockTime duration);
  void finish_segment();  // nothing of it comes any more
  void drain();           // EOS: what the resampler still holds goes to the track
  void flush();           // forgets the converter's state and alignment; the track is the caller's

 private:
  struct FreeAlign {
    void operator()(GstAudioStreamAlign* align) const { gst_audio_stream_align_free(align); }
  };
  std::string obstacle(GstBuffer* buffer) const;
  void place(GstClockTime running_time, gsize n_samples);

  AudioTrack& track_;
  GstSegment segment_;
  GstClockTime next_ = GST_CLOCK_TIME_NONE;   // running time where the last buffer or gap ended
  std::unique_ptr<MonoConverter> converter_;  // of the caps
  // On running times, in samples of the input.
  std::unique_ptr<GstAudioStreamAlign, FreeAlign> align_;
};

// Caps of the audio pads: every raw format, rate and channel count GstAudioConverter reads.
GstCaps* audio_template_caps();

}  // namespace vidi
