#include "examples/watch/hls_writer.h"

#include <algorithm>
#include <utility>

#include "examples/watch/hls_branches.h"

namespace {

constexpr guint kLongestFinishMs = 1000;
// Sound may come so much later than its picture, being encoded.
constexpr guint64 kSoundLatency = GST_SECOND;
constexpr auto kBytes =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                 GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);

// The probe has an owner's share of the files.
struct Share {
  std::shared_ptr<HlsFiles> files;
};

template <GstPadProbeReturn (*probe)(GstPad*, GstPadProbeInfo*, gpointer)>
GstPadProbeReturn shared(GstPad* pad, GstPadProbeInfo* info, gpointer share) {
  return probe(pad, info, static_cast<Share*>(share)->files.get());
}

// Its end alone: a decoder has no pad yet, and what follows it none that is linked. Borrowed.
GstPad* add_way_out(GstElement* bin) {
  GstPad* last = gst_bin_find_unlinked_pad(GST_BIN(bin), GST_PAD_SRC);
  GstPad* pad = gst_ghost_pad_new("src", last);
  gst_object_unref(last);
  gst_element_add_pad(bin, pad);
  return pad;
}

void forget(gpointer share) { delete static_cast<Share*>(share); }

}  // namespace

HlsWriter::HlsWriter(const Place& place, Host host)
    : host_(std::move(host)),
      pipeline_(kLongestFinishMs, {[this](const GstStructure* s) { handle_structure(s); },
                                   [this](const std::string& error) { end(error); }}),
      muxer_(gst_element_factory_make("mpegtsmux", nullptr)),
      files_(
          std::make_shared<HlsFiles>(pipeline_.get(), place.stem, place.length, place.offset_ns)) {
  GstElement* sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(muxer_, "latency", kSoundLatency, nullptr);
  g_object_set(sink, "async", FALSE, "sync", FALSE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline_.get()), muxer_, sink, nullptr);
  gst_element_link(muxer_, sink);
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, kBytes, shared<HlsFiles::on_bytes>, new Share{files_}, forget);
  gst_object_unref(pad);
}

HlsWriter::~HlsWriter() { files_->abandon(); }

std::string HlsWriter::start(StreamTaps taps, GstElement* watching) {
  std::stable_partition(taps.begin(), taps.end(), [](const auto& tap) { return tap->video(); });
  std::string left_out;
  for (const auto& tap : taps) {
    const HlsBranch branch = hls_branch(*tap);
    const std::string wrong =
        branch.description.empty() ? branch.why_not : add(tap, branch.description);
    if (!wrong.empty()) left_out = wrong;
  }
  if (!writes_pictures_) return left_out;
  follow_clock(watching);
  pipeline_.begin();
  return left_out;
}

// Empty, or which element is not installed.
std::string HlsWriter::add(const std::shared_ptr<StreamTap>& tap, const std::string& branch) {
  GError* error = nullptr;
  GstElement* bin = gst_parse_bin_from_description(branch.c_str(), FALSE, &error);
  const std::string wrong = error ? error->message : "";
  g_clear_error(&error);
  if (!wrong.empty()) {
    gst_clear_object(&bin);
    return wrong;
  }
  pipeline_.add(tap, bin);
  GstPad* pad = add_way_out(bin);
  if (tap->video()) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, shared<HlsFiles::on_picture>,
                      new Share{files_}, forget);
    writes_pictures_ = true;
  }
  gst_element_link_pads(bin, "src", muxer_, nullptr);
  if (tap->video()) keep_clock_with(pad);
  return "";
}

// The muxer's clock (PCR) goes with the pictures, at which segments begin: its tables come in front
// of it. Left to itself it takes the stream that comes first.
void HlsWriter::keep_clock_with(GstPad* pictures) {
  GstPad* pad = gst_pad_get_peer(pictures);
  if (!pad) return;
  gchar* name = gst_pad_get_name(pad);
  GstStructure* map = gst_structure_new("program_map", "PCR_1", G_TYPE_STRING, name, nullptr);
  g_object_set(muxer_, "prog-map", map, nullptr);
  gst_structure_free(map);
  g_free(name);
  gst_object_unref(pad);
}

// The times of what comes are those of the watching pipeline, and the muxer waits for nobody beyond
// them.
void HlsWriter::follow_clock(GstElement* watching) {
  GstClock* clock = gst_element_get_clock(watching);
  if (clock) {
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock);
    gst_object_unref(clock);
  }
  gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline_.get(), gst_element_get_base_time(watching));
}

void HlsWriter::handle_structure(const GstStructure* s) {
  if (gst_structure_has_name(s, HlsFiles::kBegin)) {
    Begin begin;
    gst_structure_get(s, "running", G_TYPE_UINT64, &begin.running, "utc", G_TYPE_INT64,
                      &begin.utc_us, nullptr);
    host_.on_begin(begin);
  } else if (gst_structure_has_name(s, HlsFiles::kSegment)) {
    guint64 number = 0;
    gint64 start_us = 0, duration_us = 0;
    gst_structure_get(s, "utc", G_TYPE_INT64, &start_us, "duration", G_TYPE_INT64, &duration_us,
                      "number", G_TYPE_UINT64, &number, nullptr);
    host_.on_segment({gst_structure_get_string(s, "file"), start_us, duration_us, false}, number);
  } else if (gst_structure_has_name(s, HlsFiles::kLost)) {
    host_.on_lost(gst_structure_get_string(s, "text"));
  }
}

void HlsWriter::end(const std::string& error) {
  const auto on_end = host_.on_end;  // `this` may be destroyed in it
  on_end(error);
}
