// The sound's way through the element: to the audio track and on.
//
// chain() and event() run on the audio pad's streaming thread, with its stream lock, which guards
// the input; a flush's start comes without it. The element's object lock guards which pads there
// are. What the video's thread asks and tells are atomics: the two may be one thread or two.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>

#include "gst/filter/flushes.h"
#include "gst/filter/idle_audio.h"
#include "gst/filter/late_end.h"
#include "gst/filter/live_settings.h"
#include "gst/filter/notices.h"
#include "gst/filter/video_stream.h"
#include "gst/media/audio_input.h"
#include "gst/windows/window_feed.h"
#include "gst/worker/model_client.h"

namespace vidi {

class AudioPath {
 public:
  AudioPath(GstElement* element, const LiveSettings& settings, Notices& notices, WindowFeed& feed,
            ModelClient& client, Flushes& flushes, IdleAudio& idle, LateEnd& late_end)
      : element_(element),
        settings_(settings),
        notices_(notices),
        feed_(feed),
        client_(client),
        flushes_(flushes),
        idle_(idle),
        late_end_(late_end),
        input_(feed.audio()) {}

  void start();         // READY->PAUSED
  void forget_input();  // PAUSED->READY, when the pads are deactivated

  // ---- The pad's functions ----
  GstFlowReturn chain(GstPad* pad, GstBuffer* buffer);
  gboolean event(GstPad* pad, GstEvent* event);

  // ---- Application's threads ----
  // Null: there is one. The pad behind it is not started.
  GstPad* request(GstPadTemplate* templ);
  void release(GstPad* pad);
  bool owns(GstPad* pad) const { return pad == sink_; }
  GstPad* partner_of(GstPad* pad) const;  // null: of another pair; with the object lock

  // ---- What the video asks and tells, with its stream lock ----
  bool is_linked() const;
  bool is_heard() const { return is_heard_; }  // as far as the video goes
  void hear_beside(const VideoStream& video);
  // The windows of a file whose picture has ended come as fast as its sound is read: it may have to
  // wait for the model.
  void let_wait(bool may_wait) { may_wait_ = may_wait; }

  LateEnd::Sound sound() const;  // LateEnd's thread

 private:
  void take_caps(GstEvent* event);
  gboolean pass_segment(GstPad* out, GstEvent* event);
  void take_gap(GstEvent* event);
  void end();
  void sound_came();
  static GstPad* behind(GstPad* pad) { return GST_PAD(gst_pad_get_element_private(pad)); }
  static void on_unlinked(GstPad* pad, GstPad* peer, AudioPath* self);

  GstElement* const element_;
  const LiveSettings& settings_;
  Notices& notices_;
  WindowFeed& feed_;
  ModelClient& client_;
  Flushes& flushes_;
  IdleAudio& idle_;
  LateEnd& late_end_;

  GstPad *sink_ = nullptr, *src_ = nullptr;  // object lock
  AudioInput input_;                         // the audio pad's stream lock
  std::atomic<bool> is_heard_{true};
  std::atomic<bool> may_wait_{false};  // it drives the windows of a file by itself
  std::atomic<uint64_t> n_news_{0};    // buffers and GAPs of the pad
};

}  // namespace vidi
