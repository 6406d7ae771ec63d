#include "examples/common/movie_header.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>

namespace {

using Bytes = std::span<uint8_t>;

constexpr size_t kBoxHeader = 8;
constexpr uint64_t kShortestShare = 4;  // qtdemux leaves out what is shorter than a fifth

uint64_t read_number(Bytes bytes, size_t at, size_t width) {
  uint64_t number = 0;
  for (size_t i = 0; i < width; ++i) number = number << 8 | bytes[at + i];
  return number;
}

void write_number(Bytes bytes, size_t at, size_t width, uint64_t number) {
  for (size_t i = width; i-- > 0; number >>= 8) bytes[at + i] = static_cast<uint8_t>(number);
}

bool is_type(Bytes bytes, size_t at, const char* type) {
  return bytes.size() >= at + 4 && std::memcmp(bytes.data() + at, type, 4) == 0;
}

// Called with every box in `bytes`, its header included; what is longer than its place ends it.
void for_each_box(Bytes bytes, const std::function<void(Bytes)>& take) {
  while (bytes.size() >= kBoxHeader) {
    const uint64_t size = read_number(bytes, 0, 4);
    if (size < kBoxHeader || size > bytes.size()) return;
    take(bytes.first(size));
    bytes = bytes.subspan(size);
  }
}

// The first one of this type in a box of boxes; empty when there is none.
Bytes child(Bytes box, const char* type) {
  Bytes found;
  for_each_box(box.subspan(kBoxHeader), [&](Bytes inner) {
    if (found.empty() && is_type(inner, 4, type)) found = inner;
  });
  return found;
}

// `mvhd` and `mdhd` begin alike: version, flags, two dates, time scale, duration.
struct Clock {
  explicit Clock(Bytes header) : bytes(header) {
    const bool wide = header.size() > kBoxHeader && header[kBoxHeader] == 1;
    scale_at = wide ? 28 : 20;
    duration_at = scale_at + 4;
    width = wide ? 8 : 4;
    if (header.size() < duration_at + width) return;
    scale = read_number(header, scale_at, 4);
    duration = read_number(header, duration_at, width);
  }
  double seconds() const {
    return scale ? static_cast<double>(duration) / static_cast<double>(scale) : 0;
  }

  Bytes bytes;
  size_t scale_at, duration_at, width;
  uint64_t scale = 0, duration = 0;  // 0 = not said
};

void lengthen(Clock track, double film_s) {
  if (track.duration == 0 || track.scale == 0) return;
  if (track.seconds() * kShortestShare >= film_s) return;
  const double most = track.width == 8 ? 9e18 : 4e9;  // all ones: not known
  const double length = std::min(film_s * static_cast<double>(track.scale), most);
  write_number(track.bytes, track.duration_at, track.width, static_cast<uint64_t>(length));
}

}  // namespace

MovieTracks mend_movie_header(uint8_t* moov, size_t n_bytes) {
  const Bytes box(moov, n_bytes);
  MovieTracks tracks;
  if (box.size() < kBoxHeader || !is_type(box, 4, "moov")) return tracks;
  const double film_s = Clock(child(box, "mvhd")).seconds();
  for_each_box(box.subspan(kBoxHeader), [&](Bytes track) {
    const Bytes media = is_type(track, 4, "trak") ? child(track, "mdia") : Bytes();
    if (media.empty()) return;
    const Bytes handler = child(media, "hdlr");
    tracks.pictures += is_type(handler, 16, "vide");
    tracks.sounds += is_type(handler, 16, "soun");
    if (is_type(handler, 16, "vide") || is_type(handler, 16, "soun"))
      lengthen(Clock(child(media, "mdhd")), film_s);
  });
  return tracks;
}

void MovieHeader::watch(GstElement* qtdemux) {
  const auto pulled =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_PULL);
  GstPad* pad = gst_element_get_static_pad(qtdemux, "sink");
  gst_pad_add_probe(pad, pulled, on_pulled, this, nullptr);
  gst_object_unref(pad);
}

GstPadProbeReturn MovieHeader::on_pulled(GstPad*, GstPadProbeInfo* info, gpointer self) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (!buffer || gst_buffer_memcmp(buffer, 4, "moov", 4) != 0) return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable(buffer);
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READWRITE)) return GST_PAD_PROBE_OK;
  const MovieTracks tracks = mend_movie_header(map.data, map.size);
  gst_buffer_unmap(buffer, &map);
  static_cast<MovieHeader*>(self)->sounds_ = tracks.sounds;
  return GST_PAD_PROBE_OK;
}
