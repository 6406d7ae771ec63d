// OpenTimelineIO: the film as one clip with a marker for each hit, or the hits as clips.
#include <nlohmann/json.hpp>

#include "examples/common/text.h"
#include "examples/export/writers.h"

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kColors[] = {"BLUE",   "GREEN", "RED",     "YELLOW", "PURPLE",
                                   "ORANGE", "CYAN",  "MAGENTA", "PINK"};
constexpr size_t kNumColors = std::size(kColors);

class Timeline {
 public:
  explicit Timeline(const Exported& exported)
      : exported_(exported),
        clock_(exported.clock()),
        rate_(static_cast<double>(clock_.rate().n) / clock_.rate().d),
        n_frames_(count_frames(exported)) {}

  std::string with_markers() const { return text(Json::array({whole_film()})); }
  std::string of_cuts() const;

 private:
  Json time(gint64 frame) const {
    return {
        {"OTIO_SCHEMA", "RationalTime.1"}, {"rate", rate_}, {"value", static_cast<double>(frame)}};
  }
  Json range(gint64 start, gint64 count) const {
    return {{"OTIO_SCHEMA", "TimeRange.1"}, {"start_time", time(start)}, {"duration", time(count)}};
  }
  Json film() const;
  Json clip(const std::string& name, gint64 start, gint64 count) const;
  Json whole_film() const;
  Json marker(const Hit& hit, size_t group) const;
  Json track(const char* kind, const Json& clips) const;
  std::string text(const Json& clips) const;

  const Exported& exported_;
  const FrameClock clock_;
  const double rate_;
  const gint64 n_frames_;
};

Json facts_of(const Hit& hit) {
  Json facts{{"query", hit.query}};
  if (!hit.label.empty()) facts["label"] = hit.label;
  facts["start"] = static_cast<double>(hit.start) / GST_SECOND;
  facts["stop"] = static_cast<double>(hit.stop) / GST_SECOND;
  if (hit.confidence) facts["confidence"] = *hit.confidence;
  return Json::object({{"vidifilter", facts}});
}

Json Timeline::film() const {
  return {{"OTIO_SCHEMA", "ExternalReference.1"},
          {"name", exported_.film_name()},
          {"target_url", without_credentials(exported_.film.uri)},
          {"available_range", range(0, n_frames_)},
          {"metadata", Json::object()}};
}

Json Timeline::clip(const std::string& name, gint64 start, gint64 count) const {
  return {{"OTIO_SCHEMA", "Clip.2"},
          {"name", name},
          {"source_range", range(start, count)},
          {"media_references", Json::object({{"DEFAULT_MEDIA", film()}})},
          {"active_media_reference_key", "DEFAULT_MEDIA"},
          {"markers", Json::array()},
          {"effects", Json::array()},
          {"enabled", true},
          {"metadata", Json::object()}};
}

Json Timeline::marker(const Hit& hit, size_t group) const {
  const FrameRange frames = frames_of(hit, clock_);
  return {{"OTIO_SCHEMA", "Marker.2"},
          {"name", printable(hit.title())},
          {"comment", comment_of(hit)},
          {"color", kColors[group % kNumColors]},
          {"marked_range", range(frames.start, frames.count)},
          {"metadata", facts_of(hit)}};
}

Json Timeline::whole_film() const {
  Json whole = clip(exported_.film_name(), 0, n_frames_);
  const auto groups = groups_of(exported_.hits);
  for (size_t i = 0; i < groups.size(); ++i)
    whole["markers"].push_back(marker(exported_.hits[i], groups[i]));
  return whole;
}

Json Timeline::track(const char* kind, const Json& clips) const {
  return {{"OTIO_SCHEMA", "Track.1"},
          {"name", kind},
          {"kind", kind},
          {"children", clips},
          {"metadata", Json::object()}};
}

std::string Timeline::text(const Json& clips) const {
  auto tracks = Json::array({track("Video", clips)});
  if (exported_.film.has_audio) {
    Json sounds = clips;
    for (Json& sound : sounds) sound["markers"] = Json::array();
    tracks.push_back(track("Audio", sounds));
  }
  const Json timeline{{"OTIO_SCHEMA", "Timeline.1"},
                      {"name", exported_.film_name()},
                      {"global_start_time", time(exported_.first_frame())},
                      {"tracks",
                       {{"OTIO_SCHEMA", "Stack.1"},
                        {"name", "tracks"},
                        {"children", tracks},
                        {"metadata", Json::object()}}},
                      {"metadata", Json::object()}};
  return timeline.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string Timeline::of_cuts() const {
  auto clips = Json::array();
  for (const Hit& hit : exported_.hits) {
    const FrameRange frames = frames_of(hit, clock_);
    clips.push_back(clip(printable(hit.title()), frames.start, frames.count));
    clips.back()["metadata"] = facts_of(hit);
  }
  return text(clips);
}

}  // namespace

Written write_otio(const Exported& exported) { return {Timeline(exported).with_markers(), "", {}}; }

Written write_otio_cuts(const Exported& exported) { return {Timeline(exported).of_cuts(), "", {}}; }
