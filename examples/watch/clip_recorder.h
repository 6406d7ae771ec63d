// Saves a clip around each hit, without encoding again.
//
// The streams are written all the time, into fragments of a few seconds (fragment_writer.h).
// Fragments that no hit can need any more are deleted. When a hit is final and its time after has
// passed, the fragments that it touches are joined into one file (clip_joiner.h). So a clip begins
// and ends with whole fragments: a little more than was asked for, never less, unless the stream
// itself began late, ended early or changed its form meanwhile.
//
// A disk that is full or gone costs clips and nothing else: it is tried again every few seconds.
// The fragments lie in a hidden folder beside the clips; what a process that was killed left there
// goes at the next start. Main thread only. All times are running times of the watching pipeline.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "examples/watch/clip_joiner.h"
#include "examples/watch/fragment_writer.h"
#include "examples/watch/scratch_folder.h"
#include "examples/watch/sighting.h"

class ClipRecorder {
 public:
  // A line about a saved clip, or about one that could not be saved.
  struct Saved {
    std::string file, error;
    Sighting hit;
  };
  struct Host {
    std::function<void(const Saved&)> on_saved;
    std::function<void(const std::string&)> on_trouble;  // a line: it began, or is over
    std::function<void(const std::string&)> on_note;     // a line worth knowing
  };

  ClipRecorder(const std::string& folder, GstClockTime before, GstClockTime after, Host host);
  ~ClipRecorder();  // gives up on clips that are being joined; the fragments are deleted
  ClipRecorder(const ClipRecorder&) = delete;
  ClipRecorder& operator=(const ClipRecorder&) = delete;

  // Makes the folders; returns an empty string, or why clips cannot be saved.
  std::string prepare();

  void attach();                      // a new connection
  void tick(const StreamTaps& taps);  // every moment: the streams that are known by now
  void keep_from(GstClockTime time);  // no later hit begins before
  void save(const Sighting& hit);     // a final one
  void detach();                      // the connection has ended: clips end with it
  bool is_busy() const;               // a clip is under way

 private:
  struct Fragment;    // a closed file; deleted with its last owner
  struct Wanted;      // a clip whose end has not come yet
  struct Job;         // a clip that is being joined
  struct Connection;  // what is written of one, and its clips
  using Fragments = std::vector<std::shared_ptr<Fragment>>;

  bool has_to_begin_anew(const StreamTaps& taps, gint64 now_us) const;
  void begin(const StreamTaps& taps);
  void take(Connection& connection, const std::shared_ptr<Fragment>& fragment);
  void writer_ended(Connection& connection, FragmentWriter* writer, const std::string& error);
  void fail(const std::string& error);
  void recover(const FragmentWriter& writer);
  void join_all(Connection& connection);
  void join(Wanted& wanted);
  void finish(Job* job, const std::string& error);
  Saved put_in_place(const std::string& file, const Sighting& hit) const;

  const std::string folder_;
  const GstClockTime before_, after_;
  const Host host_;
  ScratchFolder scratch_;  // of the fragments, inside `folder_`
  int n_writers_ = 0, n_clips_ = 0;
  bool failed_ = false, was_said_ = false;
  gint64 retry_us_ = 0, taken_us_ = 0;  // 0: no fragment has come
  std::unique_ptr<Connection> connection_;
  std::vector<std::unique_ptr<Connection>> ending_;
  std::vector<std::unique_ptr<Job>> jobs_;
};
