// An element's seat at the shared model: its queue of windows, what it asks, what comes of that. No
// GStreamer.
//
// submit(), ask() and the waits come from the element's threads; everything marked "worker" runs on
// the model's thread. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gst/worker/analysis.h"
#include "gst/worker/gate.h"
#include "gst/worker/listener.h"
#include "gst/worker/lookahead.h"
#include "gst/worker/shared_model.h"
#include "gst/worker/window_queue.h"

namespace vidi {

class ModelClient final : public WorkSource {
 public:
  explicit ModelClient(Listener& listener) : listener_(listener) {}
  ~ModelClient() override { stop(); }

  // The model begins to load. After stop() it may start again.
  void start(const EngineApi& api, const ModelKey& key);
  void stop();  // cancels, and returns when the worker is out; within one token step
  bool wait_until_loaded();
  // Windows that may wait, and analysed ones that are kept for questions.
  void set_limits(size_t max_pending, size_t keep_windows);
  void set_gate(const GateSettings& settings) { gate_.set(settings); }  // for the next window

  void submit(std::shared_ptr<AnalysisWindow> window, OverloadPolicy policy);
  void refuse_small(const AnalysisWindow& window);  // counted and said, never analysed
  // A picture that windows will have, of the current epoch: the model looks at it when it has
  // nothing else to do, so that little is left to do when the window is complete.
  void look_ahead(const std::shared_ptr<const SampledFrame>& picture);
  void look_ahead(const std::shared_ptr<const SoundChunk>& sound);
  void set_open_window(std::shared_ptr<const OpenWindow> window);  // likewise: what it has now
  bool wait_for_room(const std::function<bool()>& wanted) { return queue_.wait_for_room(wanted); }
  // EOS: waits until all windows are told of. False when interrupted.
  bool wait_until_idle() { return queue_.wait_until_idle(); }
  // Flush: cancels all windows; those of another epoch are refused from now on.
  void interrupt(uint64_t epoch);
  void resume() { queue_.resume(); }
  void give_up();  // the model is of no use any more: what waits and what comes is dropped
  bool has_given_up() const;

  // Queues a question about the kept windows that overlap [start, stop), or about `window` if that
  // is given; kNothing when nothing of it is kept.
  // kGaveWay: it was kept, and its memory was needed.
  enum class Asked { kYes, kNothing, kGaveWay, kTooMany };
  Asked ask(std::shared_ptr<const AskPlan> plan, Time start, Time stop,
            std::shared_ptr<AnalysisWindow> window);

  bool covers(Time start, Time stop) const;  // by the kept windows, from end to end

  Counters counters() const;

  void on_progress(double fraction) override { listener_.model_progress(fraction); }  // worker
  void on_ready(const ModelInfo& info) override;                                      // worker
  void on_failed(const Error& error) override;                                        // worker
  Offer offer() override;                                                             // worker
  bool work(Schedule::Kind kind, const Desk& desk) override;                          // worker
  void answered(bool is_request, Result<Analysis> analysis) override;                 // worker
  void drop_next() override;                                                          // worker
  void on_unloaded(const Error* why) override;                                        // worker
  void on_loading() override;                                                         // worker
  bool free_ahead() override { return lookahead_.free_room(); }

 private:
  struct Request {
    std::shared_ptr<const AskPlan> plan;
    Time start{}, stop{};                    // about the kept windows that overlap this
    std::shared_ptr<AnalysisWindow> window;  // or about this one, which is to be encoded first
    std::shared_ptr<Cancel> cancel;
    std::vector<Analysis> encoded = {};  // the kept windows that are still to be asked about
    bool is_asked = false;               // one of them
  };
  // Null before start() and after stop(); held while it is used, since stop() may come meanwhile.
  std::shared_ptr<SharedModel> model() const;
  void wake();
  void wake_ahead();
  bool is_of_use() const;
  std::deque<Request>::iterator ready_request();
  std::shared_ptr<AnalysisWindow> next_window();
  bool comes(Time start, Time stop) const;
  bool take_request();
  bool begin_request(const Desk& desk);
  void encode_request(const Desk& desk, std::shared_ptr<const AnalysisWindow> window);
  bool awaits_gate(const std::shared_ptr<const AnalysisWindow>& window) const;
  std::shared_ptr<const AnalysisWindow> window_to_judge() const;
  bool judge_window(const Desk& desk);
  bool take_gated(const std::shared_ptr<const AnalysisWindow>& window,
                  const std::shared_ptr<const AskPlan>& plan);
  void gated(const std::shared_ptr<const AnalysisWindow>& window, const GateReading& reading);
  GateReading reading_of(const AnalysisWindow& window);
  bool begin_window(const Desk& desk);
  void end_request();
  void request_answered(Result<Analysis> analysis);
  void request_failed(const Request& request, const Error& error);
  void window_answered(const AnalysisWindow& window, const Result<Analysis>& analysis);
  void analysed(const Analysis& analysis);
  void keep(const Analysis& analysis);
  void count(const Analysis& analysis);
  void tell_refusals(const Analysis& analysis);
  void cancelled(const AnalysisWindow& window);
  void out_of_memory(const AnalysisWindow& window, const Error& error);
  void failed(const AnalysisWindow& window, const Error& error);
  void tell_dropped(const AnalysisWindow& window, DropReason reason, const std::string& error = "");
  bool find_room();

  Listener& listener_;
  WindowQueue queue_{2};
  Lookahead lookahead_;
  Gate gate_;

  mutable std::mutex mutex_;
  std::shared_ptr<SharedModel> model_;
  uint64_t epoch_ = 0;
  bool useless_ = false, stopping_ = false;
  size_t keep_windows_ = 1;
  std::deque<Request> requests_;
  std::optional<Request> request_in_work_;
  std::shared_ptr<const AnalysisWindow> in_work_;  // with the model, until its results are told
  // The window that the gate has opened for, while it waits for its turn.
  std::weak_ptr<const AnalysisWindow> judged_;
  GateReading reading_;  // of it
  Counters counters_;
  Time analysed_until_{};
  int failures_in_a_row_ = 0;
};

}  // namespace vidi
