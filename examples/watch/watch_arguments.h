// The command line of vidi-watch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct WatchArguments {
  std::string uri;
  std::vector<std::string> queries;
  std::string model, device = "auto", precision = "auto", weights = "auto", keys = "auto";
  std::optional<uint64_t> memory_limit = 0;  // bytes, 0 = none; empty: not understood
  std::string audio_track, video_track;      // number or language; empty = the source's own choice
  std::string task = "retrieval";            // or highlight
  std::string gate = "none";                 // or motion
  std::string record;                        // folder for clips; empty = none
  std::string hls;                           // folder for the stream as HLS; empty = none
  double window_s = 20, stride_s = 10, min_confidence = 0;
  double rate = 0;  // pictures a second; 0 = as the checkpoint was trained
  double hls_segment_s = 4, hls_keep_s = 0, hls_delay_s = 0;  // keep 0: by the window
  double before_s = 5, after_s = 5;                           // of a clip, around the hit
  double timeout_s = 10;                                      // without a picture
  double retry_s = 30, unload_after_s = 0;  // longest wait before connecting again
  double gate_similarity = 0;               // with --gate motion; 0 = the element's own
  double latency_ms = 2000;                 // of an RTSP source
  double max_highlights = 3;                // a minute, with task highlight; 0 = all
  double once = 0;                          // end after so many hits; 0 = never
  bool splits_windows = false;              // over several devices
  bool json = false, final_only = false, quiet = false;
};

// `--help` prints and ends the program. Empty after an error, which is on stderr then.
std::optional<WatchArguments> parse_watch_arguments(int argc, char** argv);
