// Reads a film once from its beginning, without decoding: the coded packets of the track that is
// watched and of the one that is heard, the same ones and at the same times as in vidi-ask. Nothing
// is sought, so that every container serves, and times are what a player shows whatever the film
// begins with.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "examples/common/joined_times.h"
#include "examples/common/movie_header.h"
#include "examples/common/tracks.h"

struct Packet {
  std::shared_ptr<GstBuffer> buffer;
  std::shared_ptr<GstCaps> caps;
  gint64 pts = 0;             // stream time; below 0 for what is decoded and not shown
  std::optional<gint64> dts;  // likewise; Matroska has none
  bool key = false;
  int turn = 0;  // of pictures: degrees clockwise, for showing them

  gint64 decode_time() const { return dts.value_or(pts); }
  size_t n_bytes() const { return gst_buffer_get_size(buffer.get()); }
};

class FilmReader {
 public:
  // On the demuxer's thread, one packet at a time. False: enough was read.
  using Take = std::function<bool(Kind, const Packet&)>;

  FilmReader(const std::string& uri, const TrackWishes& wishes, Take take);
  ~FilmReader();
  FilmReader(const FilmReader&) = delete;
  FilmReader& operator=(const FilmReader&) = delete;

  // Blocks until the film's end, until `take` has enough, until `interrupted`, or until nothing has
  // come for `patience`. Returns an empty string, or why the film cannot be read.
  std::string read(const std::atomic<bool>& interrupted, GstClockTime patience);

  // While `take` runs, and after read().
  GstClockTime duration() const { return duration_; }
  bool has_audio() const { return has_audio_; }
  // What the sound is that is read beside; null: there is none, or it has not begun.
  GstCaps* sound() const { return sound_.get(); }

 private:
  static void on_element(GstBin* pipeline, GstBin* bin, GstElement* element, gpointer self);
  static void on_pad(GstElement* parser, GstPad* pad, gpointer self);
  static void on_pad_gone(GstElement* parser, GstPad* pad, gpointer self);
  static GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void choose();
  GstPad* choose_one(const std::vector<Track>& tracks, Kind kind);
  void take(GstPad* pad, GstBuffer* buffer);
  void post(const char* name);
  GstMessage* wait(const std::atomic<bool>& interrupted, GstClockTime patience);

  GstElement* const pipeline_;
  const std::string uri_;
  const TrackWishes wishes_;
  const Take take_;
  MovieHeader movie_header_;
  JoinedTimes joined_times_;
  std::mutex mutex_;  // for all below
  bool has_new_pads_ = false, was_chosen_ = false, has_audio_ = false;
  std::vector<GstPad*> pads_;
  GstPad *video_ = nullptr, *audio_ = nullptr;
  std::shared_ptr<GstCaps> sound_;
  std::string complaint_;  // about a wish
  std::atomic<GstClockTime> duration_{GST_CLOCK_TIME_NONE};
  std::atomic<bool> is_enough_{false}, is_taking_{false};
  std::atomic<guint64> n_buffers_{0};
};
