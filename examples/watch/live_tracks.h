// Which of a live source's tracks are watched: one of pictures, one of sound. They turn up one by
// one, so it is decided by what the source says of all of them: the demuxer's pads, or the session
// description of RTSP. On GStreamer's threads.
#pragma once

#include <gst/gst.h>

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "examples/common/tracks.h"

class LiveTracks {
 public:
  // An element message of this name on `pipeline` has a field "text": worth a line for the user.
  static constexpr char kNote[] = "vidi-watch/note";

  // `file_uri`: of a source that can be read twice, else empty.
  LiveTracks(GstElement* pipeline, const TrackWishes& wishes, const std::string& file_uri)
      : pipeline_(pipeline), wishes_(wishes), file_uri_(file_uri) {}

  // Whether this stream is to be watched; `source`: the bin with its demuxer.
  bool is_wanted(GstBin* source, GstPad* pad);
  // The same for a medium of an RTSP session, once its description is known.
  void describe(const std::vector<Track>& media);
  bool is_wanted(guint medium);

  // Whether `parser`, which says what streams it has now, had one that is watched and has it no
  // more, or has got sound or a picture where there was none.
  bool are_outdated(GstObject* parser, GstStreamCollection* streams);

 private:
  struct Watched {
    std::string stream_id;
    GstObject* parser;  // that it comes from, only compared
  };
  std::optional<size_t> choose(const std::vector<Track>& tracks);

  GstElement* const pipeline_;
  const TrackWishes wishes_;
  const std::string file_uri_;
  std::mutex mutex_;
  std::optional<Watched> picture_, sound_;
  std::vector<Track> media_;
  std::set<guint> wanted_media_;
};
