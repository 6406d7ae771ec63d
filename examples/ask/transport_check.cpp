#include "examples/ask/transport_check.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kPacket = 188;
constexpr uint8_t kSync = 0x47;
// With a time before it (Blu-ray, cameras), or a checksum behind it.
constexpr size_t kSizes[] = {188, 192, 204};
constexpr size_t kInARow = 4;  // sync bytes that are no chance
constexpr uint64_t kStampMask = (uint64_t{1} << 33) - 1;
constexpr uint64_t kStampsPerSecond = 90'000;
constexpr uint64_t kLongestStep = 120 * kStampsPerSecond;

uint64_t stamp_at(std::span<const uint8_t> b, size_t at) {
  return uint64_t{b[at] & 0x0eu} << 29 | uint64_t{b[at + 1]} << 22 |
         uint64_t{b[at + 2] & 0xfeu} << 14 | uint64_t{b[at + 3]} << 7 | uint64_t{b[at + 4]} >> 1;
}

// Of a PES packet that begins here: its DTS, else its PTS.
std::optional<uint64_t> stamp_in(std::span<const uint8_t> pes) {
  if (pes.size() < 14 || pes[0] != 0 || pes[1] != 0 || pes[2] != 1) return std::nullopt;
  if ((pes[6] & 0xc0) != 0x80 || !(pes[7] & 0x80)) return std::nullopt;  // no such header
  const bool has_dts = (pes[7] & 0x40) && pes.size() >= 19;
  return stamp_at(pes, has_dts ? 14 : 9);
}

}  // namespace

void TransportCheck::watch(GstElement* tsdemux) {
  GstPad* pad = gst_element_get_static_pad(tsdemux, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_data, this, nullptr);
  gst_object_unref(pad);
}

GstPadProbeReturn TransportCheck::on_data(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<TransportCheck*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstMapInfo map;
  if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_PAD_PROBE_OK;
  const bool pulled = GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_PULL;
  self->feed(pulled ? info->offset : self->next_offset_, {map.data, map.size});
  gst_buffer_unmap(buffer, &map);
  return GST_PAD_PROBE_OK;
}

void TransportCheck::feed(uint64_t offset, std::span<const uint8_t> bytes) {
  std::lock_guard lock(mutex_);
  if (offset > next_offset_ || next_offset_ - offset >= bytes.size()) return;
  bytes = bytes.subspan(next_offset_ - offset);
  next_offset_ += bytes.size();
  n_bytes_ += bytes.size();
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  size_t at = 0;
  while (pending_.size() - at > kInARow * kSizes[2]) {
    const bool is_packet = packet_size_ && pending_[at] == kSync;
    if (is_packet) {
      take_packet({pending_.data() + at, kPacket});
      at += packet_size_;
      continue;
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(at));
    at = 0;
    if (!find_packets()) return;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(at));
}

// Goes on to where packets follow each other; what is before is lost. False when more is needed.
bool TransportCheck::find_packets() {
  for (size_t at = 0; at + kInARow * kSizes[2] <= pending_.size(); ++at) {
    for (const size_t size : kSizes) {
      size_t n = 0;
      while (n < kInARow && pending_[at + n * size] == kSync) ++n;
      if (n < kInARow) continue;
      n_lost_ += at;
      packet_size_ = size;
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(at));
      return true;
    }
  }
  const size_t n_kept = std::min(pending_.size(), kInARow * kSizes[2] - 1);
  n_lost_ += pending_.size() - n_kept;
  packet_size_ = 0;
  pending_.erase(pending_.begin(), pending_.end() - static_cast<ptrdiff_t>(n_kept));
  return false;
}

void TransportCheck::take_packet(std::span<const uint8_t> packet) {
  const bool begins = packet[1] & 0x40, has_payload = packet[3] & 0x10,
             is_clear = !(packet[3] & 0xc0);
  const size_t payload = 4 + ((packet[3] & 0x20) ? 1 + size_t{packet[4]} : 0);
  if (!begins || !has_payload || !is_clear || payload >= packet.size()) return;
  const auto stamp = stamp_in(packet.subspan(payload));
  if (stamp) take_stamp((packet[1] & 0x1fu) << 8 | packet[2], *stamp);
}

// The clock begins anew every 26.5 hours.
void TransportCheck::take_stamp(unsigned pid, uint64_t stamp) {
  Stamps& track = stamps_[pid];
  const uint64_t step = track.any ? (stamp - track.last) & kStampMask : 0;
  if (step > kLongestStep) track.jumps = true;  // or goes back
  track.any = true;
  track.last = stamp;
  track.extent += step;
}

double TransportCheck::damaged() const {
  std::lock_guard lock(mutex_);
  return n_bytes_ ? static_cast<double>(n_lost_) / static_cast<double>(n_bytes_) : 0;
}

std::optional<GstClockTime> TransportCheck::extent(unsigned pid) const {
  std::lock_guard lock(mutex_);
  const auto track = stamps_.find(pid);
  if (track == stamps_.end() || track->second.jumps) return std::nullopt;
  return gst_util_uint64_scale(track->second.extent, GST_SECOND, kStampsPerSecond);
}

// "video_0_0100": programme, PID.
std::optional<unsigned> TransportCheck::pid_of(GstPad* pad) {
  gchar* name = gst_pad_get_name(pad);
  const char* last = std::strrchr(name, '_');
  char* end = nullptr;
  const unsigned long pid = last ? std::strtoul(last + 1, &end, 16) : 0;
  const bool is_one = last && end != last + 1 && *end == '\0' && pid < 0x2000;
  g_free(name);
  return is_one ? std::optional<unsigned>(static_cast<unsigned>(pid)) : std::nullopt;
}
