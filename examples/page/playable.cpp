#include "examples/page/playable.h"

#include <gst/pbutils/pbutils.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "examples/common/tracks.h"

namespace {

// Media types that the browsers of our day play, as files. WebM is Matroska to GStreamer's parser
// of 1.22 only by its own name; what is video/x-matroska plays in some.
constexpr const char* kContainers[] = {"video/quicktime", "audio/x-m4a", "application/x-3gp",
                                       "video/webm",      "audio/webm",  "application/ogg",
                                       "video/ogg",       "audio/ogg"};
constexpr const char* kCodecs[] = {"video/x-h264", "video/x-vp8", "video/x-vp9", "video/x-av1",
                                   "video/x-theora"};

bool is_in(const auto& list, const char* type) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](const char* one) { return g_str_equal(one, type); });
}

bool is_demuxer(GstElement* element) {
  GstElementFactory* factory = gst_element_get_factory(element);
  return factory && gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_DEMUXER);
}

std::string description(GstCaps* caps) {
  gchar* text = gst_pb_utils_get_codec_description(caps);
  const std::string words = text ? text : "an unknown kind";
  g_free(text);
  return words;
}

// What these caps are, if they are none of `playable`. Takes the caps, which may be null.
std::string unplayable(GstCaps* caps, const auto& playable) {
  if (!caps) return "";
  const char* type = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  const std::string words = is_in(playable, type) ? "" : description(caps);
  gst_caps_unref(caps);
  return words;
}

gboolean look_at_track(GstElement*, GstPad* pad, gpointer words) {
  auto* found = static_cast<std::string*>(words);
  const bool has_pictures = kind_of(media_type(pad)) == Kind::kPicture;
  if (found->empty() && has_pictures) *found = unplayable(gst_pad_get_current_caps(pad), kCodecs);
  return TRUE;
}

// The file's own kind: typefind's, in uridecodebin. (A demuxer that pulls is not told.)
void look_at_file(GstElement* typefind, std::string* words) {
  GstCaps* caps = nullptr;
  g_object_get(typefind, "caps", &caps, nullptr);
  *words = unplayable(caps, kContainers);
}

void look_at(const GValue* value, gpointer data) {
  auto* element = GST_ELEMENT(g_value_get_object(value));
  auto* words = static_cast<std::string*>(data);
  if (words->empty() && is_made_by(element, "typefind")) look_at_file(element, words);
  if (words->empty() && is_demuxer(element))
    gst_element_foreach_src_pad(element, look_at_track, words);
}

}  // namespace

std::string why_unplayable(GstBin* pipeline) {
  gst_pb_utils_init();
  std::string words;
  GstIterator* elements = gst_bin_iterate_recurse(pipeline);
  while (gst_iterator_foreach(elements, look_at, &words) == GST_ITERATOR_RESYNC) {
    words.clear();
    gst_iterator_resync(elements);
  }
  gst_iterator_free(elements);
  return words.empty() ? "" : "Most browsers do not play " + words;
}
