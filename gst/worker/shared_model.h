// One loaded model, on a device or on several that share its windows, and the thread that works
// with it, for every element of the process that names the same folder, device, precision, memory
// limit, form of weights and keys, and time until they are unloaded. No GStreamer.
//
// The worker thread loads the model, then does one piece of work after the other, in the order of
// the Schedule: a window is seen and encoded, the questions about several are answered together in
// passes, something is made ahead. All calls into the Session are on this thread. The last client
// that leaves ends the thread (loading or not) and frees the model.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gst/worker/answering.h"
#include "gst/worker/kept_windows.h"
#include "gst/worker/model_state.h"
#include "gst/worker/schedule.h"
#include "model/engine_api.h"
#include "model/session.h"

namespace vidi {

// What the memory of a model is planned for. Does not tell models apart: the first element's
// counts.
struct LongestWindow {
  double seconds = 0;                     // 0 = not known
  int64_t frames = 0, shared_frames = 0;  // shared: the next window has them as well
  bool operator==(const LongestWindow&) const { return true; }
};

struct ModelKey {
  std::string folder, device;  // several devices with commas where windows are split over them
  Precision precision = Precision::kAuto;
  uint64_t memory_limit = 0;  // bytes, 0 = none
  WeightFormat weights = WeightFormat::kNative;
  KeyFormat keys = KeyFormat::kNative;
  uint64_t unload_after = 0;  // ns without work; 0 = never
  LongestWindow longest = {};
  int copy = 0;                // of those on one device, for a list that names it so often
  bool split_windows = false;  // over the devices of a list
  bool operator==(const ModelKey&) const = default;
};

// Where a client does its piece of work.
struct Desk {
  Session& session;
  // The questions of an encoded window are answered from now on, and the client is told.
  std::function<void(Analysis, bool is_request)> answer;
  // Pictures that other clients lend, at most so many, to be looked at with one's own in one call.
  std::function<SharedPictures(size_t most)> pictures_of_others;
};

// What an element gives the worker. Every call comes from the worker's thread, with no lock held.
class WorkSource {
 public:
  virtual ~WorkSource() = default;
  virtual void on_progress(double fraction) = 0;  // 0..1, while loading
  virtual void on_ready(const ModelInfo& info) = 0;
  virtual void on_failed(const Error& error) = 0;
  // After on_ready(): there was no work for so long that the weights have left the device, or they
  // were away when the client came. With the next work they are loaded anew, and on_ready() comes
  // again; or `why` they cannot be: then what was to be done fails, and the next is another try.
  virtual void on_unloaded(const Error* why) = 0;
  virtual void on_loading() = 0;
  virtual Offer offer() { return {}; }  // what it has for the model now
  // Does such a piece if it has one; false when there is none. The client cancels what runs.
  virtual bool work(Schedule::Kind kind, const Desk& desk) = 0;
  // What came of Desk::answer(), or of a pass that failed, or kCancelled.
  virtual void answered(bool is_request, Result<Analysis> analysis) = 0;
  virtual void drop_next() {}  // its next complete window, for overload
  // Its file's complete window is there, and something else is done before it.
  virtual void must_wait() {}
  // Some of the pictures that it would look at ahead, at most so many, for another's call; and what
  // became of them.
  virtual SharedPictures lend_pictures(Session&, size_t) { return {}; }
  virtual void take_back(Session&, const SharedPictures&) {}
  // What was made ahead of its window gives up its memory; false when there is nothing. From the
  // worker's thread or another model's.
  virtual bool free_ahead() { return false; }
};

class SharedModel {
 public:
  // The model of this key: one that is in use, or a new one. A model that failed to load stays
  // failed for those who hold it; the next acquire after them tries again. The last reference must
  // not be given up on the worker's thread.
  static std::shared_ptr<SharedModel> acquire(const EngineApi& api, const ModelKey& key);
  ~SharedModel();

  // The first client starts loading. The client hears on_ready or on_failed, also when that
  // happened before it came; when not even the thread can be started, on_failed comes from here and
  // the client is not attached. Waits for the end of a last detach() that is under way.
  void attach(WorkSource* client);
  // Returns when no call into the client is running and none will come. The client has cancelled
  // its work before; loading is cancelled when nobody else waits for it. From the worker's own
  // thread this is a programming error: it says so on stderr, removes the client and cannot wait.
  void detach(WorkSource* client);
  void wake();        // a client has work
  void wake_ahead();  // that nobody waits for yet: where loading has failed it is no new try
  // For work that does not fit: all that is kept or made ahead gives way, and when there is
  // nothing, that of the process's other models of the device. False when nobody has any. On the
  // worker's thread.
  bool take_room();
  KeptWindows& kept() { return kept_; }  // its clients', as they wish
  void look_for_cancelled();             // some of what is under way may be wanted no more

  // Blocks until the model is ready (true), has failed or `client` is told to stop waiting by
  // detach (false). The client has heard on_ready or on_failed by then. Not for the worker's
  // thread.
  bool wait_until_loaded(const WorkSource* client);
  ModelState state() const;
  // The model's time that is asked of it, of live windows, as far as it is known.
  Time backlog() const { return Time(backlog_.load()); }
  Time window_cost() const { return Time(window_cost_.load()); }  // of that, a window's part
  // Elements whose windows are usually here.
  int n_homes() const { return n_homes_; }
  void count_home(int more) { n_homes_ += more; }
  // Whether another client than this one has work here, as of the last look at what there is.
  bool is_wanted_but_for(const WorkSource* client) const {
    const void* wanted = wanted_by_;
    return wanted && wanted != client;
  }
  int64_t device_memory_bytes() const;  // as of the last piece of work

  SharedModel(const EngineApi& api, ModelKey key);  // use acquire()

 private:
  struct Seat {
    WorkSource* client = nullptr;
    ClientId id = 0;      // no other seat has had it
    bool told = false;    // has heard on_ready or on_failed
    bool failed = false;  // it was on_failed: it hears no more of the model
  };
  // Called with the lock.
  bool seated(const WorkSource* client) const;
  bool was_told(const WorkSource* client) const;
  void leave_seat(const WorkSource* client);
  void end_thread(std::unique_lock<std::mutex>& lock);
  bool has_newcomer() const;

  // The worker's thread.
  void run();
  void load();
  Result<std::unique_ptr<Session>> open_session();
  void tell_progress(double fraction);
  void tell_newcomers(std::unique_lock<std::mutex>& lock);
  Schedule::Offers ask_for_offers(std::unique_lock<std::mutex>& lock);
  void estimate_backlog(const Schedule::Offers& offers);
  bool serve_next(std::unique_lock<std::mutex>& lock);
  bool serve(std::unique_lock<std::mutex>& lock, const Schedule::Turn& turn, const Offer& offer);
  bool let_work(std::unique_lock<std::mutex>& lock, const Schedule::Turn& turn, const Offer& offer);
  SharedPictures borrow_pictures(ClientId but, size_t most);
  void give_back_pictures(std::unique_lock<std::mutex>& lock);
  bool pass(std::unique_lock<std::mutex>& lock);
  void cancel_unwanted_pass();
  bool admit(std::unique_lock<std::mutex>& lock, ClientId client, const Offer& offer);
  bool drop_one(std::unique_lock<std::mutex>& lock, const Schedule::Offers& offers);
  void look_who_wants_it(const Schedule::Offers& offers);
  void tell_who_must_wait(std::unique_lock<std::mutex>& lock, const Schedule::Offers& offers,
                          const Schedule::Turn& turn);
  bool tell_outcomes(std::unique_lock<std::mutex>& lock);
  const Seat* seat_of(ClientId id) const;
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void unload(std::unique_lock<std::mutex>& lock);
  void load_for_work(std::unique_lock<std::mutex>& lock);
  bool anybody_has_work(std::unique_lock<std::mutex>& lock);
  void load_again(std::unique_lock<std::mutex>& lock);
  void tell(std::unique_lock<std::mutex>& lock, bool all,
            const std::function<void(WorkSource&)>& what);
  void call(std::unique_lock<std::mutex>& lock, WorkSource* client,
            const std::function<void()>& what);
  bool is_called(const WorkSource* client) const;  // called with the lock
  bool free_ahead_of(const WorkSource* but, bool one_is_enough);
  bool take_own_room();
  std::vector<std::shared_ptr<SharedModel>> others_in_use() const;  // of the process
  bool may_share_memory_with(const SharedModel& other) const;

  const EngineApi& api_;
  const ModelKey key_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  std::thread::id worker_;  // of thread_, until it has ended
  std::vector<Seat> seats_;
  std::vector<WorkSource*> calls_;  // clients that are called now, without the lock
  ClientId last_id_ = 0;
  bool work_waits_ = false, stopping_ = false;
  bool unloaded_ = false;  // there is a session, without weights
  bool could_load_ = true;
  std::chrono::steady_clock::time_point last_work_;
  ModelState state_ = ModelState::kUnloaded;
  Cancel cancel_load_, cancel_pass_;
  std::vector<std::shared_ptr<Cancel>> in_pass_;  // of the windows of the pass that is made
  KeptWindows kept_;
  Schedule schedule_;  // this and the next: the worker's thread only
  Answering answering_;
  std::vector<std::pair<ClientId, SharedPictures>> borrowed_;  // for the piece that is done
  std::unique_ptr<Session> session_;                           // the worker's thread only
  ModelInfo info_;
  std::optional<Error> error_;
  int64_t memory_ = 0;
  std::atomic<Time::rep> backlog_{0}, window_cost_{0};
  std::atomic<int> n_homes_{0};
  std::atomic<const void*> wanted_by_{nullptr};  // the client that has work; this: several have
};

}  // namespace vidi
