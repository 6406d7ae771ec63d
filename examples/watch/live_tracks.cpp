#include "examples/watch/live_tracks.h"

#include <algorithm>

namespace {

void post(GstElement* pipeline, const std::string& text) {
  GstStructure* s =
      gst_structure_new(LiveTracks::kNote, "text", G_TYPE_STRING, text.c_str(), nullptr);
  gst_element_post_message(pipeline, gst_message_new_element(GST_OBJECT(pipeline), s));
}

}  // namespace

// A wish that nothing fits is said; to hear another track is better than to be deaf.
std::optional<size_t> LiveTracks::choose(const std::vector<Track>& tracks) {
  if (tracks.empty()) return std::nullopt;
  const bool sound = tracks.front().kind == Kind::kSound;
  const std::string& wish = sound ? wishes_.audio : wishes_.video;
  auto chosen = choose_track(tracks, wish, file_uri_);
  if (!chosen && !wish.empty()) {
    post(pipeline_, (sound ? "--audio-track: " : "--video-track: ") + wish_complaint(tracks, wish));
    chosen = choose_track(tracks, "", file_uri_);
  }
  if (chosen && tracks.size() > 1) post(pipeline_, choice_text(tracks, *chosen));
  return chosen;
}

bool LiveTracks::is_wanted(GstBin* source, GstPad* pad) {
  const Track track = track_of(pad);
  if (track.kind == Kind::kOther) return false;
  std::lock_guard lock(mutex_);
  auto& watched = track.kind == Kind::kPicture ? picture_ : sound_;
  if (watched) return watched->stream_id == track.stream_id && !track.stream_id.empty();
  std::vector<Track> tracks = of_kind(demuxed_tracks(source), track.kind);
  const bool is_demuxed = std::any_of(tracks.begin(), tracks.end(), [&](const Track& other) {
    return other.stream_id == track.stream_id;
  });
  if (!is_demuxed) tracks = {track};
  for (Track& other : tracks) other.playable = true;  // nobody has tried
  const auto chosen = choose(tracks);
  watched = {chosen ? tracks[*chosen].stream_id : track.stream_id, GST_OBJECT_PARENT(pad)};
  return watched->stream_id == track.stream_id;
}

void LiveTracks::describe(const std::vector<Track>& media) {
  std::lock_guard lock(mutex_);
  wanted_media_.clear();
  for (const Kind kind : {Kind::kPicture, Kind::kSound}) {
    const auto tracks = of_kind(media, kind);
    const auto chosen = choose(tracks);
    if (chosen) wanted_media_.insert(static_cast<guint>(std::stoul(tracks[*chosen].stream_id)));
  }
}

bool LiveTracks::is_wanted(guint medium) {
  std::lock_guard lock(mutex_);
  return wanted_media_.contains(medium);
}

bool LiveTracks::are_outdated(GstObject* parser, GstStreamCollection* streams) {
  std::set<std::string> pictures, sounds;
  for (guint i = 0; i < gst_stream_collection_get_size(streams); ++i) {
    GstStream* stream = gst_stream_collection_get_stream(streams, i);
    const GstStreamType type = gst_stream_get_stream_type(stream);
    if (type & GST_STREAM_TYPE_VIDEO) pictures.insert(gst_stream_get_stream_id(stream));
    if (type & GST_STREAM_TYPE_AUDIO) sounds.insert(gst_stream_get_stream_id(stream));
  }
  std::lock_guard lock(mutex_);
  const auto is_mine = [&](const auto& watched) { return watched && watched->parser == parser; };
  const auto outdated = [&](const auto& watched, const std::set<std::string>& there) {
    if (!watched) return !there.empty();
    return watched->parser == parser && !there.contains(watched->stream_id);
  };
  if (!is_mine(picture_) && !is_mine(sound_)) return false;
  return outdated(picture_, pictures) || outdated(sound_, sounds);
}
