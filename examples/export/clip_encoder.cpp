#include "examples/export/clip_encoder.h"

#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <vector>

#include "examples/common/elements.h"
#include "examples/common/lost_errors.h"
#include "examples/common/output_file.h"
#include "examples/common/tracks.h"
#include "examples/common/warnings.h"

namespace fs = std::filesystem;

namespace {

constexpr GstClockTime kPoll = GST_SECOND / 10;

struct Encoder {
  const char *element, *branch;
  bool goes_into_mp4;
};

// The first that is installed. An H.264 encoder is in no package of the quick start's.
constexpr Encoder kPictures[] = {
    {"x264enc", "x264enc pass=quant quantizer=20 speed-preset=veryfast ! h264parse", true},
    {"openh264enc", "openh264enc bitrate=8000000 ! h264parse", true},
    {"vp8enc", "vp8enc deadline=1 cpu-used=4 target-bitrate=8000000", false},
    {"jpegenc", "jpegenc quality=90", false}};
constexpr Encoder kSounds[] = {{"avenc_aac", "avenc_aac ! aacparse", true},
                               {"opusenc", "opusenc", false},
                               {"vorbisenc", "vorbisenc", false}};

template <size_t n>
const Encoder* first_installed(const Encoder (&encoders)[n]) {
  for (const Encoder& one : encoders) {
    if (is_installed(one.element)) return &one;
  }
  return nullptr;
}

struct Encoders {
  const Encoder *pictures, *sounds;  // sounds may be null

  bool fit_mp4() const { return pictures->goes_into_mp4 && (!sounds || sounds->goes_into_mp4); }
};

// Decodes a clip from an exact place to another, and writes what comes.
class Encoding {
 public:
  Encoding(const std::string& from_file, const std::string& to_file, const std::string& launch);
  ~Encoding();
  std::string run(gint64 from, gint64 to, const std::atomic<bool>& interrupted);

 private:
  static void on_pad(GstElement*, GstPad* pad, gpointer self);
  static void on_no_more_pads(GstElement*, gpointer self);
  void wait(GstMessageType types, const std::atomic<bool>& interrupted);

  GstElement* pipeline_;
  std::string error_;
  struct Held {
    GstPad* pad;
    gulong probe;
  };
  std::vector<Held> held_;
};

GstPadProbeReturn hold(GstPad*, GstPadProbeInfo* info, gpointer) {
  // The seek goes through, so does what it sends down.
  const bool is_event = GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_FLUSH;
  return is_event ? GST_PAD_PROBE_PASS : GST_PAD_PROBE_OK;
}

Encoding::Encoding(const std::string& from_file, const std::string& to_file,
                   const std::string& launch) {
  GError* failed = nullptr;
  pipeline_ = gst_parse_launch(launch.c_str(), &failed);
  if (failed) error_ = failed->message;
  g_clear_error(&failed);
  if (!error_.empty()) return;
  for (const auto& [name, value] :
       {std::pair<const char*, const std::string&>{"from", from_file}, {"to", to_file}}) {
    GstElement* file = gst_bin_get_by_name(GST_BIN(pipeline_), name);
    g_object_set(file, "location", value.c_str(), nullptr);
    gst_object_unref(file);
  }
  hear_lost_errors(pipeline_);
  GstElement* decoder = gst_bin_get_by_name(GST_BIN(pipeline_), "d");
  g_signal_connect(decoder, "pad-added", G_CALLBACK(on_pad), this);
  g_signal_connect(decoder, "no-more-pads", G_CALLBACK(on_no_more_pads), this);
  gst_object_unref(decoder);
}

Encoding::~Encoding() {
  if (!pipeline_) return;
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

// Held until the seek: no encoder sees what is before.
void Encoding::on_pad(GstElement*, GstPad* pad, gpointer data) {
  auto* self = static_cast<Encoding*>(data);
  const bool is_picture = kind_of(media_type(pad)) == Kind::kPicture;
  GstElement* branch =
      gst_bin_get_by_name(GST_BIN(self->pipeline_), is_picture ? "pictures" : "sounds");
  if (!branch) return;
  self->held_.push_back(
      {pad, gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, hold, nullptr, nullptr)});
  GstPad* in = gst_element_get_static_pad(branch, "sink");
  gst_pad_link(pad, in);
  gst_object_unref(in);
  gst_object_unref(branch);
}

void Encoding::on_no_more_pads(GstElement* decoder, gpointer) {
  gst_element_post_message(decoder, gst_message_new_application(
                                        GST_OBJECT(decoder), gst_structure_new_empty("complete")));
}

void Encoding::wait(GstMessageType types, const std::atomic<bool>& interrupted) {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = nullptr;
  while (!message && !interrupted)
    message = gst_bus_timed_pop_filtered(bus, kPoll,
                                         static_cast<GstMessageType>(types | GST_MESSAGE_ERROR));
  gst_object_unref(bus);
  if (!message) error_ = "it was stopped";
  if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) error_ = message_text(message);
  if (message) gst_message_unref(message);
}

std::string Encoding::run(gint64 from, gint64 to, const std::atomic<bool>& interrupted) {
  if (!error_.empty()) return error_;
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  wait(GST_MESSAGE_APPLICATION, interrupted);
  if (!error_.empty()) return error_;
  if (held_.empty()) return "nothing of it can be decoded";
  const bool sought = gst_pad_send_event(
      held_.front().pad,
      gst_event_new_seek(1.0, GST_FORMAT_TIME,
                         static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                         GST_SEEK_TYPE_SET, from, GST_SEEK_TYPE_SET, to));
  if (!sought) return "its beginning cannot be found";
  for (const Held& one : held_) gst_pad_remove_probe(one.pad, one.probe);
  wait(GST_MESSAGE_EOS, interrupted);
  return error_;
}

std::string launch_line(const Encoders& encoders) {
  const std::string unlimited = "queue max-size-time=0 max-size-bytes=0 max-size-buffers=";
  const std::string muxer = encoders.fit_mp4() ? "mp4mux" : "matroskamux offset-to-zero=true";
  std::string line = "filesrc name=from ! decodebin name=d  " + muxer +
                     " name=m ! filesink name=to async=false  " + unlimited +
                     "60 name=pictures ! videoconvert ! videoflip video-direction=auto ! " +
                     encoders.pictures->branch + " ! queue ! m. ";
  if (encoders.sounds)
    line += unlimited + "0 name=sounds ! audioconvert ! audioresample ! " +
            encoders.sounds->branch + " ! queue ! m.";
  return line;
}

}  // namespace

std::string encode_clip(std::string* path, gint64 from, gint64 to, bool has_sound,
                        const std::atomic<bool>& interrupted) {
  const Encoders encoders{first_installed(kPictures),
                          has_sound ? first_installed(kSounds) : nullptr};
  std::string error, beside;
  if (!encoders.pictures)
    return unlink(path->c_str()),
           "GStreamer has no encoder for pictures, expected x264enc or vp8enc";
  const std::string complete =
      path->substr(0, path->size() - 4) + (encoders.fit_mp4() ? ".mp4" : ".mkv");
  error = make_beside(complete, &beside);
  if (error.empty())
    error = Encoding(*path, beside, launch_line(encoders)).run(from, to, interrupted);
  if (error.empty()) error = move_in_place(beside, complete);
  if (!error.empty() && !beside.empty()) unlink(beside.c_str());
  if (!error.empty() || complete != *path) unlink(path->c_str());
  *path = complete;
  return error;
}
