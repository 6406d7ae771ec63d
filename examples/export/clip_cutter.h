// Cuts a film into clips in one pass, without encoding again. A clip begins with the key frame at
// or before its place, so it is a little longer than asked for, never shorter. What was read since
// the last key frame is kept in memory; clips may overlap.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "examples/export/clip_file.h"
#include "examples/export/film_reader.h"

struct Cut {
  std::string stem;         // path without the extension
  gint64 from = 0, to = 0;  // in the film; `from` not below 0
  gint64 hit_start = 0, hit_stop = 0;
  size_t id = 0;  // the caller's
};

// How a cut ended.
struct CutClip {
  size_t id = 0;            // of the cut
  std::string path, error;  // error: empty, or why the file is not there
  gint64 base = 0;          // the time in the film that is the clip's beginning
  bool has_sound = false;
};

class ClipCutter {
 public:
  // `on_clip` hears of each clip at its end, on the thread of take() or finish(); false ends it
  // all.
  using OnClip = std::function<bool(const CutClip&)>;
  ClipCutter(std::vector<Cut> cuts, OnClip on_clip);
  ~ClipCutter();

  // What is known of the film's sound.
  struct Sound {
    bool is_there = false;
    GstCaps* caps = nullptr;  // null until it begins; the reader's
  };

  // As FilmReader::Take.
  bool take(Kind kind, const Packet& packet, const Sound& sound);
  void finish(bool is_whole);  // the film's end, or where it breaks off
  // What would have been too many files at once: for another pass.
  const std::vector<Cut>& left() const { return left_; }

  const std::string& note() const { return note_; }  // what clips lack, for people

 private:
  struct Open;
  void take_picture(const Packet& packet);
  void take_sound(const Packet& packet);
  void keep(const Packet& picture);
  void open_until(gint64 time);
  bool waits_for_sound(gint64 from) const;
  void open(size_t cut);
  GstCaps* sound_caps();
  void close_complete();
  void close(Open& clip);
  bool holds_hit(const Cut& cut, bool is_whole) const;
  void fail(size_t cut, const std::string& why);

  const std::vector<Cut> cuts_;
  const OnClip on_clip_;
  std::deque<size_t> pending_;  // by `from`
  std::vector<Cut> left_;
  std::vector<std::unique_ptr<Open>> open_;
  std::vector<Packet> pictures_;  // since the last key frame, in the order of decoding
  std::deque<Packet> sounds_;     // from its time on
  size_t n_kept_bytes_ = 0;
  bool is_overfull_ = false;  // there was no key frame for too long: pictures_ begin later
  Sound sound_;
  gint64 picture_time_ = 0, last_time_ = 0;  // of what has come
  bool ended_ = false;
  std::string note_;
};
