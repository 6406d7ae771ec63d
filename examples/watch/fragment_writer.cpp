#include "examples/watch/fragment_writer.h"

#include <utility>

#include "examples/common/elements.h"

namespace {

constexpr guint64 kFragment = 2 * GST_SECOND;  // or one key frame's distance, where that is longer
constexpr guint kLongestFinishMs = 2000;

// What cannot be written in time is left out of the clip.
constexpr char kSource[] =
    "appsrc name=in format=time leaky-type=downstream max-buffers=0 max-bytes=67108864 "
    "max-time=20000000000";

// The first encoder that is there. No H.264: its caps may change once more after the first picture,
// which matroskamux refuses.
std::string encoder(bool video) {
  static const std::vector<std::pair<const char*, const char*>> for_video = {
      {"vp8enc", "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 target-bitrate=2000000"},
      {"jpegenc", "jpegenc"}};
  static const std::vector<std::pair<const char*, const char*>> for_audio = {
      {"opusenc", "opusenc"}, {"vorbisenc", "vorbisenc"}, {"alawenc", "alawenc"}};
  for (const auto& [name, description] : video ? for_video : for_audio) {
    if (is_installed(name)) return description;
  }
  return "";
}

// A camera's pictures over HTTP: nobody has looked into them, and a muxer has to know their size.
bool is_unparsed_picture(const StreamTap& tap) {
  GstCaps* caps = tap.caps();
  if (!caps) return false;
  const GstStructure* s = gst_caps_get_structure(caps, 0);
  const bool is_one =
      gst_structure_has_name(s, "image/jpeg") && !gst_structure_has_field(s, "width");
  gst_caps_unref(caps);
  return is_one;
}

std::string branch(const StreamTap& tap) {
  const std::string source = kSource;
  if (is_unparsed_picture(tap))
    return source + (is_installed("jpegparse") ? " ! jpegparse"
                                               : " ! jpegdec ! videoconvert ! " + encoder(true));
  if (!tap.raw()) return source;
  return source + (tap.video() ? " ! videoconvert ! " : " ! audioconvert ! audioresample ! ") +
         encoder(tap.video());
}

bool can_be_written(const StreamTap& tap) {
  if (tap.raw()) return !encoder(tap.video()).empty();
  GstCaps* caps = tap.caps();
  GstElementFactory* muxer = gst_element_factory_find("matroskamux");
  const bool possible = caps && muxer && gst_element_factory_can_sink_any_caps(muxer, caps);
  if (caps) gst_caps_unref(caps);
  if (muxer) gst_object_unref(muxer);
  return possible;
}

// Not the property `location`, a pattern in which a folder's percent sign would count.
gchar* location(GstElement*, guint number, gpointer stem) {
  return g_strdup_printf("%s%06u.mkv", static_cast<std::string*>(stem)->c_str(), number);
}

void delete_text(gpointer text, GClosure*) { delete static_cast<std::string*>(text); }

}  // namespace

FragmentWriter::FragmentWriter(const std::string& stem, Host host)
    : host_(std::move(host)),
      pipeline_(kLongestFinishMs, {[this](const GstStructure* s) { handle_structure(s); },
                                   [this](const std::string& error) { end(error); }}),
      sink_(gst_element_factory_make("splitmuxsink", nullptr)),
      began_us_(g_get_monotonic_time()),
      last_news_us_(began_us_) {
  g_object_set(sink_, "max-size-time", kFragment, "muxer-factory", "matroskamux", nullptr);
  g_signal_connect_data(sink_, "format-location", G_CALLBACK(location), new std::string(stem),
                        delete_text, GConnectFlags(0));
  gst_bin_add(GST_BIN(pipeline_.get()), sink_);
}

FragmentWriter::~FragmentWriter() { pipeline_.delete_afterwards(open_file_); }

std::string FragmentWriter::start(const StreamTaps& taps) {
  std::string left_out;
  for (const auto& tap : taps) {
    if (can_be_written(*tap)) {
      add(tap);
    } else {
      left_out = tap->video() ? "the pictures cannot be recorded in this format"
                              : "clips have no sound: its format cannot be recorded";
    }
  }
  pipeline_.begin();
  return left_out;
}

void FragmentWriter::add(const std::shared_ptr<StreamTap>& tap) {
  GstElement* bin = gst_parse_bin_from_description(branch(*tap).c_str(), TRUE, nullptr);
  pipeline_.add(tap, bin);
  gst_element_link_pads(bin, "src", sink_, tap->video() ? "video" : "audio_%u");
}

void FragmentWriter::handle_structure(const GstStructure* s) {
  const gchar* file = gst_structure_get_string(s, "location");
  GstClockTime time = 0;
  if (!file || !gst_structure_get_clock_time(s, "running-time", &time)) return;
  last_news_us_ = g_get_monotonic_time();
  if (gst_structure_has_name(s, "splitmuxsink-fragment-opened")) {
    open_file_ = file;
    open_since_ = time;
  } else if (gst_structure_has_name(s, "splitmuxsink-fragment-closed")) {
    if (open_file_ == file) open_file_.clear();
    has_written_ = true;
    host_.on_fragment(file, open_since_, time);
  }
}

void FragmentWriter::end(const std::string& error) {
  const auto on_end = host_.on_end;  // `this` may be destroyed in it
  on_end(error);
}
