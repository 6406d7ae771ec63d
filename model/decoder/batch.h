// Questions about any number of windows that are answered together: a row each, which joins and
// leaves between two passes. One thread; throws.
#pragma once

#include <map>
#include <vector>

#include "model/decoder/cuda_graph.h"
#include "model/decoder/decoder.h"
#include "model/decoder/generate.h"
#include "model/decoder/picks.h"
#include "model/text/answer_draft.h"

namespace vidi {

class Batch {
 public:
  // What is given must outlive the batch. `draft` may be null: then nothing is guessed.
  Batch(const Decoder& decoder, const AnswerDraft* draft, const Tap& tap, PassSizes& known_sizes);

  // Reads prompts of questions about one window and picks the first token of each answer. Media and
  // answers must stay where they are until their rows have left, of which `group` tells all. Where
  // this throws, those that are under way are as before, and the answers empty.
  void join(uint64_t group, const MediaCache& media, const std::vector<std::vector<int>>& prompts,
            const GenerateOptions& options, const std::vector<Generation*>& answers,
            const Cancel& cancel);
  // Another token, or several, for every answer that is still open. False when none is. Where this
  // throws it can be called again.
  bool step(const Cancel& cancel);
  void leave(uint64_t group);  // open or not
  void leave_all();            // never throws
  // The youngest of them go: all but `n`. Returns their answers, which are to begin anew.
  std::vector<Generation*> leave_youngest(size_t n);

  bool has_open(uint64_t group) const;
  size_t n_rows() const { return rows_.size(); }  // finished ones that have not left are among them

 private:
  struct Row {
    uint64_t group;
    const MediaCache* media;
    Generation* answer;
    GenerateOptions options;
    int64_t position;        // of the answer's last token, which the next pass reads
    std::vector<int> draft;  // guesses of what follows it
    bool open = true;
  };
  // Passes that read `width` tokens of every row: their input, their output, their recording.
  struct Pass {
    at::Tensor host_inputs, inputs;  // [2, B, width] int64: ids, positions
    at::Tensor picked;               // as Picked::for_host
    CudaGraph graph;
  };

  void append(Row& row, int id, float probability) const;
  void accept(std::vector<Row>& rows, const Picks& picks) const;
  void drop_finished();
  template <class Stays>
  void keep_rows(Stays stays);
  void forget_passes();
  bool is_about_one_window() const;
  bool is_split() const;
  bool records() const;
  size_t most_guesses() const;
  void guess(Row& row) const;
  int64_t pass_width() const;
  int64_t draft_width() const { return draft_ ? draft_->usual_guess() + 1 : 1; }
  PassWindows windows() const;
  Pass& pass_of(int64_t width);
  void write_inputs(const at::Tensor& inputs) const;
  Picks run_pass(const Cancel& cancel);

  const Decoder& decoder_;
  const AnswerDraft* draft_;
  const Tap& tap_;
  PassSizes& known_sizes_;
  const bool can_record_;  // passes may become CUDA graphs
  TextCache text_;
  std::vector<Row> rows_;           // those of a window side by side
  std::map<int64_t, Pass> passes_;  // by width; anew when rows or their caches move
  int n_alike_ = 0;                 // passes since rows came or went
};

}  // namespace vidi
