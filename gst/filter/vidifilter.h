// The element: pads and states on one side, the window feed and the model client on the other.
//
// The chain functions in vidifilter.cpp tell the story. Nothing here computes: pictures are copied
// and converted by WindowFeed's thread, answers come from ModelClient's. GObject boilerplate, pads
// and properties: vidifilter_class.cpp.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "gst/filter/flushes.h"
#include "gst/filter/idle_audio.h"
#include "gst/filter/late_end.h"
#include "gst/filter/live_settings.h"
#include "gst/filter/model_status.h"
#include "gst/filter/notices.h"
#include "gst/filter/opened_engine.h"
#include "gst/filter/requests.h"
#include "gst/filter/side_pads.h"
#include "gst/filter/stream_start.h"
#include "gst/media/audio_input.h"
#include "gst/media/cuda_context.h"
#include "gst/media/orientation_tags.h"
#include "gst/media/picture.h"
#include "gst/results/delivery.h"
#include "gst/results/reporter.h"
#include "gst/windows/frame_times.h"
#include "gst/windows/window_feed.h"
#include "gst/worker/model_client.h"

#define GST_TYPE_VIDI_FILTER (gst_vidi_filter_get_type())
G_BEGIN_DECLS
G_DECLARE_FINAL_TYPE(GstVidiFilter, gst_vidi_filter, GST, VIDI_FILTER, GstElement)
G_END_DECLS

namespace vidi {

class Filter final : public Listener {
 public:
  explicit Filter(GstElement* element);
  ~Filter() override;

  // ---- The video pad; with its stream lock, but for flushes and queries ----
  GstFlowReturn video_chain(GstBuffer* buffer);
  gboolean video_event(GstEvent* event);
  bool answer_decoder(GstQuery* query);  // see sampling_query.h; false: another query
  bool offer_context(GstQuery* query);   // a CONTEXT query that no neighbour answers

  // ---- The audio pad ----
  GstFlowReturn audio_chain(GstPad* pad, GstBuffer* buffer);
  gboolean audio_event(GstPad* pad, GstEvent* event);

  // ---- States; errors are posted before FAILURE is returned ----
  bool open();           // NULL->READY: the engine library
  bool begin();          // READY->PAUSED: the model begins to load
  void interrupt_all();  // PAUSED->READY, before the pads are deactivated
  void end();            // and after it
  void close();          // READY->NULL

  // ---- Application's threads ----
  bool set_property(guint id, const GValue* value, std::string* error);
  bool get_property(guint id, GValue* value);
  Requests& requests() { return requests_; }
  void analyze_now();
  GstPad* request_pad(GstPadTemplate* templ);
  void release_pad(GstPad* pad);
  // The pad that data of `pad` goes to or comes from; null for side pads. The caller owns a
  // reference.
  GstPad* partner_of(GstPad* pad) const;
  void take_context(GstContext* context);

  // ---- Listener: the model's thread ----
  void model_progress(double fraction) override;
  void model_ready(const ModelInfo& info) override;
  void model_failed(const Error& error) override;
  void window_analysed(const Analysis& analysis) override { reporter_.report(analysis); }
  void window_dropped(const AnalysisWindow& window, DropReason reason,
                      const std::string& error) override;
  void window_failed(const AnalysisWindow& window, const Error& error, int in_a_row) override;
  void question_refused(const Question& question, const std::string& why) override;
  void request_answered(const Analysis& analysis) override { reporter_.report_answer(analysis); }
  void request_failed(const std::string& id, const std::string& why) override;

 private:
  // What the video pad knows of its stream. Guarded by the pad's stream lock.
  struct VideoStream {
    GstSegment segment;
    guint32 seqnum = GST_SEQNUM_INVALID;  // of its SEGMENT
    std::string stream_id;
    std::optional<guint> group_id;
    std::shared_ptr<PictureReader> reader;  // of its caps; null: they cannot be read
    bool has_segment = false, live_known = false, live = false;
    bool may_lead = true;      // no grid has started: sound may have come before the first picture
    Time lead{};               // how far before its first picture the grid starts
    GstClockTime arrival = 0;  // of the last watched frame, monotonic
    FrameTimes times;
    OrientationTags tags;
  };

  void settings_changed(const Settings& now);

  // Video, step by step.
  void watch(GstBuffer* buffer);
  bool can_be_watched(GstBuffer* buffer);
  std::optional<Time> time_of(GstBuffer* buffer);
  void break_at_jump(Time pts, GstBuffer* buffer);
  HoleSigns signs_before(Time pts, GstBuffer* buffer) const;
  Time pictures_may_lag() const;
  Time lead_before(Time pts) const;
  void wait_for_room();
  void learn_liveness();
  void follow(GstClockTime position);
  void start_stream(GstEvent* event);
  void start_segment(GstEvent* event);
  void take_caps(GstEvent* event);
  void take_tags(GstEvent* event);
  void change_tags(const std::function<void(OrientationTags&)>& change);
  void read_pictures_of(const GstCaps* caps);
  void take_audio_caps(GstEvent* event);
  gboolean pass_audio_segment(GstPad* out, GstEvent* event);
  void pass_gap(GstEvent* event);
  bool end_late(GstEvent* event);
  void end_stream(guint32 seqnum);
  void finish_segment(GstEvent* event);
  Time end_of_stream() const;
  void close_window(Time next_start = kForever);
  void set_origin();
  Time expected_end() const;
  bool sound_is_linked() const;
  void tell_audio();
  void sound_came();
  void flush_stop(guint32 seqnum);

  Counters counters();
  void submit(std::shared_ptr<AnalysisWindow> window);

  GstPad* audio_partner(GstPad* pad) const { return GST_PAD(gst_pad_get_element_private(pad)); }
  GstPad* request_audio(GstPadTemplate* templ);
  static void on_audio_unlinked(GstPad* pad, GstPad* peer, Filter* self);
  void release_audio(GstPad* pad);
  std::optional<StreamStart> under_way() const;

  GstElement* const element_;
  GstPad *sink_ = nullptr, *src_ = nullptr;
  GstPad *audio_sink_ = nullptr, *audio_src_ = nullptr;  // object lock

  LiveSettings settings_;
  Notices notices_;
  OpenedEngine engine_;
  Delivery delivery_;
  ModelStatus status_;
  Reporter reporter_;
  ModelClient client_;
  WindowFeed feed_;
  Requests requests_;
  CudaContext cuda_context_;
  SidePads side_pads_;
  IdleAudio idle_audio_;
  Flushes flushes_;
  AudioInput audio_input_;  // the audio pad's stream lock
  LateEnd late_end_;

  VideoStream video_;
  std::atomic<bool> audio_is_heard_{true};
  std::atomic<bool> sound_may_wait_{false};  // it drives the windows of a file by itself
  std::atomic<bool> too_small_{false};       // a window had too little in it
  std::atomic<uint64_t> n_sound_news_{0};    // buffers and GAPs of the audio pad
  std::atomic<int64_t> seen_end_{-1};        // end of the last watched frame
  std::atomic<uint64_t> n_frames_{0}, n_submitted_{0};
};

}  // namespace vidi
