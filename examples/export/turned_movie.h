// How a film is turned for showing it, as phones write it: GStreamer's muxers (1.22) do not write
// that, so it is written into the finished MP4 (ISO/IEC 14496-12, 8.3.2, the matrix of `tkhd`).
#pragma once

#include <gst/gst.h>

#include <string>

// Degrees clockwise of the tag image-orientation: 0, 90, 180 or 270; 0 for all else.
int turn_of(GstPad* pad);

// Returns an empty string, or why `file` cannot be changed.
std::string turn_movie(const std::string& file, int degrees);
