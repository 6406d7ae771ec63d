#include "gst/media/audio_input.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace vidi {
namespace {

// A hole or overlap from here on is real; below it, it is jitter of the timestamps.
constexpr GstClockTime kAlignmentThreshold = 40 * GST_MSECOND;
// No waiting until a jump has lasted: each jump of 40 ms is a hole at once, because windows are cut
// by time and nothing listens to the sound.
constexpr GstClockTime kDiscontWait = 0;
// 146 years: sums of two stay inside every integer they meet.
constexpr GstClockTime kMaxTime = G_MAXINT64 / 2;

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

AudioInput::AudioInput(AudioTrack& track) : track_(track) {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
}

Result<bool> AudioInput::set_caps(const GstCaps* caps) {
  GstAudioInfo info;
  const bool readable = caps && gst_caps_is_fixed(caps) && gst_audio_info_from_caps(&info, caps) &&
                        info.finfo->unpack_func;  // not ENCODED
  if (readable && converter_ && gst_audio_info_is_equal(&info, &converter_->info())) return true;
  drain();
  converter_.reset();
  if (!readable) {
    const std::unique_ptr<gchar, decltype(&g_free)> text(
        caps ? gst_caps_to_string(caps) : g_strdup("none"), g_free);
    return unsupported("expected caps of raw audio, found " + std::string(text.get()));
  }
  auto converter = MonoConverter::make(info);
  if (!converter) return converter.error();
  align_.reset(gst_audio_stream_align_new(info.rate, kAlignmentThreshold, kDiscontWait));
  converter_ = std::move(*converter);
  return true;
}

void AudioInput::set_segment(const GstSegment& segment) { segment_ = segment; }

// Goes on counting, or starts anew where the timestamps say when that is a jump. Behind a jump only
// samples are counted: the rounding of timestamps never shows, and nothing drifts.
void AudioInput::place(GstClockTime running_time, gsize n_samples) {
  GstClockTime start = 0, duration = 0;
  const bool jump = gst_audio_stream_align_process(
      align_.get(), FALSE, running_time, static_cast<guint>(n_samples), &start, &duration, nullptr);
  next_ = start + duration;
  if (!jump) return;
  converter_->jump(track_, audio_position(Time(start)));
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
  return contradiction(buffer, converter_->info());
}

Result<bool> AudioInput::push(GstBuffer* buffer) {
  if (const std::string text = obstacle(buffer); !text.empty()) return bad_buffer(text);
  const GstAudioMeta* meta = gst_buffer_get_audio_meta(buffer);
  const MappedAudio audio(buffer, meta ? meta->info : converter_->info());
  if (!audio) return bad_buffer("an audio buffer's memory cannot be mapped for reading");

  const gsize n = audio.get()->n_samples;
  Placed placed{0, n, next_};
  if (GST_BUFFER_PTS_IS_VALID(buffer))
    placed = clipped(segment_, GST_BUFFER_PTS(buffer), n, converter_->info().rate);
  if (placed.count == 0) return true;
  if (placed.start > kMaxTime)
    return bad_buffer("an audio buffer's running time of " + std::to_string(placed.start) +
                      " ns is beyond any stream");
  place(placed.start, placed.count);
  const bool silent = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
  converter_->convert(track_, silent ? nullptr : audio.get(), placed.first, placed.count);
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
  gst_audio_stream_align_mark_discont(align_.get());
}

void AudioInput::flush() {
  next_ = GST_CLOCK_TIME_NONE;
  if (!converter_) return;
  converter_->flush();
  gst_audio_stream_align_mark_discont(align_.get());
}

GstCaps* audio_template_caps() {
  return gst_caps_from_string("audio/x-raw, format = (string) " GST_AUDIO_FORMATS_ALL
                              ", rate = (int) [ 1, max ], channels = (int) [ 1, 64 ], "
                              "layout = (string) { interleaved, non-interleaved }");
}

}  // namespace vidi
