#include "examples/export/clip_file.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "examples/common/output_file.h"
#include "examples/common/tracks.h"
#include "examples/common/warnings.h"
#include "examples/export/turned_movie.h"

namespace {

constexpr GstClockTime kPoll = 5 * GST_MSECOND;
constexpr GstClockTime kLongestStall = 30 * GST_SECOND;
constexpr guint64 kMostWaiting = 64 << 20;  // bytes that the disk has not taken yet

std::string type_of(GstCaps* caps) {
  return gst_structure_get_name(gst_caps_get_structure(caps, 0));
}

// What brings packets into the form that a muxer wants, such as AVC out of a byte stream.
const char* parser_of(GstCaps* caps) {
  static const std::map<std::string, const char*> parsers = {
      {"video/x-h264", "h264parse"}, {"video/x-h265", "h265parse"}, {"video/x-av1", "av1parse"},
      {"video/x-vp9", "vp9parse"},   {"audio/x-ac3", "ac3parse"},   {"audio/x-eac3", "ac3parse"},
      {"audio/x-flac", "flacparse"}};
  const std::string type = type_of(caps);
  if (type == "audio/mpeg") {
    gint version = 0;
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "mpegversion", &version);
    return version == 1 ? "mpegaudioparse" : "aacparse";
  }
  const auto found = parsers.find(type);
  return found == parsers.end() ? nullptr : found->second;
}

// It may be shown in another order than it is decoded in, without a word of when it is decoded:
// Matroska's packets have no such time.
bool lacks_decode_times(GstCaps* caps, const Packet& picture) {
  const std::string type = type_of(caps);
  const bool is_reordered = type == "video/x-h264" || type == "video/x-h265" ||
                            type == "video/mpeg" || type == "video/x-divx";
  return is_reordered && !picture.dts;
}

bool goes_into_mp4(const ClipFile::Streams& streams) {
  if (!can_be_muxed("mp4mux", streams.video)) return false;
  if (streams.audio && !can_be_muxed("mp4mux", streams.audio)) return false;
  return !lacks_decode_times(streams.video, streams.pictures->front());
}

guint64 waiting_in(GstElement* source) {
  guint64 n_bytes = 0;
  g_object_get(source, "current-level-bytes", &n_bytes, nullptr);
  return n_bytes;
}

}  // namespace

bool can_be_muxed(const char* muxer, GstCaps* caps) {
  GstElementFactory* factory = gst_element_factory_find(muxer);
  if (!factory) return false;
  GstCaps* any_form = gst_caps_copy(caps);
  for (const char* form : {"stream-format", "alignment", "framed", "parsed"})
    gst_structure_remove_field(gst_caps_get_structure(any_form, 0), form);
  const bool possible = gst_element_factory_can_sink_any_caps(factory, any_form);
  gst_caps_unref(any_form);
  gst_object_unref(factory);
  return possible;
}

ClipFile::ClipFile(const std::string& stem, const Streams& streams, gint64 base)
    : pipeline_(gst_pipeline_new(nullptr)), base_(base) {
  const bool mp4 = goes_into_mp4(streams);
  turn_ = mp4 ? streams.pictures->front().turn : 0;
  path_ = stem + (mp4 ? ".mp4" : ".mkv");
  error_ = make_beside(path_, &beside_);
  if (!error_.empty()) return;
  muxer_ = gst_element_factory_make(mp4 ? "mp4mux" : "matroskamux", nullptr);
  GstElement* file = gst_element_factory_make("filesink", nullptr);
  if (!muxer_ || !file) {
    error_ = "GStreamer has no element named mp4mux, matroskamux or filesink";
    return;
  }
  if (!mp4) g_object_set(muxer_, "offset-to-zero", TRUE, nullptr);
  g_object_set(file, "location", beside_.c_str(), "async", FALSE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline_), muxer_, file, nullptr);
  gst_element_link(muxer_, file);
  if (mp4) {
    for (const Packet& one : *streams.pictures) lead_ = std::max(lead_, base_ - one.decode_time());
  }
  video_ = add_stream(streams.video);
  if (streams.audio) audio_ = add_stream(streams.audio);
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);
}

ClipFile::~ClipFile() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
  if (!beside_.empty()) unlink(beside_.c_str());
}

GstElement* ClipFile::add_stream(GstCaps* caps) {
  GstElement* source = gst_element_factory_make("appsrc", nullptr);
  g_object_set(source, "format", GST_FORMAT_TIME, "max-bytes", guint64{0}, "caps", caps, nullptr);
  gst_bin_add(GST_BIN(pipeline_), source);
  GstElement* last = source;
  if (const char* name = parser_of(caps)) {
    GstElement* parser = gst_element_factory_make(name, nullptr);
    if (parser) {
      gst_bin_add(GST_BIN(pipeline_), parser);
      gst_element_link(source, parser);
      last = parser;
    }
  }
  const bool is_picture = kind_of(type_of(caps)) == Kind::kPicture;
  gst_element_link_pads(last, "src", muxer_, is_picture ? "video_%u" : "audio_%u");
  return source;
}

void ClipFile::push(Kind kind, const Packet& packet) {
  GstElement* source = kind == Kind::kPicture ? video_ : audio_;
  if (!source || !error_.empty()) return;
  GstBuffer* buffer = gst_buffer_copy(packet.buffer.get());
  const auto shifted = [&](gint64 time) {
    return static_cast<GstClockTime>(std::max<gint64>(time - base_ + lead_, 0));
  };
  GST_BUFFER_PTS(buffer) = shifted(packet.pts);
  GST_BUFFER_DTS(buffer) = packet.dts ? shifted(*packet.dts) : GST_CLOCK_TIME_NONE;
  GstSample* sample = gst_sample_new(buffer, packet.caps.get(), nullptr, nullptr);
  GstFlowReturn result = GST_FLOW_OK;
  g_signal_emit_by_name(source, "push-sample", sample, &result);
  gst_sample_unref(sample);
  gst_buffer_unref(buffer);
  wait_for_room();
}

// While the muxer has something of every stream it can go on, and the disk decides. It waits for a
// stream of which it has nothing: then more has to be read.
void ClipFile::wait_for_room() {
  take_errors();
  while (error_.empty() && waiting_in(video_) + (audio_ ? waiting_in(audio_) : 0) > kMostWaiting &&
         waiting_in(video_) > 0 && (!audio_ || waiting_in(audio_) > 0)) {
    g_usleep(kPoll / GST_USECOND);
    take_errors();
  }
}

void ClipFile::take_errors() {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (!message) return;
  error_ = message_text(message);
  gst_message_unref(message);
}

std::string ClipFile::finish() {
  take_errors();
  if (!error_.empty()) return error_;
  for (GstElement* source : {video_, audio_}) {
    GstFlowReturn result = GST_FLOW_OK;
    if (source) g_signal_emit_by_name(source, "end-of-stream", &result);
  }
  wait_for_end();
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  if (error_.empty() && turn_ != 0) error_ = turn_movie(beside_, turn_);
  if (error_.empty()) error_ = move_in_place(beside_, path_);
  if (error_.empty()) beside_.clear();
  return error_;
}

// As long as the file grows it is being written.
void ClipFile::wait_for_end() {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = nullptr;
  std::error_code failed;
  for (auto size = std::filesystem::file_size(beside_, failed); !message;) {
    message = gst_bus_timed_pop_filtered(
        bus, kLongestStall, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    const auto now = std::filesystem::file_size(beside_, failed);
    if (!message && std::exchange(size, now) == now) break;
  }
  gst_object_unref(bus);
  if (!message) error_ = "its end could not be written in time";
  if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) error_ = message_text(message);
  if (message) gst_message_unref(message);
}
