// Seconds to decode a file for vidifilter: in one pass, and with vididecode; beside them a pipeline
// that decodes and does nothing else.
#include <gst/gst.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "tests/tools/questions.h"
#include "tests/tools/tool_options.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr char kUsage[] =
    R"(bench-file FILE [--decoders 0] [--rate 1] [--window 0] [--times 3]
       with the scripted engine, which takes no time; --window 0: one window over the file
       bench-file FILE --model DIR [--questions 1] [--max-new-tokens 34] [--device auto]
                  [--precision auto]
       from the file to the hits, with a model that is loaded already, picture and sound
       bench-file --make FILE [--seconds 120] [--width 1920] [--height 1080]
       writes a file to measure with: H.264 at 30 frames and 5 Mbit a second, B-frames, a key
       frame every 250, and AAC
)";

vidi::ToolOptions options = {
    {"--decoders", "0"},    {"--rate", "1"},      {"--window", "0"},          {"--times", "3"},
    {"--make", ""},         {"--seconds", "120"}, {"--width", "1920"},        {"--height", "1080"},
    {"--model", ""},        {"--questions", "1"}, {"--max-new-tokens", "34"}, {"--device", "auto"},
    {"--precision", "auto"}};
std::string file;

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "bench-file: %s\n", text.c_str());
  std::exit(1);
}

void set_rank(guint rank) {
  GstPluginFeature* feature = gst_registry_lookup_feature(gst_registry_get(), "vididecode");
  if (!feature) fail("GStreamer has no element named vididecode");
  gst_plugin_feature_set_rank(feature, rank);
  gst_object_unref(feature);
}

void set_decoders(GstBin*, GstBin*, GstElement* element, gpointer) {
  if (g_str_has_prefix(GST_OBJECT_NAME(element), "vididecode"))
    g_object_set(element, "decoders", static_cast<guint>(std::stoi(options["--decoders"])),
                 nullptr);
}

struct Took {
  double wall_s = 1e9, cpu_s = 1e9;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Plays to the end; ends the program when it cannot.
Took played(const std::string& description) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  if (error) fail(error->message);
  g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(set_decoders), nullptr);
  GstBus* bus = gst_element_get_bus(pipeline);
  const auto begin = Clock::now();
  const double cpu_begin = cpu_seconds();
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const Took took{std::chrono::duration<double>(Clock::now() - begin).count(),
                  cpu_seconds() - cpu_begin};
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, nullptr);
    fail(error->message);
  }
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return took;
}

void make_film() {
  const std::string seconds = options["--seconds"];
  played("videotestsrc pattern=smpte horizontal-speed=7 num-buffers=" +
         std::to_string(30 * std::stoi(seconds)) +
         " ! video/x-raw,format=I420,framerate=30/1,width=" + options["--width"] +
         ",height=" + options["--height"] +
         " ! x264enc speed-preset=veryfast bitrate=5000 bframes=3 "
         "option-string=b-adapt=0:scenecut=0 key-int-max=250 ! "
         "video/x-h264,profile=high ! h264parse ! queue ! mp4mux name=m ! filesink location=\"" +
         options["--make"] + "\" audiotestsrc wave=ticks samplesperbuffer=480 num-buffers=" +
         std::to_string(100 * std::stoi(seconds)) +
         " ! audio/x-raw,rate=48000,channels=2 ! avenc_aac ! queue ! m.");
}

struct Row {
  const char* name;
  std::string description;
  guint rank;
  Took best = {};
};

void print(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    std::printf("%-22s %8.2f s  %8.2f s of cores  %5.2f of the first\n", row.name, row.best.wall_s,
                row.best.cpu_s, row.best.wall_s / rows[0].best.wall_s);
  }
}

void play_in_turns(std::vector<Row>& rows) {  // other programs come and go
  for (int i = std::stoi(options["--times"]); i > 0; --i) {
    for (Row& row : rows) {
      set_rank(row.rank);
      const Took took = played(row.description);
      row.best = {std::min(row.best.wall_s, took.wall_s), std::min(row.best.cpu_s, took.cpu_s)};
    }
  }
  print(rows);
}

std::string watching() {
  const std::string rate = options["--rate"] + (options["--rate"].find('/') < 9 ? "" : "/1");
  return " frame-rate=" + rate + " window-duration=" + options["--window"] +
         (options["--window"] == "0" ? "" : "000000000");
}

// A stream of no pictures that keeps the model loaded; elements with the same folder share it.
GstElement* hold_model(const std::string& model) {
  GError* error = nullptr;
  GstElement* holder = gst_parse_launch(
      ("appsrc ! vidifilter query=none model-load=sync " + model + " ! fakesink").c_str(), &error);
  if (error) fail(error->message);
  if (gst_element_set_state(holder, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
    fail("the model does not load");
  return holder;
}

void measure_hits() {
  const std::string source = "filesrc location=\"" + file + "\" ! decodebin name=d ";
  const std::string model = "model-path=\"" + options["--model"] +
                            "\" device=" + options["--device"] +
                            " precision=" + options["--precision"];
  const std::string watched =
      source + "d. ! vidifilter name=v " + model + watching() +
      " max-new-tokens=" + options["--max-new-tokens"] +
      " queries=" + question_list(std::stoi(options["--questions"])) +
      " ! fakesink sync=false d. ! audioconvert ! v.audio_sink v.audio_src ! fakesink "
      "sync=false";
  GstElement* holder = hold_model(model);
  std::vector<Row> rows = {
      {"decodebin ! fakesink", source + "d. ! fakesink sync=false d. ! fakesink sync=false",
       GST_RANK_NONE},
      {"hits, one pass", watched, GST_RANK_NONE},
      {"hits, vididecode", watched, G_MAXINT}};
  play_in_turns(rows);
  gst_element_set_state(holder, GST_STATE_NULL);
  gst_object_unref(holder);
}

void measure() {
  const std::string source = "filesrc location=\"" + file + "\" ! decodebin ! ";
  const std::string watched =
      source + "vidifilter model-path=none query=none" + watching() + " ! fakesink sync=false";
  std::vector<Row> rows = {{"decodebin ! fakesink", source + "fakesink sync=false", GST_RANK_NONE},
                           {"one pass", watched, GST_RANK_NONE},
                           {"vididecode", watched, G_MAXINT}};
  play_in_turns(rows);
}

void read_arguments(int argc, char** argv) {
  const auto words = vidi::read_options(argc, argv, kUsage, options, 1);
  if (words.empty() && options["--make"].empty())
    vidi::refuse_options(kUsage, "expected a file, or --make and the file to write");
  if (!words.empty()) file = words[0];
}

}  // namespace

int main(int argc, char** argv) {
  setenv("GST_PLUGIN_PATH", VIDI_PLUGIN_FOLDER, 0);
  read_arguments(argc, argv);
  if (options["--model"].empty()) setenv("VIDI_ENGINE", VIDI_SCRIPTED_ENGINE, 1);
  gst_init(&argc, &argv);
  if (!options["--model"].empty()) {
    measure_hits();
  } else if (options["--make"].empty()) {
    measure();
  } else {
    make_film();
  }
  return 0;
}
