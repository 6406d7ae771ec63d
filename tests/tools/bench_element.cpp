// What the element costs the stream that passes through it.
#include <gst/gst.h>
#include <gst/video/video.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/tools/tool_options.h"

namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr char kUsage[] =
    R"(bench-element added  [--model DIR] [--seconds 30] [--width 1920] [--height 1080] [--fps 60]
           time of pushing a buffer through `vidifilter` and, in the same run, through `identity`,
           while the model is busy: p50, p99, and the difference
       bench-element stop   [--model DIR] [--times 20]
           PAUSED->READY while an answer is generated
       bench-element memory [--model DIR] [--minutes 60]
           resident memory of a live stream, minute by minute
       bench-element inspect
           `gst-inspect-1.0 vidifilter` beside `identity`
All: [--device auto] [--max-new-tokens 1024]. $GST_PLUGIN_PATH and $VIDI_ENGINE as for every
pipeline; set here to the build tree when they are not.
)";

vidi::ToolOptions options = {{"--model", VIDI_DEMO_CHECKPOINT},
                             {"--seconds", "30"},
                             {"--width", "1920"},
                             {"--height", "1080"},
                             {"--fps", "60"},
                             {"--times", "20"},
                             {"--minutes", "60"},
                             {"--device", "auto"},
                             {"--max-new-tokens", "1024"}};
int number(const char* name) { return std::stoi(options.at(name)); }

// Small windows that overlap much and many questions: the worker never rests.
std::string busy_filter(const std::string& more = "") {
  std::string queries;
  for (const char* what :
       {"a dog", "a phone", "a car", "a cat", "a guitar", "a horse", "a boat", "a house"}) {
    queries += (queries.empty() ? "" : ",") + ("\\\"" + std::string(what) + "\\\"");
  }
  return "vidifilter name=v model-load=sync overload-policy=drop-oldest device=" +
         options["--device"] + " model-path=\"" + options["--model"] +
         "\" max-new-tokens=" + options["--max-new-tokens"] +
         " window-duration=8000000000 window-stride=1000000000 " + "queries=\"<" + queries +
         ">\" " + more;
}

GstElement* launch(const std::string& description) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  if (error) {
    std::fprintf(stderr, "bench-element: %s\n", error->message);
    std::exit(1);
  }
  return pipeline;
}

void reach(GstElement* pipeline, GstState state) {
  gst_element_set_state(pipeline, state);
  if (gst_element_get_state(pipeline, nullptr, nullptr, 60 * GST_SECOND) ==
      GST_STATE_CHANGE_FAILURE) {
    std::fprintf(stderr, "bench-element: the pipeline does not start; is the model there?\n");
    std::exit(1);
  }
}

guint64 stat(GstElement* v, const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(v, "stats", &stats, nullptr);
  guint64 value = 0;
  gst_structure_get_uint64(stats, field, &value);
  gst_structure_free(stats);
  return value;
}

double percentile(std::vector<double> values, double share) {
  const size_t at = std::min(values.size() - 1, static_cast<size_t>(values.size() * share));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[at];
}

// ---- added: one buffer after the other through both, in turn ----

struct Way {
  GstElement* pipeline;
  GstPad* in;  // a source pad of our own, linked to the element under test
  std::vector<double> us;

  Way(const std::string& element, GstCaps* caps) {
    pipeline = launch(element + " ! fakesink sync=false async=false");
    GstPad* sink = gst_bin_find_unlinked_pad(GST_BIN(pipeline), GST_PAD_SINK);
    GstPad* ghost = gst_ghost_pad_new("sink", sink);
    gst_pad_set_active(ghost, TRUE);
    gst_element_add_pad(pipeline, ghost);
    in = gst_pad_new("src", GST_PAD_SRC);
    gst_pad_set_active(in, TRUE);
    gst_pad_link(in, ghost);
    gst_object_unref(sink);
    reach(pipeline, GST_STATE_PLAYING);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(in, gst_event_new_stream_start("bench"));
    gst_pad_push_event(in, gst_event_new_caps(caps));
    gst_pad_push_event(in, gst_event_new_segment(&segment));
  }
  void push(GstBuffer* buffer) {
    const auto start = Clock::now();
    gst_pad_push(in, buffer);
    us.push_back(Microseconds(Clock::now() - start).count());
  }
};

GstBuffer* next_frame(GstBufferPool* pool, GstClockTime pts, GstClockTime duration) {
  GstBuffer* buffer = nullptr;
  gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = duration;
  return buffer;
}

GstBufferPool* pool_of(GstCaps* caps) {
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  GstBufferPool* pool = gst_video_buffer_pool_new();
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, info.size, 8, 0);
  gst_buffer_pool_set_config(pool, config);
  gst_buffer_pool_set_active(pool, TRUE);
  return pool;
}

void wait_until(GstClock* clock, GstClockTime time) {
  GstClockID id = gst_clock_new_single_shot_id(clock, time);
  gst_clock_id_wait(id, nullptr);
  gst_clock_id_unref(id);
}

// A file that is read as fast as the model can: its windows always wait.
GstElement* keep_model_busy() {
  GstElement* pipeline =
      launch("videotestsrc pattern=ball ! video/x-raw,width=160,height=120,framerate=4/1 ! " +
             busy_filter("overload-policy=block") + " ! fakesink sync=false");
  reach(pipeline, GST_STATE_PLAYING);
  return pipeline;
}

int added() {
  const std::string description = "video/x-raw,format=I420,width=" + options["--width"] +
                                  ",height=" + options["--height"] +
                                  ",framerate=" + options["--fps"] + "/1";
  GstCaps* caps = gst_caps_from_string(description.c_str());
  Way plain("identity", caps), watched(busy_filter(), caps);
  GstElement* busy = keep_model_busy();
  GstElement* v = gst_bin_get_by_name(GST_BIN(busy), "v");
  const auto worked_from = Clock::now();
  GstBufferPool* pool = pool_of(caps);
  GstClock* clock = gst_system_clock_obtain();
  const GstClockTime frame = GST_SECOND / number("--fps"), start = gst_clock_get_time(clock);
  const int n = number("--seconds") * number("--fps");
  for (int i = 0; i < n; ++i) {
    wait_until(clock, start + i * frame);
    Way* const order[] = {i % 2 ? &plain : &watched, i % 2 ? &watched : &plain};
    for (Way* way : order) way->push(next_frame(pool, i * frame, frame));
  }
  const double p50[] = {percentile(plain.us, 0.5), percentile(watched.us, 0.5)};
  const double p99[] = {percentile(plain.us, 0.99), percentile(watched.us, 0.99)};
  std::printf("%d buffers of %s, one way after the other, while the model works\n", n,
              description.c_str());
  std::printf("%-12s %10s %10s %10s\n", "us a buffer", "p50", "p99", "max");
  std::printf("%-12s %10.1f %10.1f %10.1f\n", "identity", p50[0], p99[0], percentile(plain.us, 1));
  std::printf("%-12s %10.1f %10.1f %10.1f\n", "vidifilter", p50[1], p99[1],
              percentile(watched.us, 1));
  std::printf("%-12s %10.1f %10.1f\n", "added", p50[1] - p50[0], p99[1] - p99[0]);
  const double wall = std::chrono::duration<double>(Clock::now() - worked_from).count();
  const guint64 windows = stat(v, "windows-completed");
  std::printf("the model worked %.0f %% of the time: %" G_GUINT64_FORMAT
              " windows of 8 questions\n",
              100 * windows * stat(v, "inference-time-avg") / 1e9 / wall, windows);
  gst_element_set_state(busy, GST_STATE_NULL);
  gst_element_set_state(watched.pipeline, GST_STATE_NULL);
  gst_element_set_state(plain.pipeline, GST_STATE_NULL);
  return 0;
}

// ---- stop ----

int stop() {
  std::vector<double> us;
  for (int i = 0; i < number("--times"); ++i) {
    GstElement* pipeline =
        launch("videotestsrc pattern=ball ! video/x-raw,width=320,height=240 ! " +
               busy_filter("overload-policy=block") + " ! fakesink sync=false");
    reach(pipeline, GST_STATE_PLAYING);
    GstElement* v = gst_bin_get_by_name(GST_BIN(pipeline), "v");
    GstBus* bus = gst_element_get_bus(pipeline);
    // The second window is in work as soon as the first has been told.
    while (GstMessage* m = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, GST_MESSAGE_ELEMENT)) {
      const bool analysed = gst_structure_has_name(gst_message_get_structure(m), "vidi/window");
      gst_message_unref(m);
      if (analysed) break;
    }
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    const auto start = Clock::now();
    gst_element_set_state(pipeline, GST_STATE_READY);
    us.push_back(Microseconds(Clock::now() - start).count());
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(v);
    gst_object_unref(pipeline);
  }
  std::printf("PAUSED->READY while the model works, %zu times: median %.1f ms, longest %.1f ms\n",
              us.size(), percentile(us, 0.5) / 1000, percentile(us, 1) / 1000);
  return 0;
}

// ---- memory ----

double resident_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

int memory() {
  GstElement* pipeline = launch(
      "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 "
      "! " +
      busy_filter("window-duration=10000000000 window-stride=5000000000") +
      " ! fakesink audiotestsrc is-live=true samplesperbuffer=1024 ! audio/x-raw,rate=48000 ! "
      "v.audio_sink "
      "v.audio_src ! fakesink  v.json_src ! fakesink async=false  v.text_src ! fakesink "
      "async=false");
  reach(pipeline, GST_STATE_PLAYING);
  GstElement* v = gst_bin_get_by_name(GST_BIN(pipeline), "v");
  GstClock* clock = gst_system_clock_obtain();
  GstBus* bus = gst_element_get_bus(pipeline);
  const GstClockTime start = gst_clock_get_time(clock);
  for (int minute = 1; minute <= number("--minutes"); ++minute) {
    wait_until(clock, start + minute * 60 * GST_SECOND);
    while (GstMessage* m = gst_bus_pop(bus)) gst_message_unref(m);
    std::printf("minute %d: %.1f MB resident, %" G_GUINT64_FORMAT
                " windows analysed, %" G_GUINT64_FORMAT " dropped, %.1f MB of samples kept\n",
                minute, resident_mb(), stat(v, "windows-completed"), stat(v, "windows-dropped"),
                stat(v, "sample-memory") / 1e6);
    std::fflush(stdout);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return 0;
}

// ---- inspect ----

double seconds_of(const std::string& command) {
  const auto start = Clock::now();
  if (std::system(command.c_str()) != 0) std::exit(1);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int inspect() {
  std::vector<double> ours, theirs;
  for (int i = 0; i < 20; ++i) {
    ours.push_back(seconds_of("gst-inspect-1.0 vidifilter > /dev/null"));
    theirs.push_back(seconds_of("gst-inspect-1.0 identity > /dev/null"));
  }
  std::printf("gst-inspect-1.0 vidifilter: median %.3f s; identity: %.3f s\n",
              percentile(ours, 0.5), percentile(theirs, 0.5));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  setenv("GST_PLUGIN_PATH", VIDI_PLUGIN_FOLDER, 0);
  gst_init(&argc, &argv);
  const auto words = vidi::read_options(argc, argv, kUsage, options, 1);
  const std::string what = words.empty() ? "" : words[0];
  if (what == "added") return added();
  if (what == "stop") return stop();
  if (what == "memory") return memory();
  if (what == "inspect") return inspect();
  vidi::refuse_options(kUsage, "expected added, stop, memory or inspect");
}
