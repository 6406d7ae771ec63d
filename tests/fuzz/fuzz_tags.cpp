// Any tag lists, of either scope, in any order, between any streams: the orientation is what was
// said last, by the stream before the file, and lists that do not say it change nothing.
//
// Each line is a list as GStreamer prints it, behind a byte: odd = of the file, 0 = a new stream.
#include <gst/gst.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gst/media/orientation_tags.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void take(vidi::OrientationTags& tags, const std::string& line) {
  const auto kind = static_cast<uint8_t>(line[0]);
  if (kind == 0) {
    const vidi::Orientation before = tags.current();
    tags.start_stream(line);
    require(tags.current() == vidi::Orientation{} || tags.current() == before);
    tags.start_stream(line + "another");
    require(tags.current() == vidi::Orientation{});
    return;
  }
  GstTagList* list = gst_tag_list_new_from_string(line.c_str() + 1);
  if (!list) return;
  gst_tag_list_set_scope(list, kind % 2 ? GST_TAG_SCOPE_GLOBAL : GST_TAG_SCOPE_STREAM);
  const vidi::Orientation before = tags.current();
  tags.take(list);
  GstVideoOrientationMethod method;
  if (!gst_video_orientation_from_tag(list, &method)) require(tags.current() == before);
  const vidi::Orientation once = tags.current();
  tags.take(list);
  require(tags.current() == once);
  gst_tag_list_unref(list);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool ready = (gst_init(nullptr, nullptr), gst_debug_set_active(FALSE), true);
  require(ready);
  vidi::OrientationTags tags;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    if (end > from) take(tags, text.substr(from, end - from));
    from = end + 1;
  }
  return 0;
}
