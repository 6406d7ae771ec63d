// analytics-meta: what holds now is on the pictures that pass, for those who read GstAnalytics.
#include <gtest/gtest.h>

#include "tests/support/rig.h"

#if __has_include(<gst/analytics/analytics.h>)
#include <gst/analytics/analytics.h>
#define HAS_ANALYTICS 1
#else
#define HAS_ANALYTICS 0
#endif

namespace vidi::test {
namespace {

class Analytics : public ElementTest {};

// Two windows of 2 s; the first is analysed before the second comes, and its hit reaches its end.
void two_windows(Rig& rig) {
  scripted::answer_with("0-1");
  rig.play();
  rig.film(0, 2100 * GST_MSECOND);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  rig.film(2100 * GST_MSECOND, 3 * GST_SECOND);
}

bool is_warned_of_analytics(Rig& rig) {
  for (GstMessage* warning : rig.messages(GST_MESSAGE_WARNING)) {
    if (complaint_of(warning).text.find("analytics-meta") != std::string::npos) return true;
  }
  return false;
}

#if HAS_ANALYTICS

// The classes of a picture, by name; empty without the meta.
std::vector<std::string> classes_of(GstBuffer* buffer) {
  std::vector<std::string> names;
  GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
  gpointer state = nullptr;
  GstAnalyticsMtd mtd;
  while (meta && gst_analytics_relation_meta_iterate(
                     meta, &state, gst_analytics_cls_mtd_get_mtd_type(), &mtd)) {
    auto* classes = reinterpret_cast<GstAnalyticsClsMtd*>(&mtd);
    for (gsize i = 0; i < gst_analytics_cls_mtd_get_length(classes); ++i)
      names.emplace_back(g_quark_to_string(gst_analytics_cls_mtd_get_quark(classes, i)));
  }
  return names;
}

// Pictures behind the end that a hit reached carry the id of its question, never its text; those
// before the window was analysed carry nothing.
TEST_F(Analytics, PicturesCarryTheQuestionsId) {
  Rig rig({.properties = "query=cat analytics-meta=true", .windows = windows_of(2)});
  two_windows(rig);
  const auto& buffers = rig.out().buffers();
  EXPECT_EQ(classes_of(buffers.front()), std::vector<std::string>{});
  EXPECT_EQ(classes_of(buffers.back()), std::vector<std::string>{"0"});
  EXPECT_FALSE(is_warned_of_analytics(rig));
  rig.end();
}

// It is asked for: without the property no picture carries any.
TEST_F(Analytics, NothingUnlessAskedFor) {
  Rig rig({.windows = windows_of(2)});
  two_windows(rig);
  for (GstBuffer* buffer : rig.out().buffers()) EXPECT_EQ(classes_of(buffer).size(), 0u);
  rig.end();
}

#else

// Where GStreamer does not know it yet, a warning says so and the pictures pass.
TEST_F(Analytics, IsWarnedOfBefore124) {
  Rig rig({.properties = "query=cat analytics-meta=true", .windows = windows_of(2)});
  two_windows(rig);
  EXPECT_TRUE(is_warned_of_analytics(rig));
  EXPECT_EQ(rig.out().buffers().size(), 30u);
  rig.end();
}

#endif

}  // namespace
}  // namespace vidi::test
