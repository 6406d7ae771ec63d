// What a buffer and its segment say about time: small questions of the chain functions.
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <optional>
#include <string>
#include <utility>

#include "gst/media_time.h"

namespace vidi {

// Where the stream is once this buffer has passed: its end, at least 1 ns behind its PTS
// (textoverlay holds a picture until the text has passed the PTS). NONE without a PTS.
GstClockTime position_after(GstBuffer* buffer);

// 1 / frame rate of video caps; 0 when they have none, or a variable one.
Time frame_length(const GstCaps* caps);

// A segment in bytes or of nothing (appsrc's default) says nothing of time: PTS are taken as times
// from 0. One of time stays as it is.
GstSegment in_time(const GstSegment& segment);
bool is_trick_mode(const GstSegment& segment);
// Whether any of the buffer lies in the segment: what does not will not be shown.
bool is_inside(const GstSegment& segment, GstBuffer* buffer);
// Both segments give every PTS the same stream time and running time.
bool is_same_timeline(const GstSegment& a, const GstSegment& b);

// Running time and stream time of `t`, also before a segment's start and behind its stop: sound
// that comes before the first picture or behind the last has times, too. They may be negative.
// Nothing for a segment that is not of time, or runs backwards.
std::optional<Time> running_time_at(const GstSegment& segment, Time t);
std::optional<Time> stream_time_at(const GstSegment& segment, Time t);

// The segment of the text and JSON pads beside a video of this one: PTS there are stream times, so
// that subtitle files count from the beginning of the film, at the video's running times. Without
// an end: what is found last comes after it.
GstSegment side_segment(const GstSegment& video);
// A PTS of the video as a PTS of the side pads.
GstClockTime side_time(const GstSegment& video, GstClockTime pts);

// Id and group id of a STREAM_START.
std::pair<std::string, std::optional<guint>> stream_of(GstEvent* event);

// Wall-clock time of the picture since 1970, from a GstReferenceTimestampMeta with
// `timestamp/x-ntp` (epoch 1900) or `timestamp/x-unix`.
std::optional<Time> utc_of(GstBuffer* buffer);

}  // namespace vidi
