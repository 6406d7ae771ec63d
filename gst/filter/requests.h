// The application's own questions (the action `ask`): about windows that are kept encoded, or about
// pictures that are kept for the window that fills now. Any thread, no lock.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "gst/filter/live_settings.h"
#include "gst/filter/notices.h"
#include "gst/windows/window_feed.h"
#include "gst/worker/model_client.h"

namespace vidi {

class Requests {
 public:
  Requests(const LiveSettings& settings, const Notices& notices, WindowFeed& feed,
           ModelClient& client)
      : settings_(settings), notices_(notices), feed_(feed), client_(client) {}

  // Returns the question's id; "" = refused, with a warning.
  std::string ask(const char* query, guint64 start, guint64 stop);

 private:
  const LiveSettings& settings_;
  const Notices& notices_;
  WindowFeed& feed_;
  ModelClient& client_;
  std::atomic<uint64_t> n_asked_{0};
};

}  // namespace vidi
