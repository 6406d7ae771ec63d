// A whole vidifilter under the test's hands. GstHarness would not do: it plays an element as soon
// as it has it and always answers that it is live, and this one has two inputs.
//
//   Rig rig({.properties = "query=cat", .audio = true});
//   rig.play();                    // the model is ready
//   rig.sound(0, 9);               // seconds
//   rig.frames(0, 8);              // one a second
//   rig.wait_structure("vidi/window");
//   rig.end();
//   rig.out().count("buffer");     // what came out behind it
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/element.h"
#include "tests/support/media.h"
#include "tests/support/pads.h"

namespace vidi::test {

inline constexpr char kPicture[] =
    "video/x-raw, format=RGB, width=16, height=16, framerate=10/1, colorimetry=sRGB";
inline constexpr char kMono[] =
    "audio/x-raw, format=S16LE, layout=interleaved, rate=16000, channels=1";

// The properties of windows of this length, side by side unless a stride is given.
std::string windows_of(double duration_s, double stride_s = 0);

struct RigOptions {
  std::string properties = "query=cat";  // of the element, as in a launch line
  std::string windows = windows_of(4);
  bool audio = false, live = false;
  std::string video_caps = kPicture, audio_caps = kMono;
  std::string out = "";   // the pipeline behind v.src; "": the test takes what comes, out()
  std::string tail = "";  // more of the pipeline, e.g. side pads
};

class Rig : public Pipeline {
 public:
  explicit Rig(const RigOptions& options = {});
  ~Rig();
  void add_audio();                        // the audio pads, when they were not asked for
  Outlet& record(const std::string& pad);  // requests a side pad and listens to it
  Outlet& out() { return *out_; }
  Outlet& audio_out() { return *audio_out_; }

  bool to(GstState state);  // at once, as all of this element's changes: never ASYNC
  void start();             // to PLAYING, then the beginning of each stream
  void play();              // likewise, and waits until the model is ready
  // Waits until EOS has left on every pad that is linked; false after kLimit or an ERROR.
  bool wait_end();
  void end();  // EOS on what there is, and wait_end()
  // Runs `body` on a thread; the test fails when that takes longer than kLimit, and the pipeline is
  // stopped so that it ends.
  void within_limit(const std::function<void()>& body);

  // A solid frame of 100 ms.
  GstFlowReturn frame(GstClockTime pts, uint32_t colour = 0);
  // Frames first to last, one a second, each of the colour colour_of(k).
  GstFlowReturn frames(int first, int last);
  // Frames at 10 a second in [from, to), each of the colour colour_at(pts).
  GstFlowReturn film(GstClockTime from, GstClockTime to);
  // The sound of [from, to), in buffers of a tenth of a second; see sample_at().
  void sound(double from_s, double to_s);

  void set(const std::string& property, const std::string& value);
  guint64 stat(const char* name) const;  // a number of the property `stats`
  std::string model_state() const;       // nick
  std::string ask(const char* query, guint64 start = GST_CLOCK_TIME_NONE,
                  guint64 stop = GST_CLOCK_TIME_NONE);

  Feeder video;
  std::unique_ptr<Feeder> audio;

 private:
  const RigOptions options_;
  std::unique_ptr<Outlet> out_, audio_out_;
  std::vector<std::unique_ptr<Outlet>> side_;
};

}  // namespace vidi::test
