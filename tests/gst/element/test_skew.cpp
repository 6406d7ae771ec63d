// Pictures and sound of a file that do not keep pace with each other.
#include <gst/gst.h>

#include <atomic>
#include <semaphore>
#include <vector>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

struct Skew : ElementTest {};

// Pictures wait for sound that is slower to decode: every window has all of its sound, and no more
// than a few windows of pictures are kept meanwhile.
TEST_F(Skew, PicturesWaitForSlowSound) {
  constexpr size_t kWindows = 60;
  std::vector<size_t> n_samples;
  scripted::answer_with([&](const Query&, const scripted::SeenWindow& window) {
    n_samples.push_back(window.audio.size());
    return std::string("none");
  });
  // A millisecond for a tenth of a second; the pictures take no time at all.
  Pipeline pipeline(
      "videotestsrc num-buffers=120 ! video/x-raw,width=32,height=32,framerate=1/1 ! "
      "vidifilter name=v model-path=x query=q window-duration=2000000000 "
      "window-stride=2000000000 ! fakesink sync=false  "
      "audiotestsrc num-buffers=1200 samplesperbuffer=1600 ! audio/x-raw,rate=16000,channels=1 ! "
      "identity sleep-time=1000 ! v.audio_sink  v.audio_src ! fakesink sync=false");
  ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING));
  ASSERT_TRUE(pipeline.wait_eos());
  EXPECT_EQ(n_samples, std::vector<size_t>(kWindows, 32000));
  for (GstMessage* warning : pipeline.messages(GST_MESSAGE_WARNING))
    ADD_FAILURE() << complaint_of(warning).text;
}

// Sound waits for pictures that the model holds up: what is kept of it does not grow with the film.
TEST_F(Skew, SoundWaitsForPicturesThatAreHeldUp) {
  // Of 1500 s that there are: a minute, twice that after each second in which no picture came, as
  // on a machine that has no time for their thread.
  constexpr guint64 kMostAhead = 60 << 4;
  std::counting_semaphore<> answers(0);
  scripted::answer_with([&](const Query&, const scripted::SeenWindow&) {
    answers.acquire();
    return std::string("none");
  });
  Rig rig({.audio = true});
  rig.play();
  Background pictures([&] { rig.frames(0, 99); });
  Background sound([&] { rig.sound(0, 1500); });
  const auto heard_s = [&] { return rig.stat("audio-samples") / 16000; };
  for (int window = 0; window < 20; ++window) {
    EXPECT_TRUE(eventually([&] { return heard_s() >= 50; }));
    const guint64 heard = heard_s();
    EXPECT_LE(heard, rig.stat("frames-in") + kMostAhead) << window;
    answers.release();
  }
  answers.release(100);
  EXPECT_TRUE(pictures.ended());
  EXPECT_TRUE(sound.ended());
}

// Sound whose times are far away from those of the pictures: neither waits for the other for long.
// (The last picture stands until the sound ends.)
TEST_F(Skew, TimesThatAreFarApart) {
  Rig rig({.audio = true});
  rig.play();
  Background pictures([&] { rig.frames(0, 19); });
  Background sound([&] { rig.sound(1800, 1820); });
  EXPECT_TRUE(pictures.ended());
  EXPECT_TRUE(sound.ended());
}

// Where no sound comes at all until the pictures are through, they are not held up: whoever feeds
// both may have to get rid of the pictures first.
TEST_F(Skew, PicturesGoOnWithoutSound) {
  Pipeline pipeline(
      "videotestsrc num-buffers=10 ! video/x-raw,width=32,height=32,framerate=1/1 ! "
      "vidifilter name=v model-path=x query=q window-duration=2000000000 "
      "window-stride=2000000000 ! fakesink name=end sync=false signal-handoffs=true  "
      "appsrc name=sound format=time caps=audio/x-raw,format=S16LE,layout=interleaved,rate=16000,"
      "channels=1 ! v.audio_sink  v.audio_src ! fakesink sync=false async=false");
  std::atomic<int> n_passed{0};
  const auto note = +[](GstElement*, GstBuffer*, GstPad*, std::atomic<int>* n) { ++*n; };
  g_signal_connect(pipeline.element("end"), "handoff", G_CALLBACK(note), &n_passed);
  ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_TRUE(eventually([&] { return n_passed == 10; })) << n_passed;
  gboolean ended = FALSE;
  g_signal_emit_by_name(pipeline.element("sound"), "end-of-stream", &ended);
  EXPECT_TRUE(pipeline.wait_eos());
  EXPECT_EQ(pipeline.structures("vidi/window").size(), 5u);
}

}  // namespace
}  // namespace vidi::test
