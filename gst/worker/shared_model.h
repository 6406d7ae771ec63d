// One loaded model and the thread that works with it, for every element of the process that names
// the same folder, device, precision, memory limit, form of weights and keys, and time until they
// are unloaded. No GStreamer.
//
// The worker thread loads the model, then serves its clients in turn, one piece of work each; all
// calls into the Session are on this thread. The last client that leaves ends the thread (loading
// or not) and frees the model.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gst/worker/model_state.h"
#include "model/engine_api.h"
#include "model/session.h"

namespace vidi {

// What the memory of a model is planned for. Does not tell models apart: the first element's
// counts.
struct LongestWindow {
  double seconds = 0;  // 0 = not known
  int64_t frames = 0;
  bool operator==(const LongestWindow&) const { return true; }
};

struct ModelKey {
  std::string folder, device;
  Precision precision = Precision::kAuto;
  uint64_t memory_limit = 0;  // bytes, 0 = none
  WeightFormat weights = WeightFormat::kNative;
  KeyFormat keys = KeyFormat::kNative;
  uint64_t unload_after = 0;  // ns without work; 0 = never
  LongestWindow longest = {};
  bool operator==(const ModelKey&) const = default;
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
  // Whether somebody waits for work(); what can be made ahead of its window does not count.
  virtual bool has_work() { return false; }
  // Does one piece of work if there is one; false when there is none. The client cancels what runs.
  virtual bool work(Session& session) = 0;
  // Gives up what it keeps of the device's memory and can do without; false when there is nothing.
  // From the worker's thread or another model's.
  virtual bool give_room() { return false; }
  // The weights leave: what was made ahead of its window gives up its memory as well.
  virtual void rest() {}
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
  // For `client`, whose work does not fit: the other clients give what they can do without, and
  // when they have nothing, those of the process's other models. False when nobody has. On the
  // worker's thread, from inside the client.
  bool take_room(const WorkSource* client);

  // Blocks until the model is ready (true), has failed or `client` is told to stop waiting by
  // detach (false). The client has heard on_ready or on_failed by then. Not for the worker's
  // thread.
  bool wait_until_loaded(const WorkSource* client);
  ModelState state() const;
  int64_t device_memory_bytes() const;  // as of the last piece of work

  SharedModel(const EngineApi& api, ModelKey key);  // use acquire()

 private:
  struct Seat {
    WorkSource* client = nullptr;
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
  bool serve_next(std::unique_lock<std::mutex>& lock);
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void unload(std::unique_lock<std::mutex>& lock);
  void load_for_work(std::unique_lock<std::mutex>& lock);
  bool anybody_has_work(std::unique_lock<std::mutex>& lock);
  void load_again(std::unique_lock<std::mutex>& lock);
  template <class Call>
  void tell(std::unique_lock<std::mutex>& lock, bool all, Call what);
  template <class Call>
  void call(std::unique_lock<std::mutex>& lock, WorkSource* client, Call what);
  bool is_called(const WorkSource* client) const;  // called with the lock
  bool take_room_of_clients(const WorkSource* but);

  const EngineApi& api_;
  const ModelKey key_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  std::thread::id worker_;  // of thread_, until it has ended
  std::vector<Seat> seats_;
  std::vector<WorkSource*> calls_;  // clients that are called now, without the lock
  size_t turn_ = 0;                 // seat that is asked next
  bool work_waits_ = false, stopping_ = false;
  bool unloaded_ = false;  // there is a session, without weights
  bool could_load_ = true;
  std::chrono::steady_clock::time_point last_work_;
  ModelState state_ = ModelState::kUnloaded;
  Cancel cancel_load_;
  std::unique_ptr<Session> session_;  // the worker's thread only
  ModelInfo info_;
  std::optional<Error> error_;
  int64_t memory_ = 0;
};

}  // namespace vidi
