// Windows whose questions are being answered together, whoever they are from: a pass of the model
// over all of them at a time. The worker's thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "gst/worker/analysis.h"
#include "gst/worker/schedule.h"
#include "model/session.h"

namespace vidi {

class Answering {
 public:
  // Whose window it is.
  struct Ticket {
    ClientId client = 0;
    bool is_request = false;  // asked afterwards, by `ask`
    bool is_live = false;     // somebody waits: it has a deadline, or is a request
    Moment turn{};            // when it was begun
    Moment deadline = kNoDeadline;
  };
  struct Outcome {
    Ticket ticket;
    Result<Analysis> analysis;
  };

  // `analysis` has a window with its questions, and is encoded. A question that the model refuses
  // costs the others nothing.
  void join(Session& session, const Ticket& ticket, Analysis analysis);
  // One pass; what it ends is among the outcomes. When the device runs out of memory `find_room`
  // may free something (true), else there is less at once from then on. A failure is every
  // window's.
  void pass(Session& session, const std::function<bool()>& find_room, const Cancel& cancel);
  // Those that are cancelled, and those of which `is_here` does not know the client, leave.
  void sweep(const std::function<bool(ClientId)>& is_here);
  std::vector<Outcome> take_outcomes();
  void forget_all();  // before the session goes

  size_t n_windows() const { return jobs_.size(); }
  bool empty() const { return jobs_.empty(); }
  std::vector<ClientId> clients() const;  // one for each window
  UnderWay under_way() const;
  bool has_room() const { return !batch_ || batch_->has_room(); }
  std::vector<std::shared_ptr<Cancel>> cancels() const;

 private:
  struct Job {
    Ticket ticket;
    Analysis analysis;
    std::map<uint64_t, size_t> groups;  // numbers in the batch: place of their first question
    Moment joined{};
    int passes = 0;  // since then
  };
  using Jobs = std::vector<Job>;
  Result<bool> ask_some(Job& job, size_t first, const std::vector<Query>& queries);
  void collect();
  void end(Jobs::iterator job, Result<Analysis> result);
  void fail_all(const Error& error);
  void ran_out(Session& session, const std::function<bool()>& find_room, const Error& error);

  std::unique_ptr<AnswerBatch> batch_;
  Jobs jobs_;
  std::vector<Outcome> outcomes_;
  int usual_passes_ = 16;  // of a window, smoothed
  int n_chances_ = 0;      // that were taken since the last pass that went through
};

}  // namespace vidi
