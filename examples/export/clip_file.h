// One clip while it is written: coded packets become an MP4 or Matroska file, without encoding
// again. The file lies beside its place and gets its name when it is complete. One thread at a
// time.
#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

#include "examples/export/film_reader.h"

class ClipFile {
 public:
  // What its streams are. `pictures`: of its first part, by which is seen whether MP4, which wants
  // to know when each picture is decoded, can hold them.
  struct Streams {
    GstCaps *video = nullptr, *audio = nullptr;  // audio may be null; the caller's
    const std::vector<Packet>* pictures = nullptr;
  };

  // `stem`: its path without the extension. `base`: the time in the film that is its beginning.
  ClipFile(const std::string& stem, const Streams& streams, gint64 base);
  ~ClipFile();  // what is not complete is deleted
  ClipFile(const ClipFile&) = delete;
  ClipFile& operator=(const ClipFile&) = delete;

  bool has_sound() const { return audio_ != nullptr; }
  void push(Kind kind, const Packet& packet);
  // Waits until all is written. Returns an empty string, or why the file is not there.
  std::string finish();

  const std::string& path() const { return path_; }
  const std::string& error() const { return error_; }  // so far

 private:
  GstElement* add_stream(GstCaps* caps);
  void wait_for_room();
  void take_errors();
  void wait_for_end();

  GstElement* const pipeline_;
  GstElement* muxer_ = nullptr;
  GstElement *video_ = nullptr, *audio_ = nullptr;  // appsrc
  const gint64 base_;
  int turn_ = 0;
  gint64 lead_ = 0;  // added to all times, so that no decode time is below 0
  std::string path_, beside_, error_;
};

// Whether a muxer takes these packets.
bool can_be_muxed(const char* muxer, GstCaps* caps);
