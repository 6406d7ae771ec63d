// The thread between the pads and the model: what passes, what is kept, who waits for whom.
// Pictures and streams are stand-ins, so that ThreadSanitizer sees all of it (tests/sanitize.sh).
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gst/windows/window_feed.h"

namespace vidi {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kLong = seconds(20);  // only reached when a test fails
constexpr int kSide = 4;

// What the pictures of a test share: how many live, and whether their copying is held up or fails.
struct Camera {
  std::atomic<int> n_passing{0}, n_copied{0};
  std::atomic<bool> throws{false}, refuses{false};

  void hold() {
    std::lock_guard lock(mutex);
    holds = true;
  }
  void release() {
    std::lock_guard lock(mutex);
    holds = false;
    changed.notify_all();
  }
  bool holding() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kLong, [this] { return n_held > 0; });
  }
  void pass() {
    std::unique_lock lock(mutex);
    ++n_held;
    changed.notify_all();
    changed.wait(lock, [this] { return !holds; });
    --n_held;
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool holds = false;
  int n_held = 0;
};

class Copied : public GrabbedPicture {
 public:
  Result<std::shared_ptr<SampledFrame>> finish(int side) override {
    auto frame = std::make_shared<SampledFrame>();
    frame->side = side;
    frame->rgb.resize(static_cast<size_t>(side * side * 3));
    return frame;
  }
};

class Passing : public PassingPicture {
 public:
  explicit Passing(Camera& camera) : camera_(camera) { ++camera_.n_passing; }
  ~Passing() override { --camera_.n_passing; }
  Result<std::unique_ptr<GrabbedPicture>> grab() override {
    camera_.pass();
    if (camera_.throws) throw std::bad_alloc();
    if (camera_.refuses) return Error{ErrorCode::kBadInput, "a broken picture"};
    ++camera_.n_copied;
    return std::unique_ptr<GrabbedPicture>(std::make_unique<Copied>());
  }

 private:
  Camera& camera_;
};

struct Stream : StreamOrigin {  // whose PTS are running times
  std::optional<Time> running_time_at(Time pts) const override { return pts; }
};

class WindowFeedTest : public testing::Test {
 protected:
  WindowFeedTest() {
    feed_.set_origin(std::make_shared<Stream>());
    feed_.start({1, 1, seconds(4), seconds(4)});
    feed_.set_origin(std::make_shared<Stream>());
  }
  ~WindowFeedTest() override {
    camera_.release();
    feed_.stop();
    EXPECT_EQ(camera_.n_passing, 0);
  }

  void frame(int at_s) {
    const auto take = [this] { return std::make_unique<Passing>(camera_); };
    feed_.frame(take, seconds(at_s), seconds(1), std::nullopt);
  }
  void frames(int from_s, int to_s) {
    for (int i = from_s; i < to_s; ++i) frame(i);
  }
  void sound(int from_s, int to_s) {
    const std::vector<float> samples(static_cast<size_t>(to_s - from_s) * kAudioRate, 0.5f);
    feed_.audio().append(int64_t{from_s} * kAudioRate, samples.data(),
                         static_cast<int64_t>(samples.size()));
    feed_.audio_changed();
  }
  void has_sound(Time wait = kForever) { feed_.set_audio({true, wait, kForever}); }
  std::vector<std::shared_ptr<AnalysisWindow>> take_windows() {
    std::lock_guard lock(mutex_);
    return std::exchange(windows_, {});
  }
  size_t n_warnings() {
    std::lock_guard lock(mutex_);
    return warnings_.size();
  }
  void note_window(std::shared_ptr<AnalysisWindow> window) {
    if (on_window) on_window(*window);
    std::lock_guard lock(mutex_);
    windows_.push_back(std::move(window));
  }
  WindowFeed::Callbacks callbacks() {
    WindowFeed::Callbacks c;
    c.picture_side = [] { return kSide; };
    c.sampled = [this](const auto&) { ++n_sampled_; };
    c.sound = [](const auto&) {};
    c.open_window = [this](const auto&) { ++n_open_windows_; };
    c.submit = [this](auto window) { note_window(std::move(window)); };
    c.too_small = [this](auto) { ++n_too_small_; };
    c.sound_stopped = [] {};
    c.warn = [this](const std::string& text) {
      std::lock_guard lock(mutex_);
      warnings_.push_back(text);
    };
    return c;
  }

  Camera camera_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<AnalysisWindow>> windows_;
  std::vector<std::string> warnings_;
  std::function<void(const AnalysisWindow&)> on_window;  // on the feed's thread
  std::atomic<int> n_sampled_{0}, n_open_windows_{0}, n_too_small_{0};
  WindowFeed feed_{callbacks()};
};

// Every window gets its pictures, at the model's size, the last one what there is at the end.
TEST_F(WindowFeedTest, CutsWindows) {
  frames(0, 10);
  EXPECT_TRUE(feed_.drain(seconds(10), Time(0)));
  const auto windows = take_windows();
  ASSERT_EQ(windows.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(windows[i]->index, i);
    EXPECT_EQ(windows[i]->start, seconds(4 * i));
    EXPECT_EQ(windows[i]->frames.size(), i < 2 ? 4u : 2u);
    EXPECT_EQ(windows[i]->frames[1]->pts, seconds(4 * i + 1));
    EXPECT_EQ(windows[i]->frames[1]->rgb.size(), size_t{kSide * kSide * 3});
  }
  EXPECT_TRUE(windows[2]->partial);
  EXPECT_EQ(n_sampled_, 10);
  EXPECT_GT(n_open_windows_, 0);
}

// While one picture is copied a few others wait, and then the stream does; none is held for long.
TEST_F(WindowFeedTest, ASlowCopyHoldsFewPictures) {
  camera_.hold();
  std::thread stream([this] { frames(0, 20); });
  ASSERT_TRUE(camera_.holding());
  EXPECT_LE(camera_.n_passing, 6);
  camera_.release();
  stream.join();
  feed_.wait_until_handled();
  EXPECT_EQ(camera_.n_passing, 0);
  EXPECT_EQ(camera_.n_copied, 20);
}

// A picture that cannot be copied is a picture less, whatever the reason, and the stream goes on.
TEST_F(WindowFeedTest, PicturesThatCannotBeCopied) {
  camera_.throws = true;
  frames(0, 10);
  feed_.wait_until_handled();
  camera_.throws = false;
  camera_.refuses = true;
  frames(10, 20);
  feed_.wait_until_handled();
  camera_.refuses = false;
  frames(20, 28);
  EXPECT_TRUE(feed_.drain(seconds(28), Time(0)));
  EXPECT_EQ(n_warnings(), 20u);
  EXPECT_EQ(camera_.n_copied, 8);
  const auto windows = take_windows();
  ASSERT_GE(windows.size(), 2u);
  EXPECT_EQ(windows.back()->frames.size(), 4u);
}

// A window waits for its sound; where that ends early, what is there will do.
TEST_F(WindowFeedTest, WaitsForTheSound) {
  has_sound();
  frames(0, 9);
  feed_.wait_until_handled();
  EXPECT_TRUE(take_windows().empty());
  sound(0, 5);
  sound(5, 6);
  feed_.audio().end();
  feed_.audio_changed();
  EXPECT_TRUE(feed_.drain(seconds(9), kLong));
  const auto windows = take_windows();
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0]->audio.size(), 1u);
  EXPECT_EQ(windows[1]->audio.size(), 1u);
  EXPECT_EQ(n_too_small_, 1);  // the third has one picture and no sound
}

// A flush ends a drain that waits for sound, forgets what waits, and later windows carry its epoch.
TEST_F(WindowFeedTest, SeekWhileWindowsWait) {
  has_sound();
  frames(0, 9);
  std::thread drain([this] { EXPECT_FALSE(feed_.drain(seconds(9), kLong)); });
  feed_.wait_until_handled();
  feed_.interrupt(7);
  drain.join();
  frame(9);  // late: refused
  feed_.resume();
  feed_.set_audio({});
  frames(100, 104);
  EXPECT_TRUE(feed_.drain(seconds(104), Time(0)));
  const auto windows = take_windows();
  ASSERT_EQ(windows.size(), 1u);
  EXPECT_EQ(windows[0]->start, seconds(100));
  EXPECT_EQ(windows[0]->epoch, 7u);
}

// The end comes while a picture is copied and the stream waits for room: both come back.
TEST_F(WindowFeedTest, StopWhileAPictureIsCopied) {
  camera_.hold();
  std::thread stream([this] { frames(0, 20); });
  ASSERT_TRUE(camera_.holding());
  std::thread stopper([this] { feed_.stop(); });
  stream.join();
  camera_.release();
  stopper.join();
  EXPECT_TRUE(take_windows().empty());
  feed_.start({1, 1, seconds(2), seconds(2)});  // and anew
  frames(0, 2);
  EXPECT_TRUE(feed_.drain(seconds(2), Time(0)));
  EXPECT_EQ(take_windows().size(), 1u);
}

// The sound waits for pictures that are a minute behind, as long as they come; a flush ends that.
TEST_F(WindowFeedTest, TheSoundWaitsForThePictures) {
  feed_.set_audio({true, kForever, seconds(1)});
  frame(0);
  std::atomic<bool> went_on{false};
  std::thread sound([&] {
    feed_.wait_for_pictures(seconds(90));
    went_on = true;
  });
  frame(40);
  sound.join();
  EXPECT_TRUE(went_on);
  std::thread again([&] { feed_.wait_for_pictures(seconds(10'000)); });
  feed_.interrupt(1);
  again.join();
}

// Pictures of an open window can be had for a question, from any thread and from a callback.
TEST_F(WindowFeedTest, Snapshots) {
  frames(0, 3);
  const auto now = feed_.snapshot(seconds(0), seconds(3));
  ASSERT_TRUE(now);
  EXPECT_EQ(now->frames.size(), 3u);
  EXPECT_FALSE(feed_.snapshot(seconds(50), seconds(60)));
  bool asked = false;
  on_window = [&](const AnalysisWindow& window) {
    feed_.snapshot(window.start, window.stop);
    asked = true;
  };
  frames(3, 6);
  feed_.wait_until_handled();
  EXPECT_TRUE(asked);
  feed_.stop();
  EXPECT_FALSE(feed_.snapshot(seconds(0), seconds(3)));
}

// A step back in length or stride holds for windows that have not begun.
TEST_F(WindowFeedTest, Reshapes) {
  frames(0, 2);
  feed_.reshape({1, 1, seconds(2), seconds(2)});
  frames(2, 10);
  EXPECT_TRUE(feed_.drain(seconds(10), Time(0)));
  for (const auto& window : take_windows()) {
    EXPECT_EQ(window->stop - window->start, window->index == 0 ? seconds(4) : seconds(2));
  }
}

// Everybody at once: pictures and ends, sound, seeks, questions, settings, and starts and stops.
TEST_F(WindowFeedTest, EverybodyAtOnce) {
  std::atomic<bool> over{false};
  std::atomic<int> n_frames{0};
  const auto until_over = [&over](auto act) {
    return std::thread([&over, act]() mutable {
      for (int i = 0; !over; ++i) act(i);
    });
  };
  std::vector<std::thread> threads;
  threads.push_back(until_over([&, this](int i) {
    frame(i);
    ++n_frames;
    feed_.wait_for_sound();
    if (i % 7 == 0) feed_.advance(seconds(i), milliseconds(100));
    if (i % 31 == 0) feed_.close(seconds(i));
    if (i % 50 == 0) feed_.set_origin(std::make_shared<Stream>());
    if (i % 40 == 0) feed_.drain(seconds(i), Time(0));  // in the stream's order, like a frame
    n_frames.notify_all();
  }));
  threads.push_back(until_over([this](int i) {
    sound(i, i + 1);
    if (i % 20 == 0) feed_.audio().clear();
  }));
  threads.push_back(until_over([this](int i) { feed_.snapshot(seconds(i), seconds(i + 3)); }));
  threads.push_back(until_over([this](int i) {
    feed_.reshape({1, 1, seconds(1 + i % 5), seconds(1 + i % 3)});
    feed_.set_audio({i % 2 == 0, milliseconds(i % 3), seconds(1)});
    feed_.hold_pictures(i % 2 == 0);
  }));
  for (int round = 0; n_frames < 10000; ++round) {
    for (int before = n_frames; n_frames < before + 3;) n_frames.wait(n_frames);
    feed_.interrupt(static_cast<uint64_t>(round));
    feed_.resume();
    if (round % 20 == 19) feed_.stop(), feed_.start({1, 1, seconds(4), seconds(2)});
  }
  over = true;
  feed_.interrupt(1000);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vidi
