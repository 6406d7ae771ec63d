// The folder of an HLS stream: its playlist, which is replaced whole or not at all, and segments
// that are deleted. All of it on a thread of its own, since a disk may not answer; the calls never
// wait, but for open() and the destructor. Main thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "examples/watch/hls_playlist.h"

class HlsFolder {
 public:
  static constexpr char kPlaylist[] = "playlist.m3u8", kSegments[] = "vidi-";

  explicit HlsFolder(const std::string& folder);
  ~HlsFolder();  // what was asked for is done, if that does not take long
  HlsFolder(const HlsFolder&) = delete;
  HlsFolder& operator=(const HlsFolder&) = delete;

  // Makes it and takes it for this process; returns an empty string, or a sentence that says why
  // it cannot be used: nothing in it is changed then.
  std::string open();
  HlsPlaylist::Numbers first() const { return first_; }  // of the first segment of this run

  void write(const std::string& playlist);  // the newest counts
  void remove(const std::vector<std::string>& segments);
  void remove_old();  // what an earlier run has left; once is enough
  void make_again();  // somebody has deleted it

  bool is_idle() const;      // all that was asked for is done
  std::string take_error();  // why the last playlist could not be written; empty: it was

 private:
  struct Work;

  std::string read_old();

  const std::string folder_;
  HlsPlaylist::Numbers first_;
  std::vector<std::string> old_;  // segments
  std::shared_ptr<Work> work_;
};
