#include "examples/page/proxy.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "examples/common/elements.h"
#include "examples/common/lost_errors.h"
#include "examples/common/silent_end.h"
#include "examples/common/text.h"

namespace fs = std::filesystem;

namespace {

constexpr double kMostBits = 450'000, kLeastBits = 80'000;  // a second, pictures and sound
constexpr double kFewBits = 200'000;                        // from here on smaller and slower
constexpr double kOfContainer = 0.9;                        // what is left for the streams
constexpr GstClockTime kLongestWait = GST_SECOND / 10;

double bits_of(GstClockTime duration) {
  if (!GST_CLOCK_TIME_IS_VALID(duration) || duration == 0) return kMostBits;
  const double seconds = static_cast<double>(duration) / GST_SECOND;
  return std::min(kMostBits, kMostProxyBytes * 8 * kOfContainer / seconds);
}

struct Form {
  bool is_small;
  int video_bits, longer_side, most_rate;
};

Form form_of(GstClockTime duration) {
  const double bits = bits_of(duration);
  const bool is_small = bits < kFewBits;
  const int sound = is_small ? 28'000 : 72'000;  // what vorbisenc takes of speech and music
  return {is_small, static_cast<int>(bits) - sound, is_small ? 320 : 480, is_small ? 12 : 25};
}

// The width that makes the longer side as long as the form says; never more than the film's.
int width_of(const ProxyWish& wish, int longer_side) {
  if (wish.width <= 0 || wish.height <= 0) return longer_side;
  const int longer = std::max(wish.width, wish.height);
  return std::max(16, wish.width * std::min(longer_side, longer) / longer / 2 * 2);
}

// libvpx's threads wait for each other without sleeping: where others are at work as well, more of
// them than there are free processors stand in each other's way.
int n_threads() { return std::clamp(static_cast<int>(g_get_num_processors()) / 4, 1, 4); }

std::string pictures_chain(const ProxyWish& wish, const Form& form) {
  return "queue ! videorate max-rate=" + std::to_string(form.most_rate) +
         " ! videoscale method=bilinear2 ! video/x-raw,pixel-aspect-ratio=1/1,width=" +
         std::to_string(width_of(wish, form.longer_side)) +
         " ! videoconvert ! videoflip video-direction=auto ! vp8enc deadline=1 cpu-used=6 "
         "threads=" +
         std::to_string(n_threads()) +
         " keyframe-max-dist=50 end-usage=vbr target-bitrate=" + std::to_string(form.video_bits) +
         " ! queue";
}

// Vorbis: Chromium fails to seek in the WebM files that matroskamux (1.22) makes with Opus.
std::string sound_chain(const Form& form) {
  return std::string("queue ! audioconvert ! audioresample ! audio/x-raw,") +
         (form.is_small ? "rate=22050,channels=1 ! vorbisenc quality=0"
                        : "rate=44100,channels=[1,2] ! vorbisenc quality=0.1") +
         " ! queue";
}

// A file that goes with its object.
class ScratchFile {
 public:
  ScratchFile() : path_((fs::temp_directory_path() / "vidi-proxy.XXXXXX").string()) {
    const int descriptor = mkstemp(path_.data());
    is_there_ = descriptor >= 0;
    if (is_there_) close(descriptor);
  }
  ~ScratchFile() {
    if (is_there_) unlink(path_.c_str());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  bool is_there() const { return is_there_; }
  const std::string& path() const { return path_; }
  size_t size() const {
    std::error_code failed;
    const auto n = fs::file_size(path_, failed);
    return failed ? 0 : n;
  }
  std::string read() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string path_;
  bool is_there_ = false;
};

// uridecodebin -> encoders -> webmmux -> a file. The tracks are the ones that were watched.
class Copying {
 public:
  explicit Copying(const ProxyWish& wish) : wish_(wish), form_(form_of(wish.duration)) {}
  ~Copying() {
    if (!pipeline_) return;
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }
  Copying(const Copying&) = delete;
  Copying& operator=(const Copying&) = delete;

  std::string run(const std::atomic<bool>& interrupted,
                  const std::function<void(double)>& on_progress, std::string* webm) {
    if (!file_.is_there()) return "there is no room for it in " + file_.path();
    if (const auto error = make(); !error.empty()) return error;
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    std::string error;
    while (!has_ended_ && error.empty()) {
      error = step();
      if (interrupted) error = "stopped before its end";
      on_progress(progress());
    }
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    if (error.empty() && file_.size() == 0) error = "nothing of it could be decoded";
    if (error.empty()) *webm = file_.read();
    return error;
  }

  GstClockTime begin() const { return begin_; }

 private:
  std::string make() {
    GError* error = nullptr;
    const std::string line = "webmmux name=m ! filesink name=file  uridecodebin name=source";
    pipeline_ = gst_parse_launch(line.c_str(), &error);
    if (error) {
      const std::string why = printable(error->message);
      g_clear_error(&error);
      return why + " (Debian has it in gstreamer1.0-plugins-good)";
    }
    for (const char* needed : {"vp8enc", "vorbisenc", "videoflip"}) {
      if (!is_installed(needed))
        return std::string("GStreamer lacks ") + needed +
               " (Debian has it in gstreamer1.0-plugins-good and -base)";
    }
    hear_lost_errors(pipeline_);
    silent_end_.watch(pipeline_);
    set("file", "location", file_.path());
    set("source", "uri", wish_.uri);
    GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
    g_signal_connect(source, "pad-added", G_CALLBACK(on_pad), this);
    g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_pads), this);
    gst_object_unref(source);
    return "";
  }

  void set(const char* name, const char* property, const std::string& text) {
    GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline_), name);
    g_object_set(element, property, text.c_str(), nullptr);
    gst_object_unref(element);
  }

  // Streams that turn up when the film's change in its middle are left out.
  static void on_pad(GstElement*, GstPad* pad, gpointer data) {
    auto* self = static_cast<Copying*>(data);
    if (self->is_linked_) {
      self->throw_away(pad);
    } else {
      self->pads_.push_back(pad);
    }
  }

  // On GStreamer's thread; nothing flows before it returns.
  static void on_no_more_pads(GstElement*, gpointer data) {
    auto* self = static_cast<Copying*>(data);
    if (self->is_linked_) return;
    self->is_linked_ = true;
    const auto tracks = tracks_in(GST_BIN(self->pipeline_), self->pads_, true);
    GstPad* pictures = self->chosen(of_kind(tracks, Kind::kPicture), self->wish_.tracks.video);
    GstPad* sound = self->chosen(of_kind(tracks, Kind::kSound), self->wish_.tracks.audio);
    if (pictures) gst_pad_add_probe(pictures, GST_PAD_PROBE_TYPE_BUFFER, on_first, self, nullptr);
    if (pictures) self->add(pictures_chain(self->wish_, self->form_), "pictures", pictures);
    if (sound) self->add(sound_chain(self->form_), "sound", sound);
    for (GstPad* pad : self->pads_) {
      if (pad != pictures && pad != sound) self->throw_away(pad);
    }
  }

  // The muxer counts running time.
  static GstPadProbeReturn on_first(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
    const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    if (!event || !GST_CLOCK_TIME_IS_VALID(pts)) return GST_PAD_PROBE_OK;
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event, &segment);
    const guint64 stream = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, pts);
    const guint64 running = gst_segment_to_running_time(segment, GST_FORMAT_TIME, pts);
    gst_event_unref(event);
    const bool is_known = GST_CLOCK_TIME_IS_VALID(stream) && GST_CLOCK_TIME_IS_VALID(running);
    if (is_known && stream > running) static_cast<Copying*>(self)->begin_ = stream - running;
    return GST_PAD_PROBE_REMOVE;
  }

  GstPad* chosen(const std::vector<Track>& tracks, const std::string& wish) {
    const bool is_local = wish_.uri.starts_with("file:");
    const auto number = choose_track(tracks, wish, is_local ? wish_.uri : "");
    return number ? tracks[*number].pad : nullptr;
  }

  void add(const std::string& chain, const char* name, GstPad* pad) {
    GError* error = nullptr;
    GstElement* bin = gst_parse_bin_from_description(chain.c_str(), TRUE, &error);
    g_clear_error(&error);  // of a bin that is there: a property that this version lacks
    if (!bin) return throw_away(pad);
    gst_element_set_name(bin, (std::string(name) + "-chain").c_str());
    gst_bin_add(GST_BIN(pipeline_), bin);
    GstElement* muxer = gst_bin_get_by_name(GST_BIN(pipeline_), "m");
    gst_element_link(bin, muxer);
    gst_object_unref(muxer);
    link(pad, bin);
  }

  void throw_away(GstPad* pad) {
    GstElement* sink = gst_element_factory_make("fakesink", nullptr);
    g_object_set(sink, "sync", FALSE, "async", FALSE, nullptr);
    gst_bin_add(GST_BIN(pipeline_), sink);
    link(pad, sink);
  }

  static void link(GstPad* pad, GstElement* element) {
    GstPad* sink = gst_element_get_static_pad(element, "sink");
    gst_pad_link(pad, sink);
    gst_object_unref(sink);
    gst_element_sync_state_with_parent(element);
  }

  // Handles a message, or waits a moment for one. Returns an empty string, or what went wrong.
  std::string step() {
    if (file_.size() > kMostProxyBytes) return "it became larger than 64 MB";
    GstBus* bus = gst_element_get_bus(pipeline_);
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus, kLongestWait, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    gst_object_unref(bus);
    if (!message) return silent_end_.why();
    std::string text;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
      has_ended_ = true;
    } else {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      text = printable(error->message);
      g_clear_error(&error);
    }
    gst_message_unref(message);
    return text;
  }

  double progress() const {
    gint64 position = 0;
    if (!GST_CLOCK_TIME_IS_VALID(wish_.duration) || wish_.duration == 0 ||
        !gst_element_query_position(pipeline_, GST_FORMAT_TIME, &position))
      return 0;
    return std::clamp(static_cast<double>(position) / static_cast<double>(wish_.duration), 0., 1.);
  }

  const ProxyWish& wish_;
  const Form form_;
  ScratchFile file_;
  SilentEnd silent_end_;
  GstElement* pipeline_ = nullptr;
  std::vector<GstPad*> pads_;  // only compared and linked
  bool is_linked_ = false, has_ended_ = false;
  std::atomic<GstClockTime> begin_{0};  // written on GStreamer's thread
};

}  // namespace

std::string why_no_proxy(const ProxyWish& wish) {
  if (bits_of(wish.duration) >= kLeastBits) return "";
  const auto most = static_cast<guint64>(kMostProxyBytes * 8 * kOfContainer / kLeastBits);
  return "expected a film of at most " + seconds_text(most * GST_SECOND) +
         ", which fits into 64 MB, found one of " + seconds_text(wish.duration);
}

std::string make_proxy(const ProxyWish& wish, const std::atomic<bool>& interrupted,
                       const std::function<void(double)>& on_progress, std::string* webm,
                       GstClockTime* begin) {
  if (const auto why = why_no_proxy(wish); !why.empty()) return why;
  Copying copying(wish);
  const std::string error = copying.run(interrupted, on_progress, webm);
  if (begin) *begin = copying.begin();
  return error;
}
