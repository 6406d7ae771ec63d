#include "clip_recorder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace fs = std::filesystem;

namespace {

constexpr guint64 kFragment = 2 * GST_SECOND;  // or one key frame's distance, where that is longer
constexpr guint kLongestJobS = 5;              // and half a second for each fragment
constexpr int kMostTries = 4;
constexpr GstClockTime kMostKept = 10 * 60 * GST_SECOND;  // of the stream, if a hit never ends

bool is_installed(const char* element) {
  GstElementFactory* factory = gst_element_factory_find(element);
  if (factory) gst_object_unref(factory);
  return factory != nullptr;
}

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

// From a tee to the recording. What cannot be written in time is left out of the clip: a slow disk
// must not hold up the watching.
std::string branch(const LiveStream& stream) {
  const std::string queue =
      "queue leaky=downstream max-size-buffers=0 max-size-bytes=67108864 max-size-time=20000000000";
  if (!stream.raw) return queue;
  return queue + (stream.video ? " ! videoconvert ! " : " ! audioconvert ! audioresample ! ") +
         encoder(stream.video);
}

bool can_be_written(const LiveStream& stream) {
  if (stream.raw) return !encoder(stream.video).empty();
  GstPad* pad = gst_element_get_static_pad(stream.tee, "sink");
  GstCaps* caps = gst_pad_get_current_caps(pad);
  gst_object_unref(pad);
  GstElementFactory* muxer = gst_element_factory_find("matroskamux");
  const bool possible = caps && muxer && gst_element_factory_can_sink_any_caps(muxer, caps);
  if (caps) gst_caps_unref(caps);
  if (muxer) gst_object_unref(muxer);
  return possible;
}

// A file that is not there yet: `folder`/`stem`.mkv, `stem`-2.mkv ...
fs::path free_name(const fs::path& folder, const std::string& stem) {
  fs::path path = folder / (stem + ".mkv");
  std::error_code ignored;
  for (int n = 2; fs::exists(path, ignored); ++n)
    path = folder / (stem + "-" + std::to_string(n) + ".mkv");
  return path;
}

// A clip that begins in the middle of a group of pictures cannot be shown until the next one.
GstPadProbeReturn wait_for_key_frame(GstPad*, GstPadProbeInfo* info, gpointer) {
  const bool is_key =
      !GST_BUFFER_FLAG_IS_SET(GST_PAD_PROBE_INFO_BUFFER(info), GST_BUFFER_FLAG_DELTA_UNIT);
  return is_key ? GST_PAD_PROBE_REMOVE : GST_PAD_PROBE_DROP;
}

void link_pads(GstPad* from, GstElement* element, GstPad* to) {
  if (GST_PAD_LINK_FAILED(gst_pad_link(from, to)))
    GST_WARNING_OBJECT(element, "a stream cannot be recorded");
}

}  // namespace

struct ClipRecorder::Fragment {
  fs::path file;
  GstClockTime start = 0, stop = 0;
  ~Fragment() {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
};

struct ClipRecorder::Wanted {
  Sighting hit;
  GstClockTime start = 0, stop = 0;
  Fragments fragments;  // that it touches, so far

  void offer(const std::shared_ptr<Fragment>& fragment) {
    if (fragment->stop > start && fragment->start < stop) fragments.push_back(fragment);
  }
};

struct ClipRecorder::Job {
  ClipRecorder* recorder = nullptr;
  Wanted clip;
  fs::path file;  // while it is written
  GstElement* pipeline = nullptr;
  guint watch = 0, limit = 0;
  int n_tries = 0;

  ~Job() { clear(); }
  void clear() {
    for (guint* source : {&watch, &limit}) {
      if (*source) g_source_remove(std::exchange(*source, 0));
    }
    if (!pipeline) return;
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(std::exchange(pipeline, nullptr));
  }
};

ClipRecorder::ClipRecorder(const std::string& folder, GstClockTime before, GstClockTime after,
                           OnSaved on_saved)
    : folder_(folder), before_(before), after_(after), on_saved_(std::move(on_saved)) {}

ClipRecorder::~ClipRecorder() {
  jobs_.clear();
  std::error_code ignored;
  if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
}

// The fragments lie in the clips' own folder: a clip is moved into place when it is complete.
std::string ClipRecorder::prepare() {
  std::error_code error;
  fs::create_directories(folder_, error);
  std::string scratch = (fs::path(folder_) / ".vidi-watch-XXXXXX").string();
  if (!mkdtemp(scratch.data()))
    return "clips cannot be saved in " + folder_ + ": " + std::strerror(errno);
  scratch_ = scratch;
  for (const char* name : {"splitmuxsink", "splitmuxsrc", "matroskamux"}) {
    if (!is_installed(name)) return std::string("GStreamer has no element named ") + name;
  }
  return "";
}

// ---- The streams are written ----

std::string ClipRecorder::attach(GstElement* pipeline, const std::vector<LiveStream>& streams) {
  const std::string pattern = scratch_ + "/" + std::to_string(n_connections_++) + "-%06d.mkv";
  GstElement* sink = gst_element_factory_make("splitmuxsink", nullptr);
  g_object_set(sink, "location", pattern.c_str(), "max-size-time", kFragment, "muxer-factory",
               "matroskamux", nullptr);
  gst_bin_add(GST_BIN(pipeline), sink);
  std::string left_out;
  std::vector<std::pair<GstElement*, GstElement*>> bins;
  for (const LiveStream& stream : streams) {
    if (!can_be_written(stream)) {
      left_out = stream.video ? "the pictures cannot be recorded in this format"
                              : "clips have no sound: its format cannot be recorded";
      continue;
    }
    GstElement* bin = gst_parse_bin_from_description(branch(stream).c_str(), TRUE, nullptr);
    gst_bin_add(GST_BIN(pipeline), bin);
    GstPad* out = gst_element_get_static_pad(bin, "src");
    GstPad* in = gst_element_request_pad_simple(sink, stream.video ? "video" : "audio_%u");
    if (stream.video)
      gst_pad_add_probe(out, GST_PAD_PROBE_TYPE_BUFFER, wait_for_key_frame, nullptr, nullptr);
    link_pads(out, sink, in);
    gst_object_unref(in);
    gst_object_unref(out);
    bins.emplace_back(stream.tee, bin);
  }
  // Only now: the muxer writes its header when the first stream has data.
  gst_element_sync_state_with_parent(sink);
  for (const auto& [tee, bin] : bins) {
    gst_element_sync_state_with_parent(bin);
    gst_element_link(tee, bin);
  }
  return left_out;
}

void ClipRecorder::handle(GstMessage* message) {
  const GstStructure* s = gst_message_get_structure(message);
  const gchar* file = s ? gst_structure_get_string(s, "location") : nullptr;
  GstClockTime time = 0;
  if (!file || !gst_structure_get_clock_time(s, "running-time", &time)) return;
  if (gst_structure_has_name(s, "splitmuxsink-fragment-opened")) opened(file, time);
  if (gst_structure_has_name(s, "splitmuxsink-fragment-closed")) closed(file, time);
}

void ClipRecorder::opened(const std::string& file, GstClockTime time) {
  open_file_ = file;
  open_since_ = time;
}

void ClipRecorder::closed(const std::string& file, GstClockTime time) {
  auto fragment = std::make_shared<Fragment>();
  fragment->file = file;
  fragment->start = open_since_;
  fragment->stop = time;
  fragments_.push_back(fragment);
  for (Wanted& wanted : wanted_) wanted.offer(fragment);
  // Clips whose end has passed; those that still wait stay.
  std::vector<Wanted> all = std::exchange(wanted_, {});
  for (Wanted& wanted : all) {
    if (wanted.stop <= time) {
      join(wanted);
    } else {
      wanted_.push_back(std::move(wanted));
    }
  }
}

void ClipRecorder::keep_from(GstClockTime time) {
  const GstClockTime newest = fragments_.empty() ? 0 : fragments_.back()->stop;
  GstClockTime oldest = time > before_ ? time - before_ : 0;
  if (newest > kMostKept) oldest = std::max(oldest, newest - kMostKept);
  std::erase_if(fragments_, [&](const auto& fragment) { return fragment->stop < oldest; });
}

// ---- Clips ----

void ClipRecorder::save(const Sighting& hit) {
  Wanted wanted{.hit = hit,
                .start = hit.start > before_ ? hit.start - before_ : 0,
                .stop = hit.stop + after_,
                .fragments = {}};
  for (const auto& fragment : fragments_) wanted.offer(fragment);
  const bool has_ended = !fragments_.empty() && fragments_.back()->stop >= wanted.stop;
  if (has_ended) {
    join(wanted);
  } else {
    wanted_.push_back(std::move(wanted));
  }
}

void ClipRecorder::detach() {
  for (Wanted& wanted : std::exchange(wanted_, {})) join(wanted);
  fragments_.clear();
}

namespace {

// (1.22) splitmuxsrc sometimes never starts a part that is alone and short: that one goes without
// it.
constexpr char kOnePart[] =
    "filesrc name=part ! matroskademux name=parts  matroskamux name=muxer ! filesink name=file";
constexpr char kManyParts[] = "splitmuxsrc name=parts  matroskamux name=muxer ! filesink name=file";

gchar** locations(GstElement*, gpointer files) {
  const auto& all = *static_cast<std::vector<std::string>*>(files);
  gchar** array = g_new0(gchar*, all.size() + 1);
  for (size_t i = 0; i < all.size(); ++i) array[i] = g_strdup(all[i].c_str());
  return array;
}

void delete_files(gpointer files, GClosure*) {
  delete static_cast<std::vector<std::string>*>(files);
}

// Through a queue without limits: the parts' one reading thread must not wait for one stream while
// the muxer waits for the other.
void link_to_muxer(GstElement*, GstPad* pad, gpointer data) {
  GstElement* muxer = GST_ELEMENT(data);
  GstObject* pipeline = gst_object_get_parent(GST_OBJECT(muxer));
  GstElement* queue = gst_element_factory_make("queue", nullptr);
  g_object_set(queue, "max-size-buffers", 0, "max-size-bytes", 0, "max-size-time", guint64{0},
               nullptr);
  gst_bin_add(GST_BIN(pipeline), queue);
  gst_object_unref(pipeline);
  gchar* name = gst_pad_get_name(pad);
  gst_element_link_pads(queue, "src", muxer,
                        g_str_has_prefix(name, "video") ? "video_%u" : "audio_%u");
  g_free(name);
  gst_element_sync_state_with_parent(queue);
  GstPad* in = gst_element_get_static_pad(queue, "sink");
  link_pads(pad, muxer, in);
  gst_object_unref(in);
}

}  // namespace

void ClipRecorder::join(Wanted& wanted) {
  if (wanted.fragments.empty())
    return on_saved_({"", "nothing was recorded at that time", wanted.hit});
  auto job = std::make_unique<Job>();
  job->recorder = this;
  job->clip = std::move(wanted);
  job->file = free_name(scratch_, "clip-" + std::to_string(job->clip.hit.result_id));
  start(*job);
  jobs_.push_back(std::move(job));
}

void ClipRecorder::start(Job& job) {
  job.clear();
  ++job.n_tries;
  std::vector<std::string> files;
  for (const auto& fragment : job.clip.fragments) files.push_back(fragment->file.string());
  const bool is_one = files.size() == 1;
  job.pipeline = gst_parse_launch(is_one ? kOnePart : kManyParts, nullptr);
  GstElement* parts = gst_bin_get_by_name(GST_BIN(job.pipeline), "parts");
  GstElement* muxer = gst_bin_get_by_name(GST_BIN(job.pipeline), "muxer");
  GstElement* file = gst_bin_get_by_name(GST_BIN(job.pipeline), "file");
  if (is_one) {
    GstElement* part = gst_bin_get_by_name(GST_BIN(job.pipeline), "part");
    g_object_set(part, "location", files[0].c_str(), nullptr);
    gst_object_unref(part);
  } else {
    g_signal_connect_data(parts, "format-location", G_CALLBACK(locations),
                          new std::vector<std::string>(files), delete_files, GConnectFlags(0));
  }
  g_signal_connect(parts, "pad-added", G_CALLBACK(link_to_muxer), muxer);
  g_object_set(file, "location", job.file.c_str(), nullptr);
  for (GstElement* element : {parts, muxer, file}) gst_object_unref(element);

  GstBus* bus = gst_element_get_bus(job.pipeline);
  job.watch = gst_bus_add_watch(bus, on_job_message, &job);
  gst_object_unref(bus);
  const auto n = static_cast<guint>(job.clip.fragments.size());
  job.limit = g_timeout_add_seconds(kLongestJobS + n / 2, on_job_too_long, &job);
  gst_element_set_state(job.pipeline, GST_STATE_PLAYING);
}

// A try that hangs, as splitmuxsrc may, is followed by another.
gboolean ClipRecorder::on_job_too_long(gpointer data) {
  auto* job = static_cast<Job*>(data);
  job->limit = 0;
  if (job->n_tries < kMostTries) {
    job->recorder->start(*job);
  } else {
    job->recorder->finish(job, "its fragments could not be joined in time");
  }
  return G_SOURCE_REMOVE;
}

gboolean ClipRecorder::on_job_message(GstBus*, GstMessage* message, gpointer data) {
  auto* job = static_cast<Job*>(data);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
    job->watch = 0;
    job->recorder->finish(job, "");
    return G_SOURCE_REMOVE;
  }
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR) return G_SOURCE_CONTINUE;
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const std::string why = error->message;
  g_error_free(error);
  job->watch = 0;
  job->recorder->finish(job, why);
  return G_SOURCE_REMOVE;
}

void ClipRecorder::finish(Job* job, const std::string& error) {
  const auto place = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const auto& other) { return other.get() == job; });
  const std::unique_ptr<Job> done = std::move(*place);
  jobs_.erase(place);
  done->clear();
  on_saved_(error.empty() ? put_in_place(done->file, done->clip.hit)
                          : Saved{"", error, done->clip.hit});
}

ClipRecorder::Saved ClipRecorder::put_in_place(const std::string& file, const Sighting& hit) const {
  const fs::path place = free_name(folder_, file_stem(hit));
  std::error_code failed;
  fs::rename(file, place, failed);
  return failed ? Saved{"", failed.message(), hit} : Saved{place.string(), "", hit};
}
