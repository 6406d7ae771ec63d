#include "gst/decode/coded_frame.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vidi {
namespace {

using Bytes = std::span<const uint8_t>;
using Codec = CodedFrameReader::Codec;

constexpr char kCaps[] =
    "video/x-h264, stream-format=(string){ avc, avc3, byte-stream }, alignment=(string)au, "
    "parsed=(boolean)true; "
    "video/x-h265, stream-format=(string){ hvc1, hev1, byte-stream }, alignment=(string)au, "
    "parsed=(boolean)true; "
    "video/x-vp8; video/x-vp9";

// ---- NAL units
// -----------------------------------------------------------------------------------

// Offset of the next 00 00 01 from `at` on; the end when there is none.
size_t next_start_code(Bytes bytes, size_t at) {
  constexpr uint8_t kCode[] = {0, 0, 1};
  const auto found = std::search(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(),
                                 std::begin(kCode), std::end(kCode));
  return static_cast<size_t>(found - bytes.begin());
}

template <class Each>
bool each_between_start_codes(Bytes bytes, Each each) {
  size_t at = next_start_code(bytes, 0);
  const bool any = at < bytes.size();
  while (at < bytes.size()) {
    const size_t start = at + 3;
    at = next_start_code(bytes, start);
    each(bytes.subspan(start, at - start));
  }
  return any;
}

template <class Each>
bool each_with_length(Bytes bytes, size_t length_bytes, Each each) {
  while (!bytes.empty()) {
    if (bytes.size() < length_bytes) return false;
    size_t length = 0;
    for (size_t i = 0; i < length_bytes; ++i) length = length << 8 | bytes[i];
    bytes = bytes.subspan(length_bytes);
    if (length > bytes.size()) return false;
    each(bytes.first(length));
    bytes = bytes.subspan(length);
  }
  return true;
}

// Calls `each` with every NAL unit; false when the frame is damaged.
template <class Each>
bool each_nal(Bytes bytes, size_t length_bytes, Each each) {
  return length_bytes == 0 ? each_between_start_codes(bytes, each)
                           : each_with_length(bytes, length_bytes, each);
}

// ---- What they say
// -------------------------------------------------------------------------------

// A recovery point is no place to begin: decoders call damaged what follows one.
void read_h264(Bytes bytes, size_t length_bytes, CodedFrame& frame) {
  bool idr = false, needed = false, slices = false;
  const bool whole = each_nal(bytes, length_bytes, [&](Bytes nal) {
    if (nal.empty()) return;
    const int type = nal[0] & 0x1f;
    if (type < 1 || type > 5) return;
    slices = true;
    idr = idr || type == 5;
    needed = needed || (nal[0] & 0x60) != 0;  // nal_ref_idc
  });
  if (!whole || !slices) return;
  frame.starts = frame.closed = idr;
  frame.disposable = !needed;
}

void read_h265(Bytes bytes, size_t length_bytes, CodedFrame& frame) {
  bool slices = false;
  int type = 0;
  const bool whole = each_nal(bytes, length_bytes, [&](Bytes nal) {
    if (nal.size() < 2 || (nal[0] >> 1 & 0x3f) > 31) return;
    slices = true;
    type = nal[0] >> 1 & 0x3f;  // the same in all slices of a frame
    frame.layer = std::max(0, (nal[1] & 7) - 1);
  });
  if (!whole || !slices) return;
  constexpr int kBlaNoLeading = 18, kIdrNoLeading = 20;
  frame.starts = type >= 16 && type <= 21;
  frame.closed = type == kBlaNoLeading || type == kIdrNoLeading;
  frame.disposable = type < 16 && type % 2 == 0;
}

void read_vp8(Bytes bytes, CodedFrame& frame) {
  if (bytes.empty()) return;
  frame.starts = frame.closed = (bytes[0] & 1) == 0;
  frame.hidden = frame.hidden || (bytes[0] >> 4 & 1) == 0;
}

std::optional<Time> time_of(GstClockTime time) {
  if (!is_possible(time)) return std::nullopt;
  return Time(time);
}

// ---- Caps
// ----------------------------------------------------------------------------------------

std::string text_field(const GstStructure* s, const char* field, const char* otherwise) {
  const gchar* text = gst_structure_get_string(s, field);
  return text ? text : otherwise;
}

// Of the field that states how many bytes precede a NAL unit; 0 when there is no such field.
size_t length_bytes(const GstStructure* s, size_t offset) {
  const GValue* value = gst_structure_get_value(s, "codec_data");
  GstBuffer* data = value ? gst_value_get_buffer(value) : nullptr;
  uint8_t byte = 0;
  if (!data || gst_buffer_extract(data, offset, &byte, 1) != 1) return 0;
  return (byte & 3) + 1u;
}

}  // namespace

GstCaps* coded_frame_caps() { return gst_caps_from_string(kCaps); }

std::optional<CodedFrameReader> CodedFrameReader::make(const GstCaps* caps) {
  GstCaps* known = coded_frame_caps();
  const bool fits = gst_caps_is_fixed(caps) && gst_caps_is_subset(caps, known);
  gst_caps_unref(known);
  if (!fits) return std::nullopt;
  const GstStructure* s = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(s);
  if (name == "video/x-vp8") return CodedFrameReader(Codec::kVp8, 0);
  if (name == "video/x-vp9") return CodedFrameReader(Codec::kVp9, 0);
  if (text_field(s, "interlace-mode", "progressive") != "progressive" ||
      text_field(s, "coded-picture-structure", "frame") != "frame")
    return std::nullopt;
  const Codec codec = name == "video/x-h264" ? Codec::kH264 : Codec::kH265;
  if (text_field(s, "stream-format", "") == "byte-stream") return CodedFrameReader(codec, 0);
  const size_t n = length_bytes(s, codec == Codec::kH264 ? 4 : 21);
  if (n == 0) return std::nullopt;
  return CodedFrameReader(codec, n);
}

CodedFrame CodedFrameReader::read(GstBuffer* buffer) const {
  CodedFrame frame;
  frame.buffer = OwnedBuffer(gst_buffer_ref(buffer), BufferUnref());
  frame.pts = time_of(GST_BUFFER_PTS(buffer));
  frame.duration = time_of(GST_BUFFER_DURATION(buffer));
  frame.hidden = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DECODE_ONLY);
  const bool delta = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return frame;
  const Bytes bytes(map.data, map.size);
  if (codec_ == Codec::kH264) read_h264(bytes, length_bytes_, frame);
  if (codec_ == Codec::kH265) read_h265(bytes, length_bytes_, frame);
  if (codec_ == Codec::kVp8) read_vp8(bytes, frame);
  if (codec_ == Codec::kVp9) frame.starts = frame.closed = !delta;
  gst_buffer_unmap(buffer, &map);
  return frame;
}

}  // namespace vidi
