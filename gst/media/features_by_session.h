// What the models' sessions have made of one picture or stretch of sound: features are of use to
// the session alone that made them, and where a model runs on several devices each has its own.
// Thread-safe: their threads come to one picture at once.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace vidi {

template <class T>
class FeaturesBySession {
 public:
  using Session = const void*;
  using Pointer = std::shared_ptr<const T>;

  Pointer of(Session session) const {  // null: none yet
    std::lock_guard lock(mutex_);
    for (const auto& [owner, features] : made_) {
      if (owner == session) return features;
    }
    return nullptr;
  }
  void set(Session session, Pointer features) {
    reset(session);
    std::lock_guard lock(mutex_);
    made_.emplace_back(session, std::move(features));
  }
  // Let go of without the lock: the last to hold them frees memory of a device.
  void reset(Session session) {
    Pointer gone;
    std::lock_guard lock(mutex_);
    const auto its = std::find_if(made_.begin(), made_.end(),
                                  [session](const auto& made) { return made.first == session; });
    if (its == made_.end()) return;
    gone = std::move(its->second);
    made_.erase(its);
  }
  void reset() {  // all sessions'
    std::vector<std::pair<Session, Pointer>> gone;
    std::lock_guard lock(mutex_);
    gone.swap(made_);
  }
  explicit operator bool() const {  // any session's
    std::lock_guard lock(mutex_);
    return !made_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<Session, Pointer>> made_;
};

}  // namespace vidi
