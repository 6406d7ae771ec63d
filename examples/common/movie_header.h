// The header of an MP4 or QuickTime file (its box `moov`, ISO/IEC 14496-12, 8.2 to 8.4): what
// tracks it says there are, and a mending of it.
//
// qtdemux (1.22 to 1.26) takes a track that is shorter than a fifth of the film for a preview and
// leaves it out without a word: a speech in a long silent film, a song whose cover is a track of
// one picture. As it is the header that says how long a track is, such a track is told to be as
// long as the film before qtdemux reads it; when its samples are shown stands elsewhere and stays.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

struct MovieTracks {
  int pictures = 0, sounds = 0;
};

// `moov`: the whole box, of any content. Durations of short tracks in it are written over.
MovieTracks mend_movie_header(uint8_t* moov, size_t n_bytes);

// Does that to what a qtdemux pulls; where data is pushed to it (a pipe, HTTP) nothing is seen and
// nothing mended. `tracks` is filled by a streaming thread before the demuxer has pads.
class MovieHeader {
 public:
  void watch(GstElement* qtdemux);
  int sounds() const { return sounds_; }  // 0 = none, or not known

 private:
  static GstPadProbeReturn on_pulled(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  std::atomic<int> sounds_{0};
};
