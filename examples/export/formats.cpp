#include "examples/export/formats.h"

#include "examples/export/writers.h"

const std::vector<Format>& formats() {
  static const std::vector<Format> all = {
      {"vtt", ".vtt", "WebVTT subtitles", Frames::kNone, write_vtt},
      {"srt", ".srt", "SubRip subtitles", Frames::kNone, write_srt},
      {"jsonl", ".jsonl", "the lines of --json", Frames::kNone, write_jsonl},
      {"csv", ".csv", "a table for spreadsheets (RFC 4180)", Frames::kWhereKnown, write_csv},
      {"otio", ".otio", "OpenTimelineIO: the film with a marker for each hit", Frames::kNeeded,
       write_otio},
      {"otio-cuts", ".cuts.otio", "OpenTimelineIO: the hits as clips, one after the other",
       Frames::kNeeded, write_otio_cuts},
      {"edl", ".edl", "CMX 3600, with markers as DaVinci Resolve reads them", Frames::kNeeded,
       write_edl},
      {"fcpxml", ".fcpxml", "Final Cut Pro XML 1.10: the film with markers", Frames::kNeeded,
       write_fcpxml},
      {"premiere-csv", ".premiere.csv", "table of markers as Adobe Premiere writes it",
       Frames::kNeeded, write_premiere_csv},
      {"llc", ".llc", "LosslessCut project: the hits as segments", Frames::kNone, write_llc},
      {"youtube", ".youtube.txt", "chapters for a YouTube description", Frames::kNone,
       write_youtube},
      {"ffmetadata", ".ffmeta", "chapters for ffmpeg -map_metadata", Frames::kNone,
       write_ffmetadata},
      {"mkv-chapters", ".chapters.xml", "chapters for mkvmerge --chapters", Frames::kNone,
       write_mkv_chapters}};
  return all;
}

const Format* format_named(const std::string& name) {
  for (const Format& format : formats()) {
    if (name == format.name) return &format;
  }
  return nullptr;
}

std::string format_names() {
  std::string names;
  for (const Format& format : formats()) {
    const bool is_last = &format == &formats().back();
    names += (names.empty() ? "" : is_last ? " or " : ", ") + std::string(format.name);
  }
  return names;
}

std::string format_help() {
  std::string text;
  for (const Format& format : formats()) {
    std::string name = format.name;
    name.resize(14, ' ');
    text += "  " + name + format.help + "\n";
  }
  return text;
}
