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

#include "gst/filter/audio_path.h"
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
#include "gst/filter/video_stream.h"
#include "gst/media/cuda_context.h"
#include "gst/results/delivery.h"
#include "gst/results/reporter.h"
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
  AudioPath& audio() { return audio_; }

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
  void settings_changed(const Settings& now);

  // Video, step by step.
  void watch(GstBuffer* buffer);
  bool can_be_watched(GstBuffer* buffer);
  std::optional<Time> time_of(GstBuffer* buffer);
  void break_at_jump(Time pts, GstBuffer* buffer);
  HoleSigns signs_before(Time pts, GstBuffer* buffer) const;
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
  void pass_gap(GstEvent* event);
  bool end_late(GstEvent* event);
  void end_stream(guint32 seqnum);
  void finish_segment(GstEvent* event);
  Time end_of_stream() const;
  void close_window(Time next_start = kForever);
  void set_origin();
  Time expected_end() const;
  void flush_stop(guint32 seqnum);

  Counters counters();
  void submit(std::shared_ptr<AnalysisWindow> window);

  std::optional<StreamStart> under_way() const;

  GstElement* const element_;
  GstPad *sink_ = nullptr, *src_ = nullptr;

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
  LateEnd late_end_;
  AudioPath audio_;

  VideoStream video_;                   // the video pad's stream lock
  std::atomic<bool> too_small_{false};  // a window had too little in it
  std::atomic<int64_t> seen_end_{-1};   // end of the last watched frame
  std::atomic<uint64_t> n_frames_{0}, n_submitted_{0};
};

}  // namespace vidi
