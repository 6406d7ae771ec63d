#include "examples/ask/file_pipeline.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "examples/ask/losses.h"
#include "examples/common/lost_errors.h"

namespace {

constexpr GstClockTime kLongestWait = GST_SECOND / 10;
constexpr char kDecoder[] = "vididecode";
constexpr char kDemuxerQueue[] = "multiqueue";  // decodebin's
// What the demuxer may read ahead of a track that has nothing yet, such as sound that begins late.
// decodebin's own 8 MB, or 10 s of a pipe, are soon full, and then (1.22) it waits for ever.
constexpr guint kMostAhead = 1 << 30;
constexpr guint64 kLongestAhead = 24 * 3600 * GST_SECOND;
constexpr guint kUsuallyAhead = 8 << 20;  // once all streams are there

// A decoder of H.264 as MP4 and Matroska store it, which vididecode needs: where openh264dec alone
// is installed (Fedora), decodebin makes byte streams of it, if nothing else takes the other form.
bool has_decoder_of_stored_form() {
  constexpr auto kKind = GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO;
  GList* all = gst_element_factory_list_get_elements(kKind, GST_RANK_MARGINAL);
  GstCaps* caps = gst_caps_from_string("video/x-h264,stream-format=avc,alignment=au");
  GList* fitting = gst_element_factory_list_filter(all, caps, GST_PAD_SINK, FALSE);
  const bool has_one = fitting != nullptr;  // vididecode's own rank is NONE
  gst_plugin_feature_list_free(fitting);
  gst_plugin_feature_list_free(all);
  gst_caps_unref(caps);
  return has_one;
}

// What decodebin tries first where it fits.
void prefer(const char* factory) {
  GstPluginFeature* feature =
      gst_registry_lookup_feature(gst_registry_get(), factory);  // of this process only
  if (!feature) return;
  gst_plugin_feature_set_rank(feature, G_MAXINT);
  gst_object_unref(feature);
}

void post(GstElement* pipeline, const std::string& text) {
  GstStructure* s =
      gst_structure_new(FilePipeline::kNote, "text", G_TYPE_STRING, text.c_str(), nullptr);
  gst_element_post_message(pipeline, gst_message_new_element(GST_OBJECT(pipeline), s));
}

GstPadProbeReturn drop(GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_DROP; }
GstPadProbeReturn hold(GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }

bool has_any(GstElement* pipeline, std::initializer_list<const char*> factories) {
  return std::any_of(factories.begin(), factories.end(), [pipeline](const char* factory) {
    GstIterator* found = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), factory);
    GValue one = G_VALUE_INIT;
    const bool is_there = gst_iterator_next(found, &one) == GST_ITERATOR_OK;
    if (is_there) g_value_unset(&one);
    gst_iterator_free(found);
    return is_there;
  });
}

// A transport or program stream's length is a guess from its clock, which may begin anew; that of
// MP4 and Matroska stands in their header, also of a file of which there is only the beginning.
StatedLength stated_length(GstElement* pipeline, bool warned) {
  if (has_any(pipeline, {"tsdemux", "mpegpsdemux"}))
    return warned ? StatedLength::kPerhaps : StatedLength::kGuessed;
  return has_any(pipeline, {"qtdemux", "matroskademux"}) ? StatedLength::kWritten
                                                         : StatedLength::kPerhaps;
}

// Of 1.22 it is known that libav's demuxer asks for more at the end of a GIF for ever, of 1.26 that
// it does not.
bool reads_gif_to_its_end() {
  guint major = 0, minor = 0, micro = 0, nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  return major > 1 || minor >= 26;
}

void refuse_gif(GstElement* pipeline) {
  GST_ELEMENT_ERROR(
      pipeline, STREAM, DEMUX,
      ("this version of GStreamer cannot read a GIF to its end, expected 1.26 or newer, "
       "or a video made of it"),
      (nullptr));
}

}  // namespace

FilePipeline::FilePipeline(const std::string& uri, const TrackWishes& wishes, int n_decoders,
                           std::string* error)
    : pipeline_(gst_pipeline_new(nullptr)),
      uri_(uri),
      is_local_(g_str_has_prefix(uri.c_str(), "file:")),
      wishes_(wishes),
      n_decoders_(n_decoders) {
  if (n_decoders != 1 && has_decoder_of_stored_form()) prefer(kDecoder);
  hear_lost_errors(pipeline_);
  silent_end_.watch(pipeline_);
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
  g_signal_connect(source, "autoplug-select", G_CALLBACK(on_choice), this);
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
    g_object_set(element, "max-size-bytes", kMostAhead, "max-size-time", kLongestAhead, nullptr);
  static_cast<FilePipeline*>(self)->see_to_demuxer(element);
}

void FilePipeline::see_to_demuxer(GstElement* element) {
  if (is_made_by(element, "qtdemux")) movie_header_.watch(element);
  if (is_made_by(element, "tsdemux")) transport_.watch(element);
  if (JoinedTimes::are_of(element)) joined_times_.watch(element);
}

// Of what decodebin may try (its GstAutoplugSelectResult). A demuxer that has begun would not stop,
// either: it is never made.
gint FilePipeline::on_choice(GstElement*, GstPad*, GstCaps*, GstElementFactory* factory,
                             gpointer self) {
  enum { kTry = 0, kSkip = 2 };
  const gchar* name = gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory));
  if (g_strcmp0(name, "avdemux_gif") != 0 || reads_gif_to_its_end()) return kTry;
  refuse_gif(static_cast<FilePipeline*>(self)->pipeline_);
  return kSkip;
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

// Nothing flows until the whole group is there and one of each kind is chosen.
void FilePipeline::offer(GstPad* pad) {
  auto one = std::make_unique<Offered>();
  one->stream = std::make_unique<DecodedStream>(pad, [this] { stream_ended(); });
  one->block = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, hold, nullptr, nullptr);
  std::lock_guard lock(mutex_);
  offered_.push_back(std::move(one));
}

void FilePipeline::withdraw(GstPad* pad) {
  for (FilterInput* input : {video_.get(), audio_.get()}) input->leave(pad);
  for (Offered* one : group()) one->is_gone |= one->stream->pad() == pad;
}

// The streams that are there now.
std::vector<FilePipeline::Offered*> FilePipeline::group() {
  std::lock_guard lock(mutex_);
  std::vector<Offered*> group;
  for (const auto& one : offered_) {
    if (!one->is_gone) group.push_back(one.get());
  }
  return group;
}

void FilePipeline::choose() {
  std::vector<GstPad*> pads;
  for (Offered* one : group()) pads.push_back(one->stream->pad());
  const auto tracks = tracks_in(GST_BIN(pipeline_), pads, !is_complete_);
  const auto pictures = of_kind(tracks, Kind::kPicture), sounds = of_kind(tracks, Kind::kSound);
  const Track* video = choose_one(pictures, wishes_.video);
  const Track* audio = choose_one(sounds, wishes_.audio);
  if (video) take(*video, *video_), has_video_ = true;
  if (audio) take(*audio, *audio_), has_audio_ = true;
  if (!audio && (!sounds.empty() || movie_header_.sounds() > 0)) has_unknown_sound_ = true;
  // The pictures must not wait for sound that is over. (The sound does not wait for pictures.)
  if (!audio && audio_->is_free()) audio_->end();
  limit_queues();
  for (Offered* one : group()) {
    GstPad* pad = one->stream->pad();
    if (one->stream->watched() == Kind::kOther)
      gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM, drop, nullptr, nullptr);
    gst_pad_remove_probe(pad, one->block);
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
const Track* FilePipeline::choose_one(const std::vector<Track>& tracks, const std::string& wish) {
  const auto number = chosen(tracks, wish);
  if (!number && !wish.empty()) refuse(tracks, wish);
  if (!number) return nullptr;
  if (tracks.size() > 1) note(choice_text(tracks, *number));
  return &tracks[*number];
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

void FilePipeline::take(const Track& track, FilterInput& input) {
  for (Offered* one : group()) {
    if (one->stream->pad() == track.pad) one->stream->watch(track.kind, track.coded);
  }
  if (!input.link(track.pad))
    GST_ELEMENT_ERROR(
        pipeline_, STREAM, FORMAT,
        ("Its %s cannot be watched: vidifilter does not take %s.",
         track.kind == Kind::kSound ? "sound" : "pictures", format_text(track.pad).c_str()),
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
void FilePipeline::stream_ended() {
  for (Offered* one : group()) {
    if (!one->stream->has_ended()) return;
  }
  for (FilterInput* input : {video_.get(), audio_.get()}) {
    if (input->is_free()) input->end();
  }
}

// ---- What did not come ----

std::vector<const DecodedStream*> FilePipeline::streams(Kind kind) const {
  std::lock_guard lock(mutex_);
  std::vector<const DecodedStream*> some;
  for (const auto& one : offered_) {
    if (one->stream->watched() == kind) some.push_back(one->stream.get());
  }
  return some;
}

guint64 FilePipeline::n_pictures() const {
  guint64 n = 0;
  for (const DecodedStream* stream : streams(Kind::kPicture)) n += stream->n_buffers();
  return n;
}

std::string FilePipeline::what_is_missing(bool warned) const {
  const auto pictures = streams(Kind::kPicture), sounds = streams(Kind::kSound);
  std::vector<const DecodedStream*> watched = pictures;
  watched.insert(watched.end(), sounds.begin(), sounds.end());
  for (const std::string& found :
       {damaged(transport_, watched), cut_off(uri_), undecoded(pictures, Kind::kPicture),
        undecoded(sounds, Kind::kSound)}) {
    if (!found.empty()) return found;
  }
  return unread(watched, streams(Kind::kOther), duration(), stated_length(pipeline_, warned));
}
