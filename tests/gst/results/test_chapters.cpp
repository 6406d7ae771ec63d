// Hits as a table of contents.
#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include "gst/results/chapters.h"
#include "tests/support/hit_rig.h"

namespace vidi {
namespace {

using Chapters = Events;

struct UnrefToc {
  void operator()(GstToc* toc) const { gst_toc_unref(toc); }
};
using Toc = std::unique_ptr<GstToc, UnrefToc>;

std::vector<std::string> chapters(GList* entries) {
  std::vector<std::string> chapters;
  for (GList* at = entries; at; at = at->next) {
    auto* entry = static_cast<GstTocEntry*>(at->data);
    gint64 start = -1, stop = -1;
    gst_toc_entry_get_start_stop_times(entry, &start, &stop);
    gchar* title = nullptr;
    if (GstTagList* tags = gst_toc_entry_get_tags(entry))
      gst_tag_list_get_string(tags, GST_TAG_TITLE, &title);
    chapters.push_back(std::to_string(start / 1000000) + "-" + std::to_string(stop / 1000000) +
                       " " + (title ? title : "(none)"));
    g_free(title);
  }
  return chapters;
}

GList* first_edition(GstToc* toc) {
  auto* edition = static_cast<GstTocEntry*>(gst_toc_get_entries(toc)->data);
  EXPECT_EQ(gst_toc_entry_get_entry_type(edition), GST_TOC_ENTRY_TYPE_EDITION);
  return gst_toc_entry_get_sub_entries(edition);
}

GstToc* toc_of(const std::vector<Hit>& hits, GstClockTime duration) {
  std::vector<Chapter> chapters;
  for (const Hit& hit : hits) {
    if (auto chapter = chapter_of(hit)) chapters.push_back(*chapter);
  }
  return make_toc(chapters, duration);
}

// No hit, or none inside its segment, is no table of contents.
TEST_F(Chapters, NoToc) {
  EXPECT_EQ(make_toc({}, GST_SECOND), nullptr);
  origin_->segment.stop = 10 * GST_SECOND;
  EXPECT_EQ(toc_of({some_hit()}, GST_SECOND), nullptr);
}

// Chapters are sorted, in stream time, cut at the segment and at the stream's end.
TEST_F(Chapters, TocSortedAndCut) {
  origin_->segment.start = 50 * GST_SECOND;
  origin_->segment.time = 0;
  Hit cat = some_hit(40s, 55s);
  cat.result_id = 12;
  cat.label = "Cat \xff";
  const Toc toc(toc_of({some_hit(66s, 72s), cat, some_hit(51s, 52s)}, 20 * GST_SECOND));
  ASSERT_TRUE(toc);
  EXPECT_EQ(gst_toc_get_scope(toc.get()), GST_TOC_SCOPE_GLOBAL);
  EXPECT_EQ(chapters(first_edition(toc.get())),
            (std::vector<std::string>{"0-5000 Cat \xef\xbf\xbd", "1000-2000 a dog",
                                      "16000-20000 a dog"}));
}

// matroskamux (1.22) writes its chapters with the header, so the event that the element sends right
// before EOS comes too late for it; sent first, it shows that the form is the one that is kept.
GstPadProbeReturn toc_before_first_buffer(GstPad* pad, GstPadProbeInfo*, gpointer toc) {
  gst_pad_push_event(pad, gst_event_new_toc(static_cast<GstToc*>(toc), FALSE));
  return GST_PAD_PROBE_REMOVE;
}

// Runs until EOS or error; the TOC message that came by, if any.
Toc run(const std::string& line, GstToc* toc = nullptr) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(line.c_str(), &error);
  EXPECT_TRUE(pipeline && !error) << (error ? error->message : "");
  if (GstElement* filter = toc ? gst_bin_get_by_name(GST_BIN(pipeline), "here") : nullptr) {
    GstPad* pad = gst_element_get_static_pad(filter, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, toc_before_first_buffer, toc, nullptr);
    gst_object_unref(pad);
    gst_object_unref(filter);
  }
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  Toc found;
  const auto wanted = GstMessageType(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_TOC);
  for (bool over = false; !over;) {
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND, wanted);
    EXPECT_TRUE(message);
    over = !message || GST_MESSAGE_TYPE(message) != GST_MESSAGE_TOC;
    if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_TOC) {
      GstToc* got = nullptr;
      gst_message_parse_toc(message, &got, nullptr);
      found.reset(got);
    }
    if (!message) break;
    EXPECT_NE(GST_MESSAGE_TYPE(message), GST_MESSAGE_ERROR);
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
  return found;
}

bool have(std::initializer_list<const char*> elements) {
  for (const char* name : elements) {
    GstElementFactory* factory = gst_element_factory_find(name);
    if (!factory) return false;
    gst_object_unref(factory);
  }
  return true;
}

// Chapters in a Matroska file are read back with their times and titles.
TEST_F(Chapters, TocThroughMatroska) {
  if (!have({"videotestsrc", "jpegenc", "matroskamux", "matroskademux"})) GTEST_SKIP();
  const Toc toc(toc_of({some_hit(1s, 2s), some_hit(2500ms, 3s)}, 4 * GST_SECOND));
  gchar* path = nullptr;
  const gint file = g_file_open_tmp("vidi-XXXXXX.mkv", &path, nullptr);
  ASSERT_GE(file, 0);
  g_close(file, nullptr);
  run("videotestsrc num-buffers=40 ! video/x-raw,width=32,height=32,framerate=10/1 ! "
      "identity name=here ! jpegenc ! matroskamux ! filesink location=" +
          std::string(path),
      toc.get());
  const Toc back = run("filesrc location=" + std::string(path) + " ! matroskademux ! fakesink");
  g_remove(path);
  g_free(path);
  ASSERT_TRUE(back);
  const std::vector<std::string> read = chapters(first_edition(back.get()));
  ASSERT_EQ(read.size(), 2u);  // matroskademux (1.22) ends a chapter where the next one begins
  EXPECT_EQ(read[0].substr(0, 5) + read[0].substr(read[0].find(' ')), "1000- a dog");
  EXPECT_EQ(read[1], "2500-3000 a dog");
}

}  // namespace
}  // namespace vidi
