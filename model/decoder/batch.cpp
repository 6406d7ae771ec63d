#include "model/decoder/batch.h"

#include <algorithm>
#include <utility>

#include "kernels/aten.h"
#include "kernels/layers/argmax.h"

namespace vidi {
namespace {

constexpr size_t kMaxDraft = 7;  // tokens guessed for one pass that is not recorded

}  // namespace

Batch::Batch(const Decoder& decoder, const MediaCache& media, const GenerateOptions& options,
             const AnswerDraft* draft, const Tap& tap, const Cancel& cancel, PassSizes& known_sizes)
    : decoder_(decoder),
      media_(media),
      options_(options),
      draft_(draft),
      tap_(tap),
      cancel_(cancel),
      known_sizes_(known_sizes),
      records_(!tap && CudaGraph::records(decoder.device())) {}

void Batch::start(const std::vector<std::vector<int>>& prompts, std::vector<Generation>& answers) {
  at::Tensor logits = decoder_.prefill(prompts, media_, text_, tap_, cancel_);
  tap_into(tap_, "decoder.logits", logits);
  for (size_t b = 0; b < prompts.size(); ++b) {
    rows_.push_back({&answers[b], static_cast<int64_t>(prompts[b].size()) - 1, {}});
  }
  accept(Picks(pick_tokens(logits).for_host, 1));
}

bool Batch::step() {
  drop_finished();
  if (rows_.empty()) return false;
  for (Row& row : rows_) guess(row);
  accept(run_pass());
  return true;
}

// An answer that the token ends is closed.
void Batch::append(Row& row, int id, float probability) const {
  Generation& g = *row.answer;
  g.ids.push_back(id);
  g.probabilities.push_back(probability);
  row.position += 1;
  row.open = false;
  if (id == decoder_.config().eos_id && !options_.fixed_length)
    g.stop = StopReason::kEndToken;
  else if (static_cast<int>(g.ids.size()) >= options_.max_new_tokens)
    g.stop = StopReason::kMaxTokens;
  else if (options_.stop_repetition && !options_.fixed_length && repeats_itself(g.ids))
    g.stop = StopReason::kRepetition;
  else
    row.open = true;
}

// Every row's next token, and one more for every guess that was right.
void Batch::accept(const Picks& picks) {
  for (size_t b = 0; b < rows_.size(); ++b) {
    Row& row = rows_[b];
    for (size_t t = 0; row.open; ++t) {
      append(row, picks.id(b, t), picks.probability(b, t));
      if (t == row.draft.size() || row.draft[t] != picks.id(b, t)) break;
    }
  }
}

// Rows go when half of them are done: until then the rest costs about as much as the whole, and
// moving rows has a price as well.
void Batch::drop_finished() {
  std::vector<int64_t> open;
  for (size_t b = 0; b < rows_.size(); ++b) {
    if (rows_[b].open) open.push_back(static_cast<int64_t>(b));
  }
  if (2 * open.size() > rows_.size()) return;
  std::vector<Row> kept;
  for (int64_t b : open) kept.push_back(std::move(rows_[b]));
  rows_ = std::move(kept);
  passes_.clear();
  if (!rows_.empty()) {
    decoder_.keep_rows(text_, at::tensor(open, at::kLong).to(decoder_.device()));
  }
}

void Batch::guess(Row& row) const {
  row.draft.clear();
  if (!draft_ || !row.open) return;
  const size_t left = options_.max_new_tokens - row.answer->ids.size() - 1;
  const size_t most = records_ ? static_cast<size_t>(draft_width() - 1) : kMaxDraft;
  row.draft = draft_->guess(row.answer->ids, std::min(most, left));
}

// Tokens that the next pass reads of every row. A recorded pass has one of two widths, and a row
// alone always the same: with guesses or without, it fills no more of the device.
int64_t Batch::pass_width() const {
  size_t n = 1;
  for (const Row& row : rows_) n = std::max(n, row.draft.size() + 1);
  if (records_ && (n > 1 || rows_.size() == 1)) return draft_width();
  return static_cast<int64_t>(n);
}

Batch::Pass& Batch::pass_of(int64_t width) {
  auto found = passes_.find(width);
  if (found != passes_.end()) return found->second;
  const at::Device device = decoder_.device();
  const int64_t batch = static_cast<int64_t>(rows_.size());
  const auto numbers = at::TensorOptions(at::kLong), floats = at::TensorOptions(at::kFloat);
  Pass pass{at::empty({2, batch, width}, numbers.pinned_memory(device.is_cuda())),
            at::empty({2, batch, width}, numbers.device(device)),
            at::empty({2, batch * width}, floats.device(device)), CudaGraph(device)};
  return passes_.emplace(width, std::move(pass)).first->second;
}

// Each row's last token and its guesses, and their positions. What is read beyond a row's guesses
// is read in vain.
void Batch::write_inputs(const at::Tensor& inputs) const {
  const int64_t batch = inputs.size(1), n = inputs.size(2);
  int64_t *id = inputs.data_ptr<int64_t>(), *position = id + batch * n;
  std::fill(id, position, 0);
  for (const Row& row : rows_) {
    id[0] = row.answer->ids.back();
    std::copy(row.draft.begin(), row.draft.end(), id + 1);
    for (int64_t t = 0; t < n; ++t) position[t] = row.position + t;
    id += n, position += n;
  }
}

// One pass of the decoder over what is next of every row.
Picks Batch::run_pass() {
  const int64_t n = pass_width(), batch = static_cast<int64_t>(rows_.size());
  int64_t end = 0;
  for (const Row& row : rows_) end = std::max(end, row.position + n);
  if (end > text_.capacity) passes_.clear();
  decoder_.reserve(text_, batch, end);
  Pass& pass = pass_of(n);
  write_inputs(pass.host_inputs);
  pass.inputs.copy_(pass.host_inputs, /*non_blocking=*/true);
  auto work = [&] {
    // A recording serves all lengths that fit the cache; positions say which slots count.
    at::Tensor logits = decoder_.step(pass.inputs[0], pass.inputs[1],
                                      records_ ? text_.capacity : end, media_, text_, cancel_);
    tap_into(tap_, "decoder.logits", logits.flatten(0, 1));
    pass.picked.copy_(pick_tokens(logits.flatten(0, 1)).for_host);
  };
  if (records_)
    pass.graph.run(work, known_sizes_.count({batch, n}) > 0);
  else
    work();
  known_sizes_.insert({batch, n});
  return Picks(pass.picked, n);
}

}  // namespace vidi
