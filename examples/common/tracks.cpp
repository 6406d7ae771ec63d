#include "examples/common/tracks.h"

#include <gst/tag/tag.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <set>

#include "examples/common/picture_count.h"
#include "examples/common/text.h"

namespace {

std::string text_of(const gchar* text) { return text ? text : ""; }

// Called with every sticky event of one type.
void for_each_sticky(GstPad* pad, GstEventType type, const std::function<void(GstEvent*)>& take) {
  for (guint i = 0;; ++i) {
    GstEvent* event = gst_pad_get_sticky_event(pad, type, i);
    if (!event) return;
    take(event);
    gst_event_unref(event);
  }
}

std::string language_in(GstEvent* tags) {
  GstTagList* list = nullptr;
  gst_event_parse_tag(tags, &list);
  gchar* code = nullptr;
  gst_tag_list_get_string(list, GST_TAG_LANGUAGE_CODE, &code);
  const std::string language = text_of(code);
  g_free(code);
  return language == "und" ? "" : language;  // "undetermined", as Matroska writes it
}

std::string language_name(const std::string& code) {
  return code.empty() ? "" : text_of(gst_tag_get_language_name(code.c_str()));
}

// "en", "eng" and "English" are one.
bool is_language(const Track& track, const std::string& wish) {
  if (track.language.empty()) return false;
  const auto two_letters = [](const std::string& code) {
    return text_of(gst_tag_get_language_code_iso_639_1(code.c_str()));
  };
  const std::string name = language_name(track.language);
  return g_ascii_strcasecmp(track.language.c_str(), wish.c_str()) == 0 ||
         g_ascii_strcasecmp(name.c_str(), wish.c_str()) == 0 ||
         (!two_letters(wish).empty() && two_letters(wish) == two_letters(track.language));
}

bool is_demuxer(GstElement* element) {
  GstElementFactory* maker = gst_element_get_factory(element);
  const gchar* what =
      maker ? gst_element_factory_get_metadata(maker, GST_ELEMENT_METADATA_KLASS) : nullptr;
  return what && strstr(what, "Demuxer");
}

gboolean add_track(GstElement*, GstPad* pad, gpointer tracks) {
  Track track = track_of(pad);
  track.coded = pad;
  static_cast<std::vector<Track>*>(tracks)->push_back(track);
  return TRUE;
}

void add_tracks(const GValue* value, gpointer tracks) {
  auto* element = GST_ELEMENT(g_value_get_object(value));
  if (is_demuxer(element)) gst_element_foreach_src_pad(element, add_track, tracks);
}

int rank(const Track& track) {
  const int by_flags = track.wanted ? 0 : track.unwanted ? 2 : 1;
  return 2 * by_flags + (track.image ? 1 : 0);
}

std::optional<size_t> asked_for(const std::vector<Track>& tracks, const std::string& wish) {
  gchar* end = nullptr;
  const guint64 number = g_ascii_strtoull(wish.c_str(), &end, 10);
  const bool is_number = end != wish.c_str() && *end == '\0';
  for (size_t i = 0; i < tracks.size(); ++i) {
    const bool is_it = is_number ? number == i + 1 : is_language(tracks[i], wish);
    if (is_it && tracks[i].playable) return i;
  }
  return std::nullopt;
}

std::vector<size_t> by_preference(const std::vector<Track>& tracks) {
  std::vector<size_t> order(tracks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t i) { return !tracks[i].playable; });
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rank(tracks[a]) < rank(tracks[b]); });
  return order;
}

GstCaps* caps_of(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  return caps ? caps : gst_pad_query_caps(pad, nullptr);
}

}  // namespace

bool is_made_by(GstElement* element, const char* factory) {
  GstElementFactory* maker = gst_element_get_factory(element);
  return maker && g_str_equal(GST_OBJECT_NAME(maker), factory);
}

Kind kind_of(const std::string& type) {
  const auto begins = [&](const char* with) { return g_str_has_prefix(type.c_str(), with); };
  if (begins("video/") || begins("image/")) return Kind::kPicture;
  return begins("audio/") ? Kind::kSound : Kind::kOther;
}

std::string format_text(GstPad* pad) {
  GstCaps* caps = caps_of(pad);
  gchar* text = gst_caps_to_string(caps);
  const std::string format = text;
  g_free(text);
  gst_caps_unref(caps);
  return format;
}

std::string media_type(GstPad* pad) {
  GstCaps* caps = caps_of(pad);
  const bool known = !gst_caps_is_empty(caps) && !gst_caps_is_any(caps);
  const std::string type = known ? gst_structure_get_name(gst_caps_get_structure(caps, 0)) : "";
  gst_caps_unref(caps);
  return type;
}

Track track_of(GstPad* pad) {
  Track track;
  const std::string type = media_type(pad);
  track.kind = kind_of(type);
  track.image = g_str_has_prefix(type.c_str(), "image/");
  for_each_sticky(pad, GST_EVENT_STREAM_START, [&](GstEvent* event) {
    const gchar* id = nullptr;
    gst_event_parse_stream_start(event, &id);
    track.stream_id = text_of(id);
    GstStreamFlags flags = GST_STREAM_FLAG_NONE;
    gst_event_parse_stream_flags(event, &flags);
    track.wanted = flags & GST_STREAM_FLAG_SELECT;
    track.unwanted = flags & GST_STREAM_FLAG_UNSELECT;
  });
  for_each_sticky(pad, GST_EVENT_TAG, [&](GstEvent* event) {
    if (track.language.empty()) track.language = language_in(event);
  });
  return track;
}

std::vector<Track> demuxed_tracks(GstBin* bin) {
  std::vector<Track> tracks;
  GstIterator* elements = gst_bin_iterate_recurse(bin);
  while (gst_iterator_foreach(elements, add_tracks, &tracks) == GST_ITERATOR_RESYNC) {
    tracks.clear();
    gst_iterator_resync(elements);
  }
  gst_iterator_free(elements);
  return tracks;
}

std::vector<Track> tracks_in(GstBin* bin, const std::vector<GstPad*>& decoded, bool all) {
  std::vector<Track> ends, tracks;
  for (GstPad* pad : decoded) {
    ends.push_back(track_of(pad));
    ends.back().pad = pad;
    ends.back().playable = true;
  }
  std::set<GstPad*> found;
  for (Track& track : demuxed_tracks(bin)) {
    const auto end = std::find_if(ends.begin(), ends.end(), [&](const Track& other) {
      return !track.stream_id.empty() && other.stream_id == track.stream_id;
    });
    if (end != ends.end()) track.kind = end->kind, track.pad = end->pad, track.playable = true;
    if (track.pad ? found.insert(track.pad).second : all) tracks.push_back(track);
  }
  for (const Track& end : ends) {  // without a demuxer
    if (!found.contains(end.pad)) tracks.push_back(end);
  }
  std::erase_if(tracks, [](const Track& track) { return track.kind == Kind::kOther; });
  return tracks;
}

std::vector<Track> of_kind(const std::vector<Track>& tracks, Kind kind) {
  std::vector<Track> some;
  for (const Track& track : tracks) {
    if (track.kind == kind) some.push_back(track);
  }
  return some;
}

std::optional<size_t> choose_track(const std::vector<Track>& tracks, const std::string& wish,
                                   const std::string& uri) {
  if (!wish.empty()) return asked_for(tracks, wish);
  const std::vector<size_t> order = by_preference(tracks);
  if (order.empty()) return std::nullopt;
  if (order.size() == 1 || tracks.front().kind != Kind::kPicture || uri.empty())
    return order.front();
  std::vector<std::string> ids;
  for (size_t i : order) ids.push_back(tracks[i].stream_id);
  const auto film = std::find(ids.begin(), ids.end(), first_with_two_pictures(uri, ids));
  return order[film == ids.end() ? 0 : static_cast<size_t>(film - ids.begin())];
}

std::string choice_text(const std::vector<Track>& tracks, size_t chosen) {
  const Track& track = tracks[chosen];
  const std::string name = printable(language_name(track.language));
  return std::string(track.kind == Kind::kPicture ? "watches" : "hears") + " track " +
         std::to_string(chosen + 1) + " of " + std::to_string(tracks.size()) +
         (name.empty() ? "" : ", " + name);
}

std::string wish_complaint(const std::vector<Track>& tracks, const std::string& wish) {
  std::set<std::string> names;
  for (const Track& track : tracks) {
    if (!track.language.empty()) names.insert(printable(language_name(track.language)));
  }
  std::string text = "expected ";
  text += tracks.size() > 1 ? "1 to " + std::to_string(tracks.size()) : "1, its only track";
  for (const std::string& name : names)
    text += (name == *names.begin() ? ", or the language " : " or ") + name;
  return text + ", found " + printable(wish);
}
