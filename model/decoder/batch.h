// Questions that are answered together: a row each, which leaves when its answer is done.
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
  Batch(const Decoder& decoder, const MediaCache& media, const GenerateOptions& options,
        const AnswerDraft* draft, const Tap& tap, const Cancel& cancel, PassSizes& known_sizes);

  // Reads the prompts and picks the first token of answers[i], which must stay where it is.
  void start(const std::vector<std::vector<int>>& prompts, std::vector<Generation>& answers);

  // Another token, or several, for every answer that is still open. False when none is.
  bool step();

 private:
  struct Row {
    Generation* answer;
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
  void accept(const Picks& picks);
  void drop_finished();
  void guess(Row& row) const;
  int64_t pass_width() const;
  int64_t draft_width() const { return draft_ ? draft_->usual_guess() + 1 : 1; }
  Pass& pass_of(int64_t width);
  void write_inputs(const at::Tensor& inputs) const;
  Picks run_pass();

  const Decoder& decoder_;
  const MediaCache& media_;
  const GenerateOptions& options_;
  const AnswerDraft* draft_;
  const Tap& tap_;
  const Cancel& cancel_;
  PassSizes& known_sizes_;
  const bool records_;  // passes become CUDA graphs
  TextCache text_;
  std::vector<Row> rows_;
  std::map<int64_t, Pass> passes_;  // by width; anew when rows or their caches move
};

}  // namespace vidi
