// A whole vidifilter under the test's hands: its pads are fed from the test's own thread, so when
// push() returns, the element has passed the buffer on. What becomes of a window is waited for on
// the bus.
//
//   Rig rig({.properties = "query=cat", .audio = true});
//   rig.play();                    // the model is ready
//   rig.sound(0, 9);               // seconds
//   rig.frames(0, 8);              // one a second
//   rig.pipeline.wait_structure("vidi/window");
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/element.h"

namespace vidi::test {

// Four-second windows side by side.
inline constexpr char kWindows[] = " window-duration=4000000000 window-stride=4000000000 ";
inline constexpr char kPicture[] = "video/x-raw,format=RGB,width=32,height=32,framerate=1/1";
inline constexpr char kMono[] = "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1";

// A source pad that the test pushes into.
class Feeder {
 public:
  // Linked to the pad of this name of `element`, which is requested when it is not there.
  Feeder(GstElement* element, const char* pad, const std::string& caps, bool live = false);
  ~Feeder();
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  // STREAM_START, CAPS and SEGMENT: of time from 0 unless one is given.
  void start(const GstSegment* segment = nullptr);
  GstFlowReturn push(GstBuffer* buffer) { return gst_pad_push(pad_, buffer); }
  bool send(GstEvent* event) { return gst_pad_push_event(pad_, event); }
  bool eos() { return send(gst_event_new_eos()); }
  GstPad* peer() const { return peer_; }
  void unlink() { gst_pad_unlink(pad_, peer_); }

 private:
  GstPad* pad_;
  GstPad* peer_ = nullptr;
  std::string caps_;
};

struct RigOptions {
  std::string properties = "query=cat";  // of the element, beside its windows
  std::string windows = kWindows;
  bool audio = false, live = false;
  std::string audio_caps = kMono;
  std::string out = "fakesink sync=false async=false";  // behind v.src
  std::string tail = "";                                // more of the pipeline, e.g. side pads
};

struct Rig {
  explicit Rig(const RigOptions& options = {});
  // PLAYING, streams started; waits until the model is ready, unless it is told not to.
  void play(bool wait_until_ready = true);
  // Frames first to last, one a second, each of the colour colour_of(k).
  GstFlowReturn frames(int first, int last);
  // The sound of [from, to), in buffers of a tenth of a second; see sample_at().
  void sound(double from_s, double to_s);
  void end();  // EOS on what there is, and waits for the pipeline's
  guint64 stat(const char* field);
  void set(const char* property, const std::string& value);
  std::string ask(const char* query, guint64 start = GST_CLOCK_TIME_NONE,
                  guint64 stop = GST_CLOCK_TIME_NONE);

  Pipeline pipeline;
  Feeder video;
  std::unique_ptr<Feeder> audio;
};

uint32_t colour_of(int k);
// The test sound: no two seconds are alike, and no sample is 0.
int16_t sample_at(int64_t position);
GstBuffer* sound_buffer(int64_t position, int64_t n_samples, GstClockTime pts);
// All samples as sample_at() from `position` on.
void expect_sound(const std::vector<float>& samples, int64_t position, int64_t n_samples);

// Every window that is asked about, as the engine sees it. Answers "none".
using SeenWindows = std::function<std::vector<scripted::SeenWindow>()>;
SeenWindows collect_windows();

// Runs `body` on a thread; the test fails when that takes longer than kLimit, and the pipeline is
// stopped so that it ends.
void within_limit(Pipeline& pipeline, const std::function<void()>& body);

// What passes a pad, in order: "buffer", event types, and the structure names of custom events.
class PadLog {
 public:
  explicit PadLog(GstPad* pad);
  ~PadLog();
  std::vector<std::string> entries() const;
  int count(const std::string& entry) const;
  bool wait_for(const std::string& entry, int n);  // until so many passed; false after kLimit
  // The structures of custom events of this name, in order; owned by this object.
  std::vector<const GstStructure*> structures(const std::string& name) const;
  GstEvent* last(GstEventType type) const;  // borrowed; null when none passed

 private:
  static GstPadProbeReturn on_data(GstPad*, GstPadProbeInfo* info, gpointer self);
  GstPad* pad_;
  gulong probe_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> entries_;
  std::vector<GstEvent*> events_;
};
std::unique_ptr<PadLog> log_of(GstElement* element, const char* pad);

}  // namespace vidi::test
