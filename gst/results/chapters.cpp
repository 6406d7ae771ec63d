#include "gst/results/chapters.h"

#include <algorithm>

#include "gst/results/structures.h"

namespace vidi {
namespace {

void cut_at(std::vector<Chapter>& chapters, GstClockTime duration) {
  if (!GST_CLOCK_TIME_IS_VALID(duration)) return;
  for (Chapter& chapter : chapters) chapter.stop = std::min(chapter.stop, duration);
  std::erase_if(chapters, [](const Chapter& chapter) { return chapter.stop < chapter.start; });
}

GstTocEntry* entry_of(const Chapter& chapter) {
  const std::string uid = std::to_string(chapter.result_id);
  GstTocEntry* entry = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, uid.c_str());
  gst_toc_entry_set_start_stop_times(entry, chapter.start, chapter.stop);
  gchar* valid = g_utf8_make_valid(chapter.title.data(), chapter.title.size());
  if (*valid) gst_toc_entry_set_tags(entry, gst_tag_list_new(GST_TAG_TITLE, valid, nullptr));
  g_free(valid);
  return entry;
}

}  // namespace

std::optional<Chapter> chapter_of(const Hit& hit) {
  const GstSegment& segment = origin_of(*hit.window).segment;
  if (segment.format != GST_FORMAT_TIME || hit.stop.count() < 0) return std::nullopt;
  guint64 start = std::max<int64_t>(hit.start.count(), 0), stop = hit.stop.count();
  if (!gst_segment_clip(&segment, GST_FORMAT_TIME, start, stop, &start, &stop)) return std::nullopt;
  Chapter chapter{hit.result_id, gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, start),
                  gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, stop), title_of(hit)};
  if (!GST_CLOCK_TIME_IS_VALID(chapter.start) || !GST_CLOCK_TIME_IS_VALID(chapter.stop)) {
    return std::nullopt;
  }
  return chapter;
}

GstToc* make_toc(std::vector<Chapter> chapters, GstClockTime duration) {
  cut_at(chapters, duration);
  if (chapters.empty()) return nullptr;
  std::stable_sort(chapters.begin(), chapters.end(),
                   [](const Chapter& a, const Chapter& b) { return a.start < b.start; });
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
