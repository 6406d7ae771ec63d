// An element's seat at the shared model: its queue of windows, what it asks, what becomes of the
// answers.
//
// submit(), ask() and the waits come from the element's threads; everything marked "worker" runs on
// the model's thread. Thread-safe.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gst/filter/settings.h"
#include "gst/results/delivery.h"
#include "gst/results/highlights.h"
#include "gst/results/hit_merger.h"
#include "gst/worker/analysis.h"
#include "gst/worker/lookahead.h"
#include "gst/worker/shared_model.h"
#include "gst/worker/window_queue.h"

namespace vidi {

// What the link tells its element, with no lock held.
class LinkHost {
 public:
  virtual ~LinkHost() = default;
  virtual void model_progress(double fraction) = 0;
  virtual void model_ready(const ModelInfo& info) = 0;
  virtual void model_failed(const Error& error) = 0;
  // `error`: what failed, or empty.
  virtual void window_dropped(const AnalysisWindow& window, DropReason reason,
                              const std::string& error) = 0;
  // `in_a_row` failures until now, this one included.
  virtual void analysis_failed(const Error& error, int in_a_row) = 0;
  // The model refuses a question of the windows; the others are answered.
  virtual void question_refused(const Question& question, const std::string& why) = 0;
  // The question of `ask` with this id gets no answer.
  virtual void request_failed(const std::string& id, const std::string& why) = 0;
};

class ModelLink final : public ModelClient {
 public:
  ModelLink(LinkHost& host, Delivery& delivery) : host_(host), delivery_(delivery) {}
  ~ModelLink() override { stop(); }

  void start(const Door& door, const Settings& settings);  // the model begins to load
  void stop();  // cancels, and returns when the worker is out; within one token step
  bool wait_until_loaded();
  void set_limits(size_t max_pending, size_t keep_windows);

  void submit(std::shared_ptr<AnalysisWindow> window, OverloadPolicy policy);
  void refuse_small(const AnalysisWindow& window);  // counted and said, never analysed
  // A picture that windows will have, of the current epoch: the model looks at it when it has
  // nothing else to do, so that little is left to do when the window is complete.
  void foresee(const std::shared_ptr<const SampledFrame>& picture);
  void foresee(const std::shared_ptr<const SoundChunk>& sound);
  void filling(std::shared_ptr<const FillingWindow> window);  // likewise: what it has now
  bool wait_for_room(const std::function<bool()>& wanted) { return queue_.wait_for_room(wanted); }
  // EOS: waits for all answers, then closes what a later window might have extended. False when
  // interrupted.
  bool finish();
  // Flush: cancels all windows; those of another epoch are refused from now on.
  void interrupt(uint64_t epoch);
  void resume() { queue_.resume(); }
  void give_up();  // the model is of no use any more: what waits and what comes is dropped
  bool has_given_up() const;

  // Queues a question about the kept windows that overlap [start, stop), or about `window` if that
  // is given; kNothing when nothing of it is kept.
  enum class Asked { kYes, kNothing, kTooMany };
  Asked ask(std::shared_ptr<const AskPlan> plan, Time start, Time stop,
            std::shared_ptr<AnalysisWindow> window);

  bool covers(Time start, Time stop) const;  // by the kept windows, from end to end

  Counters counters() const;

  void on_progress(double fraction) override { host_.model_progress(fraction); }  // worker
  void on_ready(const ModelInfo& info) override;                                  // worker
  void on_failed(const Error& error) override;                                    // worker
  bool work(Session& session) override;                                           // worker
  bool give_room() override;

 private:
  struct Request {
    std::shared_ptr<const AskPlan> plan;
    Time start{}, stop{};                    // about the kept windows that overlap this
    std::shared_ptr<AnalysisWindow> window;  // or about this one, which is to be encoded first
    std::shared_ptr<Cancel> cancel;
    std::vector<Analysis> encoded;  // the kept windows, when its turn comes
  };
  // Null before start() and after stop(); held while it is used, since stop() may come meanwhile.
  std::shared_ptr<SharedModel> model() const;
  void wake();
  bool is_of_use() const;
  std::optional<Request> next_request();
  std::shared_ptr<AnalysisWindow> next_window();
  std::vector<Analysis> kept_of(Time start, Time stop) const;
  bool comes(Time start, Time stop) const;
  void answer(Session& session, Request& request);
  bool send_answer(const Request& request, const Analysis& analysis);
  void answer_failed(const Request& request, const Error& error);
  void analyse(Session& session, const std::shared_ptr<AnalysisWindow>& window);
  void analysed(const Analysis& analysis);
  void tell_refusals(const Analysis& analysis);
  void failed(const AnalysisWindow& window, const Error& error);
  std::vector<Finding> settle(const Analysis& analysis, size_t* n_found);
  void keep(const Analysis& analysis);
  bool forget_others();
  bool find_room(bool own);
  void out_of_memory(const AnalysisWindow& window, const Error& error);
  void count_drops(size_t n, DropReason reason) {
    counters_.dropped[static_cast<size_t>(reason)] += n;
  }
  void count_cancelled(const AnalysisWindow& window);
  void say_dropped(const AnalysisWindow& window, DropReason reason, const std::string& error = "");
  void count_analysis(const Analysis& analysis);

  LinkHost& host_;
  Delivery& delivery_;
  WindowQueue queue_{2};
  Foresight foresight_;

  mutable std::mutex mutex_;
  std::shared_ptr<SharedModel> model_;
  uint64_t epoch_ = 0;
  bool useless_ = false, stopping_ = false;
  size_t keep_windows_ = 1;
  std::deque<Analysis> kept_;
  std::deque<Request> requests_;
  std::shared_ptr<Cancel> request_in_work_;
  std::shared_ptr<const AnalysisWindow> in_work_;
  HitMerger merger_;
  HighlightRanker ranker_;
  Counters counters_;
  Time analysed_until_{};
  int failures_in_a_row_ = 0;
};

}  // namespace vidi
