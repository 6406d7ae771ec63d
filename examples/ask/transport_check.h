// A transport stream (ISO/IEC 13818-1) beside what tsdemux makes of it: bytes that are no packets,
// and how long each track is by its own time stamps. tsdemux says nothing of either; where its
// program clock pauses (pictures far apart, a picture that begins late) 1.22 takes that for a jump
// and squeezes the times.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

class TransportCheck {
 public:
  // `tsdemux`: what it reads is fed, in the order of the file.
  void watch(GstElement* tsdemux);
  // `offset`: of the stream. What was fed before is passed over, and so is what is not next.
  void feed(uint64_t offset, std::span<const uint8_t> bytes);

  // Share of the bytes that were no packets, 0 to 1.
  double damaged() const;
  // From the first to the last time stamp of a track (DTS, or PTS where that is the same); nothing
  // where they jump, as in recordings that were joined.
  std::optional<GstClockTime> extent(unsigned pid) const;

  static std::optional<unsigned> pid_of(GstPad* pad);  // of one of tsdemux's

 private:
  struct Stamps {
    uint64_t last = 0;  // 33 bits, 90 kHz
    uint64_t extent = 0;
    bool any = false, jumps = false;
  };

  static GstPadProbeReturn on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  bool find_packets();
  void take_packet(std::span<const uint8_t> packet);
  void take_stamp(unsigned pid, uint64_t stamp);

  mutable std::mutex mutex_;
  std::vector<uint8_t> pending_;
  uint64_t next_offset_ = 0, n_bytes_ = 0, n_lost_ = 0;
  size_t packet_size_ = 0;             // 0 = to be found
  std::map<unsigned, Stamps> stamps_;  // by PID
};
