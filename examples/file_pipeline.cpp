#include "file_pipeline.h"

#include <algorithm>
#include <filesystem>

namespace {

constexpr GstClockTime kLongestWait = GST_SECOND / 10;
constexpr char kDecoder[] = "vididecode";
constexpr char kDemuxerQueue[] = "multiqueue";  // decodebin's
// What the demuxer may read ahead of a track that has nothing yet, such as sound that begins late.
// decodebin's own 8 MB, or 10 s of a pipe, are soon full, and then (1.22) it waits for ever.
constexpr guint kMostAhead = 1 << 30;
constexpr guint64 kLongestAhead = 24 * 3600 * GST_SECOND;
constexpr guint kUsuallyAhead = 8 << 20;  // once all streams are there

// What decodebin tries first where it fits.
void prefer(const char* factory) {
  GstPluginFeature* feature =
      gst_registry_lookup_feature(gst_registry_get(), factory);  // of this process only
  if (!feature) return;
  gst_plugin_feature_set_rank(feature, G_MAXINT);
  gst_object_unref(feature);
}

bool is_made_by(GstElement* element, const char* factory) {
  GstElementFactory* maker = gst_element_get_factory(element);
  return maker && g_str_equal(GST_OBJECT_NAME(maker), factory);
}

void post(GstElement* pipeline, const std::string& text) {
  GstStructure* s =
      gst_structure_new(FilePipeline::kNote, "text", G_TYPE_STRING, text.c_str(), nullptr);
  gst_element_post_message(pipeline, gst_message_new_element(GST_OBJECT(pipeline), s));
}

GstPadProbeReturn drop(GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_DROP; }
GstPadProbeReturn hold(GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }

}  // namespace

FilePipeline::FilePipeline(const std::string& uri, const TrackWishes& wishes, int n_decoders,
                           std::string* error)
    : pipeline_(gst_pipeline_new(nullptr)),
      uri_(uri),
      is_local_(g_str_has_prefix(uri.c_str(), "file:")),
      wishes_(wishes),
      n_decoders_(n_decoders) {
  if (n_decoders != 1) prefer(kDecoder);
  g_signal_connect(pipeline_, "deep-element-added", G_CALLBACK(on_element), this);
  GstElement* source = add("uridecodebin", "source", error);
  filter_ = add("vidifilter", "filter", error);
  sink_ = add("fakesink", "sink", error);
  if (!error->empty()) return;
  video_ = std::make_unique<FilterInput>(pipeline_, filter_, "sink");
  audio_ = std::make_unique<FilterInput>(pipeline_, filter_, "audio_sink");
  g_object_set(source, "uri", uri.c_str(), nullptr);
  g_object_set(sink_, "sync", FALSE, nullptr);
  gst_element_link_pads(filter_, "src", sink_, "sink");
  g_signal_connect(source, "pad-added", G_CALLBACK(on_pad), this);
  g_signal_connect(source, "pad-removed", G_CALLBACK(on_pad_gone), this);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_pads), this);
}

FilePipeline::~FilePipeline() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

GstElement* FilePipeline::add(const char* factory, const char* name, std::string* error) {
  GstElement* element = gst_element_factory_make(factory, name);
  if (element) {
    gst_bin_add(GST_BIN(pipeline_), element);
  } else {
    *error = std::string("GStreamer has no element named ") + factory;
  }
  return element;
}

GstMessage* FilePipeline::next_message() {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_timed_pop(bus, kLongestWait);
  gst_object_unref(bus);
  return message;
}

GstClockTime FilePipeline::duration() const {
  gint64 duration = -1;
  gst_element_query_duration(pipeline_, GST_FORMAT_TIME, &duration);
  return duration > 0 ? static_cast<GstClockTime>(duration) : GST_CLOCK_TIME_NONE;
}

GstClockTime FilePipeline::position() const {
  gint64 position = -1;
  gst_element_query_position(sink_, GST_FORMAT_TIME, &position);
  return position >= 0 ? static_cast<GstClockTime>(position) : GST_CLOCK_TIME_NONE;
}

// On any thread: uridecodebin finds out what it needs while the file is read.
void FilePipeline::on_element(GstBin*, GstBin*, GstElement* element, gpointer self) {
  if (is_made_by(element, kDecoder))
    g_object_set(element, "decoders", static_cast<FilePipeline*>(self)->n_decoders_, nullptr);
  if (is_made_by(element, "decodebin"))
    g_object_set(element, "max-size-bytes", kMostAhead, nullptr);
}

void FilePipeline::on_overrun(GstElement*, gpointer data) {
  auto* self = static_cast<FilePipeline*>(data);
  if (self->is_complete_) return;
  GST_ELEMENT_ERROR(self->pipeline_, STREAM, DEMUX,
                    ("One of its tracks does not begin in the first %u MB.", kMostAhead >> 20),
                    (nullptr));
}

// ---- Streams come and go ----

void FilePipeline::on_pad(GstElement*, GstPad* pad, gpointer self) {
  static_cast<FilePipeline*>(self)->offer(pad);
}

void FilePipeline::on_pad_gone(GstElement*, GstPad* pad, gpointer self) {
  static_cast<FilePipeline*>(self)->withdraw(pad);
}

void FilePipeline::on_no_more_pads(GstElement*, gpointer data) {
  auto* self = static_cast<FilePipeline*>(data);
  self->choose();
  self->is_complete_ = true;
}

GstPadProbeReturn FilePipeline::on_event(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
    static_cast<FilePipeline*>(self)->stream_ended(pad);
  return GST_PAD_PROBE_OK;
}

// Nothing flows until the whole group is there and one of each kind is chosen.
void FilePipeline::offer(GstPad* pad) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this, nullptr);
  const gulong block =
      gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, hold, nullptr, nullptr);
  std::lock_guard lock(mutex_);
  offered_.push_back({pad, block});
}

void FilePipeline::withdraw(GstPad* pad) {
  for (FilterInput* input : {video_.get(), audio_.get()}) input->leave(pad);
  std::lock_guard lock(mutex_);
  std::erase_if(offered_, [&](const Offered& one) { return one.pad == pad; });
}

void FilePipeline::choose() {
  std::vector<Offered> group;
  {
    std::lock_guard lock(mutex_);
    group = offered_;
  }
  std::vector<GstPad*> pads;
  for (const Offered& one : group) pads.push_back(one.pad);
  const auto tracks = tracks_in(GST_BIN(pipeline_), pads, !is_complete_);
  GstPad* video = choose_one(of_kind(tracks, Kind::kPicture), wishes_.video);
  GstPad* audio = choose_one(of_kind(tracks, Kind::kSound), wishes_.audio);
  if (video) take(video, *video_), has_video_ = true;
  if (audio) take(audio, *audio_), has_audio_ = true;
  // The pictures must not wait for sound that is over. (The sound does not wait for pictures.)
  if (!audio && audio_->is_free()) audio_->end();
  limit_queues();
  for (const Offered& one : group) {
    if (one.pad != video && one.pad != audio)
      gst_pad_add_probe(one.pad, GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM, drop, nullptr, nullptr);
    gst_pad_remove_probe(one.pad, one.block);
  }
}

void FilePipeline::limit_queues() {
  GstIterator* queues =
      gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline_), kDemuxerQueue);
  const auto limit = [](const GValue* queue, gpointer) {
    g_object_set(g_value_get_object(queue), "max-size-bytes", kUsuallyAhead, nullptr);
  };
  while (gst_iterator_foreach(queues, limit, nullptr) == GST_ITERATOR_RESYNC)
    gst_iterator_resync(queues);
  gst_iterator_free(queues);
}

// Null when there is none of this kind.
GstPad* FilePipeline::choose_one(const std::vector<Track>& tracks, const std::string& wish) {
  const auto number = chosen(tracks, wish);
  if (!number && !wish.empty()) refuse(tracks, wish);
  if (!number) return nullptr;
  if (tracks.size() > 1) note(choice_text(tracks, *number));
  return tracks[*number].pad;
}

// The wish counts at the beginning; a later group need not have such a track.
std::optional<size_t> FilePipeline::chosen(const std::vector<Track>& tracks,
                                           const std::string& wish) {
  if (!is_complete_) return choose_track(tracks, wish, is_local_ ? uri_ : "");
  const auto asked = wish.empty() ? std::nullopt : choose_track(tracks, wish, "");
  return asked ? asked : choose_track(tracks, "", "");
}

void FilePipeline::refuse(const std::vector<Track>& tracks, const std::string& wish) {
  const char* option = &wish == &wishes_.audio ? "--audio-track" : "--video-track";
  GST_ELEMENT_ERROR(pipeline_, STREAM, WRONG_TYPE,
                    ("%s: %s.", option, wish_complaint(tracks, wish).c_str()), (nullptr));
}

void FilePipeline::take(GstPad* pad, FilterInput& input) {
  if (!input.link(pad))
    GST_ELEMENT_ERROR(pipeline_, STREAM, FORMAT, ("One of its tracks cannot be linked."),
                      (nullptr));
}

// Once, also where every group of streams would say it again.
void FilePipeline::note(const std::string& text) {
  {
    std::lock_guard lock(mutex_);
    if (std::find(notes_.begin(), notes_.end(), text) != notes_.end()) return;
    notes_.push_back(text);
  }
  post(pipeline_, text);
}

// Ends that are followed by another group are kept by uridecodebin: this is the end of the file. An
// input that the last group did not feed must hear of it, too.
void FilePipeline::stream_ended(GstPad* pad) {
  {
    std::lock_guard lock(mutex_);
    bool all = true;
    for (Offered& one : offered_) all &= one.ended |= one.pad == pad;
    if (!all) return;
  }
  for (FilterInput* input : {video_.get(), audio_.get()}) {
    if (input->is_free()) input->end();
  }
}

std::string uri_of(const std::string& file, std::string* error) {
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed)) {
    *error = "it is a folder, expected a video file";
    return "";
  }
  const bool there = std::filesystem::exists(file, failed);
  if (!there && gst_uri_is_valid(file.c_str())) return file;
  if (!there) {
    *error = "there is no such file";
    return "";
  }
  gchar* uri = gst_filename_to_uri(file.c_str(), nullptr);
  const std::string text = uri ? uri : "";
  g_free(uri);
  if (text.empty()) *error = "its name cannot be made a URI";
  return text;
}
