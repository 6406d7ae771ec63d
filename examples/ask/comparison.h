// Two passes over one file, the chosen mode's and the reference's: how far they agree, by question
// and altogether. No GStreamer but the type of its times.
//
// Windows are compared by the model's own words. Hits are what the element made of them, merged
// over windows. Per-token logits, which would tell more than a confidence, are not part of the
// element's messages.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "examples/ask/pass.h"

struct Agreement {
  std::string query;     // empty: of all, or of highlights
  size_t n_windows = 0;  // that both modes answered
  size_t n_same = 0;     // of these: with the same answer, word for word
  // A hit of one mode is matched with one of the other of the same question and title that it
  // overlaps, first where the edges are closest.
  size_t n_both = 0, n_only_chosen = 0, n_only_reference = 0;

  double mean_iou() const;  // over the windows, of the answers' ranges (temporal_iou())
  // Of matched hits, nothing where there are none: the largest shift of an edge, and the root of
  // the mean square of ln(confidence / reference's confidence).
  std::optional<double> largest_shift_s() const;
  std::optional<double> rms_log_confidence() const;

  Agreement& operator+=(const Agreement& other);  // but for the query

  double sum_of_iou = 0, widest_shift_s = 0, sum_of_squares = 0;
  size_t n_confidences = 0;  // matched hits that have one in both modes
};

class Comparison {
 public:
  Comparison(const Pass& chosen, const Pass& reference);

  // A refused question has none.
  const std::vector<Agreement>& questions() const { return questions_; }
  const Agreement& all() const { return all_; }  // its windows: each once a question
  size_t n_windows() const { return n_windows_; }
  // Windows that one of both has answered alone. Hits that touch one of them are not compared.
  size_t n_only_chosen() const { return n_only_chosen_; }
  size_t n_only_reference() const { return alone_.size() - n_only_chosen_; }

 private:
  struct Span {
    GstClockTime start, stop;  // timestamps
  };

  void compare_windows(const Pass& chosen, const Pass& reference);
  void add_questions(const WindowAnswers& window, const std::set<std::string>& refused);
  void compare_answers(const WindowAnswers& chosen, const WindowAnswers& reference);
  void compare_hits(size_t question, const Pass& chosen, const Pass& reference);
  std::vector<const Hit*> hits_of(const Pass& pass, const std::string& id) const;
  Agreement* agreement_of(const std::string& id);

  std::vector<std::string> ids_;  // of the questions, in the order of the command line
  std::vector<Agreement> questions_;
  Agreement all_;
  size_t n_windows_ = 0, n_only_chosen_ = 0;
  std::vector<Span> alone_;
};
