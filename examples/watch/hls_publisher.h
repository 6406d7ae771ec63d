// vidi-watch --hls: the stream as HLS in a folder, with every hit as a date range of its playlist.
//
//   taps -- HlsWriter -- segments -- [delay] -- HlsPlaylist -- HlsFolder
//   hits -- date ranges ------------------------'
//
// A hit is dated by the segment that shows it, so tag and picture agree by whatever clock the
// segments have: the camera's where it tells it, else this computer's at arrival. A disk that is
// full or gone costs segments and nothing else; the next one is another try. Main thread only, with
// a running default main loop.
#pragma once

#include <gst/gst.h>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "examples/watch/hls_folder.h"
#include "examples/watch/hls_playlist.h"
#include "examples/watch/hls_writer.h"
#include "examples/watch/sighting.h"

class HlsPublisher {
 public:
  struct Settings {
    std::string folder;
    double segment_s = 4, keep_s = 120, delay_s = 0;
    bool tells_clock = false;  // the source may tell its wall clock: that is waited for a little
  };
  struct Host {
    std::function<void(const std::string&)> on_trouble;  // a line: it began, or is over
    std::function<void(const std::string&)> on_note;     // a line worth knowing
    std::function<void()> on_done;                       // after finish(): is_busy() no more
  };

  HlsPublisher(const Settings& settings, Host host);
  ~HlsPublisher();  // the playlist ends with what there is
  HlsPublisher(const HlsPublisher&) = delete;
  HlsPublisher& operator=(const HlsPublisher&) = delete;

  std::string prepare();  // returns an empty string, or why that folder cannot be used

  void attach(GstElement* watching);  // a new connection's pipeline
  void tick(const StreamTaps& taps);  // every moment: the streams that are known by now
  void tag(const Sighting& hit);      // final, or one that may still grow
  void detach();                      // the connection has ended

  void finish();  // no connection follows: what is there is published, and the playlist ends
  bool is_busy() const { return !done_; }

 private:
  struct Waiting {
    HlsSegment segment;
    gint64 due_us = 0;
  };
  struct Leaving {
    std::string file;
    gint64 due_us = 0;
  };

  bool has_to_begin_anew(const StreamTaps& taps, gint64 now_us) const;
  bool waits_for_clock(const StreamTaps& taps, gint64 now_us);
  void begin(const StreamTaps& taps);
  void finish_writer();
  HlsWriter::Host writer_host(HlsWriter** writer, int connection);
  void take_segment(HlsSegment segment, bool goes_on);
  void writer_ended(HlsWriter* writer, const std::string& error);
  gint64 date_us(GstClockTime running) const;
  void put(const Sighting& hit);
  static gboolean on_timer(gpointer self);
  void check_folder();
  void publish(bool all);
  void write();
  void end_playlist();
  void lose(const std::string& why);
  void note_once(const std::string& line);

  const Settings settings_;
  const Host host_;
  const std::string run_;  // of the segments' names
  HlsFolder folder_;
  std::unique_ptr<HlsPlaylist> playlist_;
  std::deque<Waiting> waiting_;  // for --hls-delay
  std::deque<Leaving> leaving_;  // players may still ask for them

  GstElement* watching_ = nullptr;  // the connection's
  StreamTaps taps_;                 // that the writer has
  std::unique_ptr<HlsWriter> writer_;
  std::vector<std::unique_ptr<HlsWriter>> finishing_;
  std::deque<HlsWriter::Begin> begins_;  // of the connection's segments
  std::vector<Sighting> undated_;        // hits before the first of them
  int n_connections_ = 0, n_writers_ = 0;
  gint64 attached_us_ = 0, retry_us_ = 0, last_stop_us_ = 0;

  std::set<std::string> said_;
  bool failed_ = false, recovers_ = false;
  gint64 rewrite_us_ = 0;  // a playlist that could not be written
  bool changed_ = false, ending_ = false, ended_ = false, done_ = false;
  gint64 end_by_us_ = 0;
  guint timer_ = 0;
};
