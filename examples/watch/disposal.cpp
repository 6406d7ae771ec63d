#include "examples/watch/disposal.h"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace {

// Never destroyed: a thread may still be here while the process ends.
struct Disposals {
  std::mutex mutex;
  std::condition_variable done;
  int n_running = 0;
};

Disposals& disposals() {
  static Disposals& all = *new Disposals;
  return all;
}

}  // namespace

void dispose(std::function<void()> end) {
  {
    std::lock_guard lock(disposals().mutex);
    ++disposals().n_running;
  }
  std::thread([end = std::move(end)] {
    end();
    std::lock_guard lock(disposals().mutex);
    --disposals().n_running;
    disposals().done.notify_all();
  }).detach();
}

void dispose(GstElement* pipeline, const std::string& file) {
  dispose([pipeline, file] {
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    if (!file.empty()) unlink(file.c_str());
  });
}

void wait_for_disposals(std::chrono::milliseconds longest) {
  std::unique_lock lock(disposals().mutex);
  disposals().done.wait_for(lock, longest, [] { return disposals().n_running == 0; });
}
