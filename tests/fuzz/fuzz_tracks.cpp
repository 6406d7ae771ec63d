// Any lists of tracks, and any wish: what is chosen can be played, a track that the file's flags
// want goes before one that they do not, and whatever the names are, the sentences can be printed.
//
// The first line is the wish; each other line is a track: a byte of flags, then its language.
#include <gst/gst.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "examples/common/tracks.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

Track track_in(const std::string& line) {
  const auto flags = static_cast<uint8_t>(line[0]);
  Track track;
  track.kind = flags & 1 ? Kind::kSound : Kind::kPicture;
  track.wanted = flags & 2, track.unwanted = flags & 4;
  track.playable = flags & 8, track.image = flags & 16;
  track.language = line.substr(1);
  return track;
}

bool is_printable(const std::string& text) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  return g_utf8_validate(text.c_str(), static_cast<gssize>(text.size()), nullptr) &&
         std::none_of(text.begin(), text.end(), is_control);
}

void check(const std::vector<Track>& tracks, const std::string& wish) {
  const auto chosen = choose_track(tracks, wish, "");
  const auto is_playable = [](const Track& track) { return track.playable; };
  if (wish.empty())
    require(chosen.has_value() == std::any_of(tracks.begin(), tracks.end(), is_playable));
  if (!tracks.empty()) require(is_printable(wish_complaint(tracks, wish)));
  if (!chosen) return;
  require(*chosen < tracks.size() && tracks[*chosen].playable);
  require(is_printable(choice_text(tracks, *chosen)));
  if (!wish.empty() || tracks[*chosen].wanted) return;
  for (const Track& track : tracks) require(!track.playable || !track.wanted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool ready = (gst_init(nullptr, nullptr), true);
  require(ready);
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines;
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  const std::string wish = lines.empty() ? "" : lines.front().c_str();
  std::vector<Track> tracks;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (!lines[i].empty()) tracks.push_back(track_in(lines[i].c_str()[0] ? lines[i] : "x"));
  }
  for (const Kind kind : {Kind::kPicture, Kind::kSound}) {
    check(of_kind(tracks, kind), wish);
    check(of_kind(tracks, kind), "");
  }
  return 0;
}
