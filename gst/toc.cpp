// Findings as chapters: the TOC event right before EOS.
#include <algorithm>

#include "gst/events.h"

namespace vidi {
namespace {

struct Chapter {
  GstClockTime start, stop;  // stream time
  const Finding* finding;
};

// The finding's part inside its segment, in stream time; nothing when it lies outside.
std::optional<Chapter> chapter_of(const Finding& finding, GstClockTime duration) {
  const GstSegment& segment = origin_of(*finding.window).segment;
  if (segment.format != GST_FORMAT_TIME || finding.stop.count() < 0) return std::nullopt;
  guint64 start = std::max<int64_t>(finding.start.count(), 0), stop = finding.stop.count();
  if (!gst_segment_clip(&segment, GST_FORMAT_TIME, start, stop, &start, &stop)) return std::nullopt;
  Chapter chapter{gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, start),
                  gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, stop), &finding};
  if (!GST_CLOCK_TIME_IS_VALID(chapter.start) || !GST_CLOCK_TIME_IS_VALID(chapter.stop))
    return std::nullopt;
  if (GST_CLOCK_TIME_IS_VALID(duration)) chapter.stop = std::min(chapter.stop, duration);
  if (chapter.stop < chapter.start) return std::nullopt;
  return chapter;
}

std::vector<Chapter> chapters_of(const std::vector<Finding>& findings, GstClockTime duration) {
  std::vector<Chapter> chapters;
  for (const Finding& finding : findings)
    if (auto chapter = chapter_of(finding, duration)) chapters.push_back(*chapter);
  std::stable_sort(chapters.begin(), chapters.end(),
                   [](const Chapter& a, const Chapter& b) { return a.start < b.start; });
  return chapters;
}

GstTocEntry* entry_of(const Chapter& chapter) {
  const std::string uid = std::to_string(chapter.finding->result_id);
  GstTocEntry* entry = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, uid.c_str());
  gst_toc_entry_set_start_stop_times(entry, chapter.start, chapter.stop);
  const std::string& title = title_of(*chapter.finding);
  gchar* valid = g_utf8_make_valid(title.data(), title.size());
  if (*valid) gst_toc_entry_set_tags(entry, gst_tag_list_new(GST_TAG_TITLE, valid, nullptr));
  g_free(valid);
  return entry;
}

}  // namespace

// One edition that holds all chapters, as matroskademux and matroskamux have it.
GstToc* make_toc(const std::vector<Finding>& findings, GstClockTime duration) {
  const std::vector<Chapter> chapters = chapters_of(findings, duration);
  if (chapters.empty()) return nullptr;
  GstClockTime stop = 0;
  GstTocEntry* edition = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_EDITION, "vidi");
  for (const Chapter& chapter : chapters) {
    gst_toc_entry_append_sub_entry(edition, entry_of(chapter));
    stop = std::max(stop, chapter.stop);
  }
  gst_toc_entry_set_start_stop_times(edition, 0,
                                     GST_CLOCK_TIME_IS_VALID(duration) ? duration : stop);
  GstToc* toc = gst_toc_new(GST_TOC_SCOPE_GLOBAL);
  gst_toc_append_entry(toc, edition);
  return toc;
}

}  // namespace vidi
