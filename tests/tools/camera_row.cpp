#include "tests/tools/camera_row.h"

#include <gst/gst.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <stdexcept>

#include "gst/vidi.h"
#include "tests/tools/questions.h"

namespace vidi {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
constexpr size_t kMostErrors = 5;  // that are kept
constexpr int kLead = 1;           // s, until cameras that are in step begin

std::string nanoseconds(int seconds) { return std::to_string(seconds) + "000000000"; }

std::string camera_text(const Row& row, const CameraOptions& o) {
  return "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=" +
         std::to_string(o.width) + ",height=" + std::to_string(o.height) +
         ",framerate=" + std::to_string(o.fps) + "/1 ! queue ! vidifilter name=v " + o.element +
         " max-new-tokens=" + std::to_string(row.answer_tokens) +
         " keep-windows=" + std::to_string(row.keep) +
         " window-duration=" + nanoseconds(row.window) +
         " window-stride=" + nanoseconds(row.stride) + " queries=" + question_list(row.questions) +
         " ! fakesink async=false sync=false audiotestsrc is-live=true samplesperbuffer=1600 ! "
         "audio/x-raw,rate=16000,channels=1 ! queue ! v.audio_sink v.audio_src ! fakesink "
         "async=false sync=false";
}

// Writes down what the pipelines say, from any thread.
class Tally {
 public:
  void count(bool on) {
    std::lock_guard lock(mutex_);
    counting_ = on;
  }
  void hear(GstMessage* message) {
    std::lock_guard lock(mutex_);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) hear_error(message);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT && counting_)
      hear_window(gst_message_get_structure(message), fates_[GST_MESSAGE_SRC(message)]);
  }
  Outcome take() {
    std::lock_guard lock(mutex_);
    std::sort(outcome_.delays.begin(), outcome_.delays.end());
    for (const auto& [camera, fate] : fates_) {
      const double n = std::max(1, fate.n_analysed + fate.n_dropped);
      outcome_.largest_loss = std::max(outcome_.largest_loss, fate.n_dropped / n);
    }
    return outcome_;
  }

 private:
  struct Fate {  // of one camera's windows
    int n_analysed = 0, n_dropped = 0;
  };
  // Counted at any time: a camera that is gone is no camera.
  void hear_error(GstMessage* message) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    ++outcome_.n_errors;
    if (outcome_.errors.size() < kMostErrors) outcome_.errors.push_back(error->message);
    g_error_free(error);
  }
  void hear_window(const GstStructure* said, Fate& fate) {
    if (gst_structure_has_name(said, VIDI_MESSAGE_WINDOW_DROPPED)) {
      const char* reason = gst_structure_get_string(said, VIDI_FIELD_REASON);
      ++outcome_.drops[reason ? reason : "unknown"];
      ++fate.n_dropped;
    } else if (gst_structure_has_name(said, VIDI_MESSAGE_WINDOW)) {
      guint64 delay = 0;
      if (const char* error = gst_structure_get_string(said, VIDI_FIELD_ERROR)) {
        ++outcome_.failures[error];
      } else if (gst_structure_get_uint64(said, VIDI_FIELD_DELAY, &delay)) {
        outcome_.delays.push_back(static_cast<double>(delay) / 1e9);
        ++fate.n_analysed;
      }
    }
  }

  std::mutex mutex_;
  bool counting_ = false;
  Outcome outcome_;
  std::map<const void*, Fate> fates_;  // by element
};

GstBusSyncReply on_message(GstBus*, GstMessage* message, gpointer tally) {
  static_cast<Tally*>(tally)->hear(message);
  gst_message_unref(message);
  return GST_BUS_DROP;
}

// The time that is measured, or until a camera is switched on: nobody is waited for.
void let_pass(Clock::time_point until) {
  std::mutex alone;
  std::unique_lock lock(alone);
  std::condition_variable never;
  never.wait_until(lock, until, [] { return false; });
}

// From the last camera's start until the first windows are over and done with. In step these take
// up to a stride, after which the next ones end.
Seconds until_all_had_one(const Row& row, bool in_step) {
  constexpr double kBeforeTheNext = 0.5;
  return Seconds(in_step ? kLead + row.window + row.stride - kBeforeTheNext : row.window + 1);
}

class Cameras {
 public:
  Cameras(const Row& row, const CameraOptions& options, Tally& tally) : row_(row), o_(options) {
    for (int i = 0; i < row.cameras; ++i) {
      GError* error = nullptr;
      GstElement* pipeline = gst_parse_launch(camera_text(row, options).c_str(), &error);
      if (error) throw std::runtime_error(error->message);
      GstBus* bus = gst_element_get_bus(pipeline);
      gst_bus_set_sync_handler(bus, on_message, &tally, nullptr);
      gst_object_unref(bus);
      pipelines_.push_back(pipeline);
    }
    for (GstElement* pipeline : pipelines_) set(pipeline, GST_STATE_PAUSED);
  }
  ~Cameras() {
    for (GstElement* pipeline : pipelines_) gst_element_set_state(pipeline, GST_STATE_NULL);
    for (GstElement* pipeline : pipelines_) gst_object_unref(pipeline);
  }
  void start() {
    if (o_.in_step)
      start_in_step();
    else
      start_anywhere();
  }

 private:
  static void set(GstElement* pipeline, GstState state) {
    if (gst_element_set_state(pipeline, state) == GST_STATE_CHANGE_FAILURE)
      throw std::runtime_error("a camera does not start; is the model there?");
  }
  // On one clock, and with one beginning of time, which is still to come.
  void start_in_step() {
    GstClock* clock = gst_system_clock_obtain();
    const GstClockTime begin = gst_clock_get_time(clock) + kLead * GST_SECOND;
    for (GstElement* pipeline : pipelines_) {
      gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock);
      gst_element_set_start_time(pipeline, GST_CLOCK_TIME_NONE);
      gst_element_set_base_time(pipeline, begin);
      set(pipeline, GST_STATE_PLAYING);
    }
    gst_object_unref(clock);
  }
  void start_anywhere() {
    std::mt19937 random(o_.seed);
    std::uniform_real_distribution<double> within(0, row_.stride);
    std::vector<double> starts(pipelines_.size());
    for (double& start : starts) start = within(random);
    std::sort(starts.begin(), starts.end());
    const auto begin = Clock::now();
    for (size_t i = 0; i < pipelines_.size(); ++i) {
      let_pass(begin + std::chrono::duration_cast<Clock::duration>(Seconds(starts[i])));
      set(pipelines_[i], GST_STATE_PLAYING);
    }
  }

  const Row row_;
  const CameraOptions o_;
  std::vector<GstElement*> pipelines_;
};

}  // namespace

int64_t sum_of(const std::map<std::string, int64_t>& counts) {
  int64_t n = 0;
  for (const auto& [reason, count] : counts) n += count;
  return n;
}

Outcome run_row(const Row& row, const CameraOptions& options, void (*begin)(), void (*end)()) {
  Tally tally;
  Cameras cameras(row, options, tally);
  cameras.start();
  let_pass(Clock::now() +
           std::chrono::duration_cast<Clock::duration>(until_all_had_one(row, options.in_step)));
  begin();
  tally.count(true);
  let_pass(Clock::now() + std::chrono::seconds(options.seconds));
  tally.count(false);
  end();
  return tally.take();
}

}  // namespace vidi
