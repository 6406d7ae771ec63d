// How long a live stream waits for what was seen in a window: from the first buffer behind the
// window's end to the result, with picture and sound in real time.
#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/tools/questions.h"
#include "tests/tools/tool_options.h"

namespace {

constexpr char kUsage[] =
    R"(bench-live [--model DIR] [--device auto] [--precision auto] [--seconds 60] [--stride SECONDS]
                  [--windows 3] [--questions 1] [--max-new-tokens 34]
                  [--width 1920] [--height 1080] [--fps 30]
One line a window: its delay, of which the model's part.
$GST_PLUGIN_PATH as for every pipeline; set here to the build tree when it is not.
)";

vidi::ToolOptions options = {
    {"--model", VIDI_DEMO_CHECKPOINT},
    {"--device", "auto"},
    {"--precision", "auto"},
    {"--seconds", "60"},
    {"--stride", ""},
    {"--windows", "3"},
    {"--questions", "1"},
    {"--width", "1920"},
    {"--height", "1080"},
    {"--max-new-tokens", "34"},
    {"--fps", "30"},
};
int number(const char* name) { return std::stoi(options.at(name)); }
std::string nanoseconds(int seconds) { return std::to_string(seconds) + "000000000"; }

std::string pipeline_text() {
  const int seconds = number("--seconds");
  const int stride = options["--stride"].empty() ? seconds : number("--stride");
  return "videotestsrc is-live=true pattern=ball ! video/x-raw,format=NV12,width=" +
         options["--width"] + ",height=" + options["--height"] + ",framerate=" + options["--fps"] +
         "/1 ! queue ! vidifilter name=v model-load=sync model-path=\"" + options["--model"] +
         "\" device=" + options["--device"] + " precision=" + options["--precision"] +
         " max-new-tokens=" + options["--max-new-tokens"] +
         " window-duration=" + nanoseconds(seconds) + " window-stride=" + nanoseconds(stride) +
         " queries=" + question_list(number("--questions")) +
         " ! fakesink async=false audiotestsrc is-live=true samplesperbuffer=1024 ! "
         "audio/x-raw,rate=48000,channels=1 ! queue ! v.audio_sink v.audio_src ! fakesink "
         "async=false";
}

double milliseconds(const GstStructure* window, const char* field) {
  guint64 ns = 0;
  gst_structure_get_uint64(window, field, &ns);
  return static_cast<double>(ns) / 1e6;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench-live: %s\n", why.c_str());
  std::exit(1);
}

// The next window that was analysed; an error of the pipeline ends the program.
GstMessage* next_window(GstBus* bus) {
  const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
  for (;;) {
    GstMessage* message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, wanted);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      give_up(error->message);
    }
    if (gst_structure_has_name(gst_message_get_structure(message), "vidi/window")) return message;
    gst_message_unref(message);
  }
}

void measure(GstBus* bus) {
  std::vector<double> delays;
  for (int i = 0; i < number("--windows"); ++i) {
    GstMessage* message = next_window(bus);
    const GstStructure* window = gst_message_get_structure(message);
    const double delay = milliseconds(window, "delay");
    const double model = milliseconds(window, "inference-time");
    std::printf("window %d: %.0f ms from its end to the result, %.0f ms of the model\n", i + 1,
                delay, model);
    std::fflush(stdout);
    delays.push_back(delay);
    gst_message_unref(message);
  }
  std::sort(delays.begin(), delays.end());
  std::printf("median delay %.0f ms, longest %.0f ms\n", delays[delays.size() / 2], delays.back());
}

}  // namespace

int main(int argc, char** argv) {
  setenv("GST_PLUGIN_PATH", VIDI_PLUGIN_FOLDER, 0);
  gst_init(&argc, &argv);
  vidi::read_options(argc, argv, kUsage, options);
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(pipeline_text().c_str(), &error);
  if (error) give_up(error->message);
  GstBus* bus = gst_element_get_bus(pipeline);
  if (gst_element_set_state(pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    give_up("the pipeline does not start; is the model there?");
  }
  measure(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
  return 0;
}
