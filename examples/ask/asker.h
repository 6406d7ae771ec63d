// What vidi-ask asks of the element and what comes back: messages on the bus become hits and
// progress. Main thread only.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "examples/ask/arguments.h"
#include "examples/ask/file_pipeline.h"
#include "examples/ask/pass.h"
#include "examples/ask/progress_bar.h"
#include "examples/common/warnings.h"
#include "examples/export/media_facts.h"
#include "examples/page/thumbnails.h"

class Asker {
 public:
  // Of the passes over the file. The reference's (--compare-precision) does not say again what the
  // first one has said of the file.
  enum class Turn { kFirst, kReference };

  // `interrupted`: Ctrl-C; whatever runs comes back soon after it is set.
  Asker(const Arguments& arguments, const std::string& model, const std::string& uri,
        const std::atomic<bool>& interrupted, Turn turn = Turn::kFirst);

  // Who hears of final hits and of windows as the element says them, also of one that was dropped
  // for want of memory, and of what is worth a line for the user.
  struct Listener {
    std::function<void(const GstStructure*)> on_structure;
    std::function<void(const std::string&)> on_note;
  };
  void listen(Listener listener) { listener_ = std::move(listener); }

  // True when the file was watched to its end; else error() says why not. `on_hit` hears of every
  // final hit at once, hits() has all of them afterwards.
  bool watch_file(const std::function<void(const Hit&)>& on_hit);
  const std::vector<Hit>& hits() const { return pass_.hits; }
  // For a comparison, when reached_end(): also after an error that came at the end, when a part of
  // the file is missing.
  const Pass& pass() const { return pass_; }
  bool reached_end() const { return ended_ && !interrupted_; }
  // With --compare-precision: error() is that the chosen mode is the reference's, which is known
  // once the model is loaded.
  bool is_reference_chosen() const { return is_reference_chosen_; }
  // error() is about the model, or about memory that others have taken, and not about the file.
  bool is_model_at_fault() const { return is_model_at_fault_; }
  // Why the last window that was not analysed was not; else error().
  const std::string& why_unanswered() const {
    return window_error_.empty() ? error_ : window_error_;
  }
  // Asks what was encoded, after the file was watched; empty after an error, and for a question
  // that was refused, which a line on stderr says.
  std::optional<std::vector<Hit>> answer(const std::string& question);

  // Queries of the command line that the model refuses.
  const std::set<std::string>& refused() const { return pass_.refused; }
  const std::string& error() const { return error_; }
  // What the pipeline knows of the film, after it was watched.
  void describe(MediaFacts* film) const;
  ProgressBar& bar() { return bar_; }
  const FilePipeline& pipeline() const { return pipeline_; }
  // With --html; null without.
  const Thumbnails* thumbnails() const { return thumbnails_.get(); }

 private:
  void take_thumbnails();
  bool step();
  void handle(GstMessage* message);
  std::string model_name() const;
  void handle_load(GstMessage* message);
  void handle_model(const GstStructure* model);
  void handle_warning(GstMessage* message);
  void say_held_warnings();
  void take_refusal(const GstStructure* refusal, const std::string& text);
  void handle_error(GstMessage* message);
  void take_result(const GstStructure* result);
  void take_window(const GstStructure* window);
  void note_missing(GstMessage* message);
  std::string missing_text() const;
  void check_streams();
  void check_end();
  void say_what_was_silent();
  bool is_one_picture() const;
  std::string why_nothing() const;
  void show_progress();
  std::string progress_text(double done_s, double duration_s) const;
  void say_once(const std::string& line);
  void fail(const std::string& sentence);

  const Arguments& arguments_;
  const std::atomic<bool>& interrupted_;
  const bool is_reference_;
  const std::string file_;  // its name, as it may be printed
  std::string error_;
  ProgressBar bar_;
  std::unique_ptr<Thumbnails> thumbnails_;  // goes after the pipeline, whose pictures it takes
  FilePipeline pipeline_;

  bool ended_ = false, streams_checked_ = false, model_ready_ = false;
  std::chrono::steady_clock::time_point begin_;  // of the watching: the model is ready
  GstClockTime first_start_ = 0;                 // of the first window
  GstClockTime analysed_ = 0;                    // from there to the last window's end
  size_t n_windows_ = 0, n_failed_ = 0;          // analysed, and not
  std::string missing_;                          // decoders, in words
  Warnings warnings_;
  std::string filter_warning_;  // its last one
  bool elements_warned_ = false;
  struct Unref {
    void operator()(GstMessage* message) const { gst_message_unref(message); }
  };
  std::vector<std::unique_ptr<GstMessage, Unref>> held_warnings_;
  std::function<void(const Hit&)> on_hit_;
  Pass pass_;
  Listener listener_;
  std::string window_error_;
  bool is_model_at_fault_ = false;
  bool is_reference_chosen_ = false;

  std::string asked_id_;  // of the question that is being answered
  size_t n_answered_ = 0;
  bool asking_ = false;
  std::string refusal_;        // why this question has no answer
  std::string refused_query_;  // why, of one of the command line's
  std::vector<Hit> answers_;
};
