// The element's own thread between its pads and the model: copies and converts sampled pictures,
// builds windows, waits for their sound, hands them over. The streaming threads only leave items
// here.
//
// All public functions are thread-safe. frame() may block for as long as copying one picture takes,
// drain() until every window is handed over; interrupt() wakes both.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "gst/media/audio_track.h"
#include "gst/media/passing_picture.h"
#include "gst/media/stream_origin.h"
#include "gst/windows/frame_sampler.h"
#include "gst/windows/window_builder.h"

namespace vidi {

class WindowFeed {
 public:
  // Called on the feed's thread with no lock held.
  struct Callbacks {
    std::function<int()> picture_side;  // asked once, before the first picture is converted
    std::function<void(const std::shared_ptr<const SampledFrame>&)> sampled;  // a new picture
    // Sound of the earliest open window, before that is complete.
    std::function<void(const std::shared_ptr<const SoundChunk>&)> sound;
    // The earliest open window has more pictures; its length is known.
    std::function<void(std::shared_ptr<const OpenWindow>)> open_window;
    std::function<void(std::shared_ptr<AnalysisWindow>)> submit;
    std::function<void(std::shared_ptr<AnalysisWindow>)> too_small;  // see WindowBuilder
    std::function<void()> sound_stopped;  // a live window had to do without it; may come often
    std::function<void(const std::string&)> warn;
  };
  explicit WindowFeed(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}
  ~WindowFeed() { stop(); }

  void start(const SamplingShape& shape);
  void stop();  // interrupts, and returns when the thread has ended; everything is forgotten

  void set_origin(std::shared_ptr<const StreamOrigin> origin);  // for the windows that follow
  void reshape(const SamplingShape& shape);
  // Whether windows have sound at all, how long a full window waits for it (kForever: until it is
  // there, as with a file), and how far it may be ahead of the pictures before these are taken to
  // stand still.
  struct SoundShape {
    bool present = false;
    Time wait = kForever, lead = kForever;
  };
  void set_audio(const SoundShape& shape);

  // A frame passes. `take` is called, with the lock, when it is to be copied; what it gives is held
  // only until then. `utc` since 1970. For `reach` and `lead` see FrameSampler.
  void frame(const TakePassing& take, Time pts, Time reach, std::optional<Time> utc,
             Time lead = Time(0));
  void skip(Time pts);  // one that the decoder left out
  // No frame comes before `now`, or one that is late by `lag` at most.
  void advance(Time now, Time lag);
  // The current window ends here; the next frame starts a new grid, at `next_start` if it is known.
  void close(Time end, Time next_start = kForever);
  // The stream's end: closes, lets the sound come for at most `audio_wait` more, returns when all
  // windows are handed over; false when interrupted.
  bool drain(Time end, Time audio_wait);
  // Of a file one stream may run far ahead of the other: queues are bounded in bytes, and at a low
  // bitrate these are many minutes. Whoever is ahead waits here, as long as the other goes on by
  // itself; it may be that it cannot, when one thread feeds both.
  // The pictures, while those of some complete windows wait for their sound:
  void wait_for_sound();
  // The sound, of this running time, while it is more than a minute ahead of the last picture:
  void wait_for_pictures(Time running_time);
  void hold_pictures(bool held);  // the model holds them up: they have not come to an end
  // The track has more. Windows may end at that, when the pictures stand; never blocks.
  void audio_changed();
  // Until all that was told is with the windows that it belongs to, or interrupt().
  void wait_until_handled();
  AudioTrack& audio() { return audio_; }
  const AudioTrack& audio() const { return audio_; }

  // Flush: forgets frames, windows and items; every wait returns. Windows from now on carry
  // `epoch`. Nothing is taken until resume().
  void interrupt(uint64_t epoch);
  void resume();

  // What open and waiting windows keep of [start, stop), for a question; null when that is not two
  // frames. Also from inside the callbacks.
  std::shared_ptr<AnalysisWindow> snapshot(Time start, Time stop);

  uint64_t n_sampled() const { return n_sampled_; }
  size_t n_bytes() const { return n_bytes_; }

 private:
  // More than demuxers interleave, and 4 MB.
  static constexpr Time kSoundAhead = std::chrono::minutes(1);
  // The pictures wait for the sound from here on, if that comes at all.
  static constexpr size_t kManyWaitingWindows = 2;

  using Clock = WindowBuilder::Clock;
  struct FeedItem {                           // what a streaming thread leaves, in order
    std::unique_ptr<PassingPicture> picture;  // to be copied
    Time pts{};
    std::optional<Time> utc;
    SamplerStep step;
    std::shared_ptr<const StreamOrigin> origin;
    // The earliest window that is open behind this item: its start, and what it will be.
    std::optional<Time> open_from;
    Time next_from{};                           // where the window behind that starts
    uint64_t open_index = 0, open_targets = 0;  // 0 targets: not known
  };
  struct Candidate {  // a copied frame, and what became of it
    Time pts{};
    std::optional<Time> utc;
    std::unique_ptr<GrabbedPicture> picture;
    std::shared_ptr<const SampledFrame> frame;
  };
  struct GivesBack {  // the picture of an item, when it goes out of scope
    WindowFeed& feed;
    FeedItem& item;
    ~GivesBack();
  };
  struct FeedTask {  // run on the thread, behind the items that were there before it
    uint64_t n_before = 0;
    std::function<void()> run;
  };
  using Lock = std::unique_lock<std::mutex>;

  std::shared_ptr<AnalysisWindow> kept_of(Time start, Time stop);
  void run();
  void wait_for_news(Lock& lock);
  std::deque<FeedTask> take_tasks();
  void post(FeedItem item, Lock& lock);
  void post(SamplerStep step, Lock& lock);
  std::optional<Time> sound_position() const;
  void pictures_came(Time pts);
  void drop_items();
  void handle(FeedItem& item);
  void tell_open_window(const FeedItem& item);
  void tell_sound(const FeedItem& item);
  void grab(FeedItem& item);
  std::shared_ptr<const SampledFrame> picked(Time pts);
  std::shared_ptr<const SampledFrame> convert(Candidate& candidate);
  void close_window(const ClosedRange& range, const FeedItem& item);
  std::optional<WindowBuilder::AudioRange> audio_range(Time start, Time stop,
                                                       const StreamOrigin* origin) const;
  void wait_no_longer();
  void hand_over();
  void check_sound(const AnalysisWindow& window);
  void forget_old_audio(const FeedItem& item);
  void forget_everything();

  const Callbacks callbacks_;
  AudioTrack audio_;

  std::mutex mutex_;  // guards what follows, down to the thread's own
  std::condition_variable changed_;
  std::thread thread_;
  std::thread::id own_thread_;
  FrameSampler sampler_{SamplingShape{}};
  SamplingShape shape_;
  std::deque<FeedItem> items_;
  std::deque<FeedTask> tasks_;
  uint64_t n_posted_ = 0, n_handled_ = 0;  // items; dropped ones count as handled
  std::shared_ptr<const StreamOrigin> origin_;
  size_t n_passing_ = 0;  // pictures that items hold
  uint64_t epoch_ = 0;
  uint64_t news_ = 0, seen_news_ = 0;  // sound or a deadline came; the thread has looked
  uint64_t n_sounds_ = 0;              // pieces of sound that came
  bool running_ = false, stopping_ = false, interrupted_ = false, busy_ = false;
  size_t n_windows_wait_ = 0;         // for their sound
  size_t n_in_vain_ = 0;              // so many waited when the sound did not go on
  std::optional<Time> last_picture_;  // PTS up to which they came; empty: none did, or none will
  Time sound_ahead_ = kSoundAhead;    // of it, at most
  bool sound_waits_ = false, pictures_are_held_ = false;
  SoundShape sound_;
  std::optional<Clock::time_point> drain_deadline_;

  // The thread's own.
  WindowBuilder builder_{audio_};
  Candidate now_, before_;
  uint64_t built_epoch_ = 0;
  int side_ = 0;
  std::shared_ptr<const StreamOrigin> last_origin_;
  std::atomic<uint64_t> n_sampled_{0};
  std::atomic<size_t> n_bytes_{0};
};

}  // namespace vidi
