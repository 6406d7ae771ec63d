// Recordings that were joined as bytes (`cat a.webm b.webm`): their times begin anew in the middle.
// matroskademux hands on what follows outside of a new segment whose running time begins anew: it
// is not seen, or lies over what was before. Here it goes on where the first part ended, in the
// segment of the first part. Nothing is sought, so no other segment comes.
#pragma once

#include <gst/gst.h>

#include <list>
#include <mutex>
#include <vector>

class JoinedTimes {
 public:
  static bool are_of(GstElement* element);  // such a demuxer
  // Sees to every pad that it makes.
  void watch(GstElement* demuxer);

 private:
  struct Track {
    JoinedTimes* joined;
    size_t part = 0;
    bool has_segment = false;
    GstClockTime latest = 0;  // of its present part, as the file has it
  };

  static void on_pad(GstElement* demuxer, GstPad* pad, gpointer self);
  static GstPadProbeReturn on_event(GstPad* pad, GstPadProbeInfo* info, gpointer track);
  static GstPadProbeReturn on_data(GstPad* pad, GstPadProbeInfo* info, gpointer track);
  GstClockTime lead(Track& track, GstBuffer* buffer);

  std::mutex mutex_;
  std::list<Track> tracks_;
  std::vector<GstClockTime> leads_{0};  // of each part: how much later than the file has it
  GstClockTime end_ = 0;                // of all that came, as it is handed on
};
