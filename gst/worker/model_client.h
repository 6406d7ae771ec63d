// An element's part in the models that it shares, one on each of its devices: its queue of windows,
// what it asks, what comes of that. No GStreamer.
//
// Windows are begun in their order. A camera's are with its home, the device that has what was made
// ahead of them, and move to another when that has less to do, by more than a stride; a file's are
// with whichever device is free. They are told of in their order. A kept window stays where it was
// encoded, and questions about it go there. A device that cannot be loaded, or fails three times in
// a row, is left out while another is there.
//
// submit(), ask() and the waits come from the element's threads; everything with a DeviceSeat runs
// on the thread of that device's model. Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gst/worker/analysis.h"
#include "gst/worker/device_seat.h"
#include "gst/worker/gate.h"
#include "gst/worker/listener.h"
#include "gst/worker/shared_model.h"
#include "gst/worker/telling.h"
#include "gst/worker/window_queue.h"

namespace vidi {

class ModelClient {
 public:
  explicit ModelClient(Listener& listener) : listener_(listener) {}
  ~ModelClient() { stop(); }

  // The model begins to load. After stop() it may start again.
  void start(const EngineApi& api, const ModelKey& key) { start_on(api, key, {key.device}); }
  // One of `devices` each; a device may be there twice.
  void start_on(const EngineApi& api, const ModelKey& key, const std::vector<std::string>& devices);
  void stop();  // cancels, and returns when the workers are out; within one token step
  bool wait_until_loaded();
  // Windows that may wait, and analysed ones that are kept for questions.
  void set_limits(size_t max_pending, size_t keep_windows);
  void set_gate(const GateSettings& settings) { gate_.set(settings); }  // for the next window
  // From the end of a live window to its deadline, for the next one that is submitted; 0: its
  // stride.
  void set_max_delay(Time max_delay) { max_delay_ = max_delay.count(); }

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

 private:
  friend class DeviceSeat;
  using Seats = std::vector<std::shared_ptr<DeviceSeat>>;
  using Window = std::shared_ptr<const AnalysisWindow>;
  struct Failures {  // of a device, when a window has ended there
    int in_a_row = 0;
    std::string left_out;          // it is, since there were too many; else empty
    std::vector<Request> refused;  // what it was to be asked about went with it
  };

  // What the seats hand on.
  void on_progress(DeviceSeat& seat, double fraction);
  void on_ready(DeviceSeat& seat, const ModelInfo& info);
  void on_failed(DeviceSeat& seat, const Error& error);
  void on_unloaded(DeviceSeat& seat, const Error* why);
  void on_loading(DeviceSeat& seat);
  Offer offer(DeviceSeat& seat);
  bool work(DeviceSeat& seat, Schedule::Kind kind, const Desk& desk);
  void answered(DeviceSeat& seat, bool is_request, Result<Analysis> analysis);
  void drop_next(DeviceSeat& seat);
  void take_back(DeviceSeat& seat, Session& session, const SharedPictures& lent);

  // Devices. Called with the lock, but for seats(), wake(), wake_...() and settle().
  Seats seats() const;  // empty before start() and after stop(), which may come meanwhile
  void wake();          // there is more to do
  void wake_those_with_work();
  std::vector<std::shared_ptr<SharedModel>> with_work();
  void wake_ahead();
  DeviceSeat& home() const { return *seats_[home_]; }
  size_t n_live() const;
  size_t least_wanted() const;
  void set_home(size_t seat);
  void find_home_after(const DeviceSeat& taker, bool is_live);
  bool one_is_free() const;
  bool pays(const DeviceSeat& seat) const;
  void count_time(DeviceSeat& seat);
  bool may_take(const DeviceSeat& seat, const AnalysisWindow& window) const;
  Window next_for(const DeviceSeat& seat) const;
  ModelInfo joint_info() const;
  void settle(std::unique_lock<std::mutex>& lock);
  Failures count_failures(DeviceSeat& seat, const Result<Analysis>& analysis);
  std::vector<Request> leave(DeviceSeat& seat, const Error& error);

  // Questions.
  std::deque<Request>::iterator ready_request(const DeviceSeat& seat);
  void place_requests();
  bool is_kept(Time start, Time stop) const;
  bool gave_way(Time start, Time stop) const;
  bool comes(Time start, Time stop) const;
  bool take_request(DeviceSeat& seat);
  bool begin_request(DeviceSeat& seat, const Desk& desk);
  void encode_request(DeviceSeat& seat, const Desk& desk, Window window);
  void end_request(DeviceSeat& seat);
  void request_answered(DeviceSeat& seat, Result<Analysis> analysis);
  void request_failed(const Request& request, const Error& error);
  std::optional<Request> rest_of_request(DeviceSeat& seat);
  void refuse_rest(DeviceSeat& seat);

  // Windows.
  bool is_of_use() const;
  std::shared_ptr<AnalysisWindow> next_window(DeviceSeat& seat);
  bool awaits_gate(const Window& window) const;
  Window window_to_judge(DeviceSeat& seat);
  bool judge_window(DeviceSeat& seat, const Desk& desk);
  bool take_gated(DeviceSeat& seat, const Window& window,
                  const std::shared_ptr<const AskPlan>& plan);
  void gated(DeviceSeat& seat, const Window& window, const GateReading& reading);
  GateReading reading_of(const AnalysisWindow& window);
  bool begin_window(DeviceSeat& seat, const Desk& desk);
  void begin(const Window& window);
  void end(const AnalysisWindow& window);
  void window_answered(DeviceSeat& seat, const AnalysisWindow& window,
                       const Result<Analysis>& analysis, const Failures& failures);
  void analysed(DeviceSeat& seat, const Analysis& analysis);
  void hold(DeviceSeat& seat, Analysis& analysis);
  void keep(const AnalysisWindow& window);
  bool is_flushed(const AnalysisWindow& window) const;
  void keep_no_more();
  void count(DeviceSeat& seat, const Analysis& analysis);
  void tell_refusals(const Analysis& analysis);
  void cancelled(const AnalysisWindow& window);
  void out_of_memory(const AnalysisWindow& window, const Error& error);
  void failed(DeviceSeat& seat, const AnalysisWindow& window, const Error& error,
              const Failures& failures);
  void tell_dropped(const AnalysisWindow& window, DropReason reason, const std::string& error = "");
  bool find_room(DeviceSeat& seat);

  Listener& listener_;
  WindowQueue queue_{2};
  Gate gate_;
  Telling telling_;

  std::atomic<Time::rep> max_delay_{0};

  mutable std::mutex mutex_;
  Seats seats_;
  size_t home_ = 0;          // the seat of what is made ahead
  bool is_home_new_ = true;  // nothing was made ahead there
  ModelState told_ = ModelState::kLoading;
  bool has_settled_ = false;  // it is known of each device whether it can be used
  uint64_t epoch_ = 0;
  bool useless_ = false, stopping_ = false;
  size_t keep_windows_ = 1;
  std::deque<Time> kept_;  // starts of the last that were kept
  std::deque<Request> requests_;
  std::vector<Window> begun_;  // until they are told of
  // The window that the gate has opened for, while it waits for its turn.
  std::weak_ptr<const AnalysisWindow> judged_;
  GateReading reading_;  // of it
  Counters counters_;
  Time analysed_until_{};
};

}  // namespace vidi
