// What a compressed frame tells without being decoded: when it is shown, whether decoding may begin
// at it, whether others need it. First step of vididecode: coded frames > GOPs > frame plan >
// decoders > pictures in order.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <optional>
#include <vector>

#include "gst/media_time.h"

namespace vidi {

struct BufferUnref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using OwnedBuffer = std::shared_ptr<GstBuffer>;
struct EventUnref {
  void operator()(GstEvent* event) const { gst_event_unref(event); }
};
using OwnedEvent = std::shared_ptr<GstEvent>;

struct CodedFrame {
  OwnedBuffer buffer;
  std::optional<Time> pts, duration;
  bool starts = false;      // decoding may begin here: all that is shown from its PTS on is whole
  bool closed = false;      // it starts, and nothing that comes behind it is shown before it
  bool disposable = false;  // no other frame of the same or a lower layer needs it
  bool hidden = false;      // never shown
  int layer = 0;            // temporal layer
  std::vector<OwnedEvent> events = {};  // that came right before it
};

// Reads the frames of one caps. Untrusted bytes: what cannot be understood neither starts nor is
// disposable.
class CodedFrameReader {
 public:
  // Parsed H.264 and H.265 in whole frames, VP8 and VP9; nothing for all else, such as fields.
  static std::optional<CodedFrameReader> make(const GstCaps* caps);
  CodedFrame read(GstBuffer* buffer) const;  // takes a reference

  enum class Codec { kH264, kH265, kVp8, kVp9 };

 private:
  CodedFrameReader(Codec codec, size_t length_bytes) : codec_(codec), length_bytes_(length_bytes) {}

  Codec codec_;
  size_t length_bytes_;  // in front of every NAL unit; 0 = start codes
};

// Caps of frames that make() takes.
GstCaps* coded_frame_caps();

}  // namespace vidi
