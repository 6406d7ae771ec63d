// Saves a clip around each hit, without encoding again.
//
// The streams are written all the time, into fragments of a few seconds that begin with a key frame
// (splitmuxsink). Fragments that no hit can need any more are deleted. When a hit is final and its
// time after has passed, the fragments that it touches are joined into one file (splitmuxsrc). So a
// clip begins and ends with whole fragments: a little more than was asked for, never less, unless
// the stream itself began late or ended early.
//
// Raw streams (a webcam) are encoded for the clips. Main thread only. All times are running times
// of the watching pipeline.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "live_source.h"
#include "sighting.h"

class ClipRecorder {
 public:
  // A line about a saved clip, or about one that could not be saved.
  struct Saved {
    std::string file, error;
    Sighting hit;
  };
  using OnSaved = std::function<void(const Saved&)>;

  ClipRecorder(const std::string& folder, GstClockTime before, GstClockTime after,
               OnSaved on_saved);
  ~ClipRecorder();  // gives up on clips that are being joined; the fragments are deleted
  ClipRecorder(const ClipRecorder&) = delete;
  ClipRecorder& operator=(const ClipRecorder&) = delete;

  // Makes the folder; returns an empty string, or why clips cannot be saved.
  std::string prepare();

  // A new connection: its streams, once all are known. Returns an empty string, or why not.
  std::string attach(GstElement* pipeline, const std::vector<LiveStream>& streams);
  void handle(GstMessage* message);   // of that pipeline
  void keep_from(GstClockTime time);  // no later hit begins before
  void save(const Sighting& hit);     // a final one
  void detach();                      // the connection has ended: clips end with it
  bool is_busy() const { return !wanted_.empty() || !jobs_.empty(); }

 private:
  struct Fragment;  // a closed file; deleted with its last owner
  struct Wanted;    // a clip whose end has not come yet
  struct Job;       // a clip that is being joined
  using Fragments = std::vector<std::shared_ptr<Fragment>>;

  void opened(const std::string& file, GstClockTime time);
  void closed(const std::string& file, GstClockTime time);
  void join(Wanted& wanted);
  void start(Job& job);
  void finish(Job* job, const std::string& error);
  Saved put_in_place(const std::string& file, const Sighting& hit) const;
  static gboolean on_job_too_long(gpointer job);
  static gboolean on_job_message(GstBus* bus, GstMessage* message, gpointer job);

  const std::string folder_;
  const GstClockTime before_, after_;
  const OnSaved on_saved_;
  std::string scratch_;  // folder of the fragments, inside `folder_`
  int n_connections_ = 0;
  std::string open_file_;
  GstClockTime open_since_ = 0;
  Fragments fragments_;  // of this connection, by time
  std::vector<Wanted> wanted_;
  std::vector<std::unique_ptr<Job>> jobs_;
};
