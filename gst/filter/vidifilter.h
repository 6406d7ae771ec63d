// The element: its states and properties, what the model's thread tells it, and how its parts are
// wired.
//
// The streams go their ways in VideoPath and AudioPath, whose chain functions tell the story.
// Nothing here computes: pictures are copied and converted by WindowFeed's thread, answers come
// from ModelClient's. GObject boilerplate: vidifilter_class.cpp.
//
// No lock of its own: each part says which lock guards it, and who calls.
#pragma once

#include <gst/gst.h>

#include <memory>
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
#include "gst/filter/video_path.h"
#include "gst/media/cuda_context.h"
#include "gst/media/refused_caps.h"
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

  VideoPath& video() { return video_; }
  AudioPath& audio() { return audio_; }
  Requests& requests() { return requests_; }

  // ---- States; errors are posted before FAILURE is returned ----
  bool open();           // NULL->READY: the engine library
  bool begin();          // READY->PAUSED: the model begins to load
  void interrupt_all();  // PAUSED->READY, before the pads are deactivated
  void end();            // and after it
  void close();          // READY->NULL

  // ---- Application's threads ----
  bool set_property(guint id, const GValue* value, std::string* error);
  bool get_property(guint id, GValue* value);
  GstPad* request_pad(GstPadTemplate* templ);
  void release_pad(GstPad* pad);
  // The pad that data of `pad` goes to or comes from; null for side pads. The caller owns a
  // reference.
  GstPad* partner_of(GstPad* pad) const;
  void take_context(GstContext* context);
  bool offer_context(GstQuery* query);  // a CONTEXT query that no neighbour answers
  // Any thread: a query of a sink pad was answered. Says why, where that ends the stream.
  void explain_refusal(GstPad* sink, GstQuery* query, const TakenCaps& taken);

  // ---- Listener: the model's thread ----
  void model_progress(double fraction) override { notices_.post_loaded(fraction); }
  void model_ready(const ModelInfo& info) override;
  void model_failed(const Error& error) override;
  void model_unloaded(const Error* why) override;
  void model_loading() override;
  void window_analysed(const Analysis& analysis) override { reporter_.report(analysis); }
  void window_gated(const AnalysisWindow& window, const GateReading& reading) override {
    reporter_.report_gated(window, reading);
  }
  void window_dropped(const AnalysisWindow& window, DropReason reason,
                      const std::string& error) override;
  void window_failed(const AnalysisWindow& window, const Error& error, int in_a_row) override;
  void device_left_out(const std::string& device, const Error& why) override;
  void question_refused(const Question& question, const std::string& why) override;
  void request_answered(const Analysis& analysis) override { reporter_.report_answer(analysis); }
  void request_failed(const std::string& id, const std::string& why) override;

 private:
  WindowFeed::Callbacks wire();
  void submit(std::shared_ptr<AnalysisWindow> window);  // the feed's thread
  void settings_changed(const Settings& now);
  Counters counters();

  GstElement* const element_;
  LiveSettings settings_;
  Notices notices_;
  OpenedEngine engine_;

  // A window's way, from its end to its beginning.
  Delivery delivery_;
  PresentHits present_;
  Reporter reporter_;
  ModelClient client_;
  WindowTally tally_;
  WindowFeed feed_;

  ModelStatus status_;
  Requests requests_;
  CudaContext cuda_context_;

  SidePads side_pads_;
  IdleAudio idle_audio_;
  Flushes flushes_;
  LateEnd late_end_;
  AudioPath audio_;
  VideoPath video_;
};

}  // namespace vidi
