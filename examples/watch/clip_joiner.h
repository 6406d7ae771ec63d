// Joins fragments into one file, without encoding again (splitmuxsrc). Main thread only, with a
// running default main loop.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

class ClipJoiner {
 public:
  // Empty, or why `file` is not there. The joiner may be destroyed in it.
  using OnDone = std::function<void(const std::string& error)>;

  ClipJoiner(std::vector<std::string> fragments, const std::string& file, OnDone on_done);
  ~ClipJoiner();
  ClipJoiner(const ClipJoiner&) = delete;
  ClipJoiner& operator=(const ClipJoiner&) = delete;

  void start();

 private:
  void clear();
  void done(const std::string& error);
  static gboolean on_too_long(gpointer self);
  static gboolean on_message(GstBus* bus, GstMessage* message, gpointer self);

  const std::vector<std::string> fragments_;
  const std::string file_;
  const OnDone on_done_;
  GstElement* pipeline_ = nullptr;
  guint watch_ = 0, limit_ = 0;
  int n_tries_ = 0;
};
