// What vidi-watch does: loads the model, connects, prints hits, and when the source is lost
// connects again. A connection has a pipeline of its own (connection.h), so nothing of a broken one
// can disturb the next. The model outlives them: elements of one process that name the same model
// share it, and `keeper_`, an element without a stream, holds on to it in between.
//
// Main thread, with the default main loop.
#pragma once

#include <gst/gst.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "examples/watch/clip_recorder.h"
#include "examples/watch/connection.h"
#include "examples/watch/hls_publisher.h"
#include "examples/watch/sighting.h"
#include "examples/watch/watch_arguments.h"

// Exit statuses of the program.
inline constexpr int kOk = 0, kFailed = 1, kUsage = 2, kReaderLeft = 128 + SIGPIPE;

void say(const std::string& line);  // on stderr, as vidi-watch

class Watcher {
 public:
  Watcher(const WatchArguments& arguments, const std::string& model);
  ~Watcher();
  int run();  // the exit status

 private:
  void note(const std::string& line) const;  // worth knowing, and not with --quiet
  void load();
  static gboolean on_keeper_message(GstBus* bus, GstMessage* message, gpointer self);
  static gboolean connect_again(gpointer self);
  std::string source_name() const;  // as it may be printed
  void connect();
  void ended(Connection::Why why, const std::string& text);
  void let_go(bool is_waited_for);
  static gboolean on_gone(gpointer ending);
  static gboolean on_closing_too_long(gpointer self);
  void after_end();
  void go_on(Connection::Why why, const std::string& text);
  void reconnect_at_once(const std::string& text);
  void retry(const std::string& text);
  void tell(const std::string& text);
  static gboolean on_reader_left(gint fd, GIOCondition condition, gpointer self);
  void end_without_output();
  bool take_hit(const Sighting& hit);
  void count(guint64 id);
  void take_clip(const ClipRecorder::Saved& saved);
  void stop();
  void leave(int status);
  void leave_when_saved();

  struct Ending {
    Watcher* watcher;
    int number;
  };

  const WatchArguments& arguments_;
  const std::string model_;
  GMainLoop* const loop_ = g_main_loop_new(nullptr, FALSE);
  GstElement* keeper_ = nullptr;
  guint keeper_watch_ = 0, retry_timer_ = 0, closing_timer_ = 0;
  std::function<void()> after_end_;
  int n_endings_ = 0;  // connections that were let go and waited for
  std::optional<ClipRecorder> recorder_;
  std::optional<HlsPublisher> publisher_;
  std::unique_ptr<Connection> connection_;

  double delay_s_ = 1;         // before the next attempt
  int n_unwatched_ = 0;        // connections in a row of which nothing was watched
  std::set<guint64> counted_;  // hits of this connection
  double n_hits_ = 0;
  bool enough_ = false, stopping_ = false, failed_ = false, leaving_ = false;
  bool started_ = false;  // the model was ready, the first connection was made
  int status_ = kOk;
};
