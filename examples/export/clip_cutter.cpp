#include "examples/export/clip_cutter.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace {

constexpr size_t kMostKept = 512 << 20;           // bytes from key frame to key frame
constexpr gint64 kLatestSound = 10 * GST_SECOND;  // behind the pictures; then it has ended
constexpr size_t kMostOpen = 48;                  // each has threads and a file
constexpr gint64 kLongestLast = GST_SECOND;
constexpr gint64 kLatestBegin = 2 * GST_SECOND;  // of the sound, after a clip's begin
constexpr gint64 kReordering = GST_SECOND;       // of pictures without decode times

// All pictures that are shown before `to` have come.
bool is_past(const Packet& picture, gint64 to) {
  if (picture.dts) return *picture.dts >= to;
  return picture.pts >= to + kReordering || (picture.key && picture.pts >= to);
}

}  // namespace

struct ClipCutter::Open {
  size_t cut;
  gint64 to, base;
  std::unique_ptr<ClipFile> file;
  bool has_pictures = false, has_sound = false;  // all of them
};

ClipCutter::ClipCutter(std::vector<Cut> cuts, OnClip on_clip)
    : cuts_(std::move(cuts)), on_clip_(std::move(on_clip)), pending_(cuts_.size()) {
  std::iota(pending_.begin(), pending_.end(), size_t{0});
  std::stable_sort(pending_.begin(), pending_.end(),
                   [&](size_t a, size_t b) { return cuts_[a].from < cuts_[b].from; });
}

ClipCutter::~ClipCutter() = default;

bool ClipCutter::take(Kind kind, const Packet& packet, const Sound& sound) {
  sound_ = sound;
  last_time_ = std::max(last_time_, packet.pts);
  if (kind == Kind::kPicture) {
    take_picture(packet);
  } else {
    take_sound(packet);
  }
  close_complete();
  return !ended_ && !(pending_.empty() && open_.empty());
}

void ClipCutter::take_picture(const Packet& packet) {
  // A clip that begins before this key frame begins with the one before.
  if (packet.key) open_until(packet.pts - 1);
  picture_time_ = std::max(picture_time_, packet.pts);
  for (auto& clip : open_) {
    if (clip->has_pictures) continue;
    clip->has_pictures = is_past(packet, clip->to);
    // Those shown before a key frame and decoded after it belong to what was before it.
    if (!clip->has_pictures && packet.pts >= clip->base) clip->file->push(Kind::kPicture, packet);
  }
  keep(packet);
  if (!pending_.empty() && !waits_for_sound(cuts_[pending_.front()].from))
    open_until(packet.decode_time());
}

// A file begins with streams that have to be the same to its end: until the sound has begun, it is
// not known what it is.
bool ClipCutter::waits_for_sound(gint64 from) const {
  return sound_.is_there && !sound_.caps && picture_time_ < from + kLatestBegin;
}

void ClipCutter::keep(const Packet& picture) {
  if (picture.key) {
    pictures_.clear();
    n_kept_bytes_ = 0;
    is_overfull_ = false;
    while (!sounds_.empty() && sounds_.front().pts < picture.pts) sounds_.pop_front();
  }
  if (pictures_.empty() && !picture.key && is_overfull_) return;
  pictures_.push_back(picture);
  n_kept_bytes_ += picture.n_bytes();
  if (n_kept_bytes_ <= kMostKept) return;
  pictures_.clear();
  sounds_.clear();
  n_kept_bytes_ = 0;
  is_overfull_ = true;
}

void ClipCutter::take_sound(const Packet& packet) {
  for (auto& clip : open_) {
    if (clip->has_sound || packet.pts < clip->base) continue;
    clip->has_sound = packet.pts >= clip->to;
    if (!clip->has_sound) clip->file->push(Kind::kSound, packet);
  }
  if (!is_overfull_) sounds_.push_back(packet);
}

void ClipCutter::open_until(gint64 time) {
  if (pictures_.empty() && !is_overfull_) return;  // the first one is still to come
  while (!ended_ && !pending_.empty() && cuts_[pending_.front()].from <= time) {
    const size_t cut = pending_.front();
    pending_.pop_front();
    if (open_.size() >= kMostOpen) {
      left_.push_back(cuts_[cut]);
    } else if (pictures_.empty()) {
      fail(cut, "there is no key frame in 512 MB before it");
    } else {
      open(cut);
    }
  }
}

void ClipCutter::open(size_t cut) {
  const Packet& first = pictures_.front();
  auto clip = std::make_unique<Open>(Open{cut, cuts_[cut].to, first.pts, nullptr});
  GstCaps* sound = sound_caps();
  clip->file = std::make_unique<ClipFile>(
      cuts_[cut].stem, ClipFile::Streams{first.caps.get(), sound, &pictures_}, clip->base);
  for (const Packet& picture : pictures_) {
    if (picture.pts >= clip->base) clip->file->push(Kind::kPicture, picture);
  }
  for (const Packet& packet : sounds_) {
    if (packet.pts >= clip->base && packet.pts < clip->to && sound)
      clip->file->push(Kind::kSound, packet);
  }
  clip->has_sound = !sound;
  open_.push_back(std::move(clip));
}

// Null where there is no sound, or none that can be copied.
GstCaps* ClipCutter::sound_caps() {
  if (!sound_.caps) return nullptr;
  if (can_be_muxed("mp4mux", sound_.caps) || can_be_muxed("matroskamux", sound_.caps))
    return sound_.caps;
  note_ = "clips have no sound: its format goes into neither MP4 nor Matroska";
  return nullptr;
}

void ClipCutter::close_complete() {
  for (auto& clip : open_) {
    const bool is_late = !sound_.is_there || picture_time_ > clip->to + kLatestSound;
    const bool is_complete = clip->has_pictures && (clip->has_sound || is_late);
    if (is_complete || !clip->file->error().empty()) close(*clip);
  }
  std::erase_if(open_, [](const auto& clip) { return !clip->file; });
}

void ClipCutter::close(Open& clip) {
  const std::string error = clip.file->finish();
  const CutClip done{cuts_[clip.cut].id, clip.file->path(), error, clip.base,
                     clip.file->has_sound()};
  clip.file.reset();
  if (!ended_) ended_ |= !on_clip_(done);
}

void ClipCutter::finish(bool is_whole) {
  open_until(G_MAXINT64);
  for (size_t cut : std::exchange(pending_, {})) fail(cut, "the film has no picture to cut there");
  for (auto& clip : open_) {
    if (holds_hit(cuts_[clip->cut], is_whole)) {
      close(*clip);
    } else {
      fail(clip->cut, "the film ends before");
    }
  }
  open_.clear();
}

// The last picture and the last sound stand for a while.
bool ClipCutter::holds_hit(const Cut& cut, bool is_whole) const {
  return last_time_ >= (is_whole ? cut.hit_start - kLongestLast : cut.hit_stop);
}

void ClipCutter::fail(size_t cut, const std::string& why) {
  if (!ended_) ended_ |= !on_clip_({cuts_[cut].id, "", why});
}
