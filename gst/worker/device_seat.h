// An element's place at the model of one device: what is done for it there. The model's worker
// comes here, and all that it wants is done by the element's ModelClient, whose lock guards all but
// what is constant while it is attached, and `lookahead`, which has a lock of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gst/worker/analysis.h"
#include "gst/worker/lookahead.h"
#include "gst/worker/shared_model.h"

namespace vidi {

class DeviceSeat;
class ModelClient;

// A question about windows that are encoded, kept or still to come.
struct Request {
  std::shared_ptr<const AskPlan> plan;
  Time start{}, stop{};                    // about the kept windows that overlap this
  std::shared_ptr<AnalysisWindow> window;  // or about this one, which is to be encoded first
  std::shared_ptr<Cancel> cancel;
  const DeviceSeat* seat = nullptr;    // that has its windows; null: not known yet
  std::vector<Analysis> encoded = {};  // the kept windows that are still to be asked about
  bool is_asked = false;               // one of them
};

class DeviceSeat final : public WorkSource {
 public:
  DeviceSeat(ModelClient& client, std::string device, std::shared_ptr<SharedModel> its_model)
      : model(std::move(its_model)), device(std::move(device)), client_(client) {}

  void on_progress(double fraction) override;
  void on_ready(const ModelInfo& info) override;
  void on_failed(const Error& error) override;
  void on_unloaded(const Error* why) override;
  void on_loading() override;
  Offer offer() override;
  bool work(Schedule::Kind kind, const Desk& desk) override;
  void answered(bool is_request, Result<Analysis> analysis) override;
  void drop_next() override;
  void must_wait() override;
  SharedPictures lend_pictures(Session& session, size_t most) override {
    return lookahead.lend(session, most);
  }
  void take_back(Session& session, const SharedPictures& lent) override;
  bool free_ahead() override { return lookahead.free_room(); }

  bool is_out() const { return why_out.has_value(); }
  bool is_busy() const { return in_work || request; }
  // Likewise for other elements.
  bool is_engaged() const { return is_busy() || model->is_wanted_but_for(this); }

  const std::shared_ptr<SharedModel> model;
  Lookahead lookahead;
  std::string device;  // as it was named, then as the model says
  ModelState state = ModelState::kLoading;
  bool has_settled = false;      // it was loaded once, or failed to be
  std::optional<Error> why_out;  // it does nothing more: it could not be loaded, or failed later
  ModelInfo info;
  double progress = 0;
  std::shared_ptr<const AnalysisWindow> in_work;
  std::optional<Request> request;                 // in work
  bool offers_window = false;                     // its model counts that in its backlog
  std::chrono::steady_clock::time_point began{};  // in_work
  bool is_warm = false;  // it has answered: the first window takes longer than the others
  Time took{};           // a window, from `began` until it was answered, smoothed; 0: not known
  uint64_t n_completed = 0, n_failed = 0;
  int failures_in_a_row = 0;

 private:
  ModelClient& client_;
};

}  // namespace vidi
