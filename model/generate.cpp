#include "model/generate.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace vidi {
namespace {

constexpr size_t kMaxDraft = 7;  // tokens guessed for one pass
constexpr size_t kRepeats = 4, kMinRepeatedTokens = 24, kMaxPeriod = 64;

// What was picked after every token of a pass, on the host.
class Picks {
 public:
  // logits [B, vocab] or [B, T, vocab]
  explicit Picks(const at::Tensor& logits) : width_(logits.dim() == 3 ? logits.size(1) : 1) {
    at::Tensor ids = logits.argmax(-1);
    at::Tensor probabilities = at::softmax(logits, -1, at::kFloat).gather(-1, ids.unsqueeze(-1));
    // One copy: as float32 the ids are exact, being far below 2^24.
    on_host_ = at::stack({ids.to(at::kFloat).flatten(), probabilities.flatten()}).cpu();
  }
  int id(size_t row, size_t t) const { return static_cast<int>(value(0, row, t)); }
  float probability(size_t row, size_t t) const { return value(1, row, t); }

 private:
  float value(int which, size_t row, size_t t) const {
    return on_host_.const_data_ptr<float>()[which * on_host_.size(1) + row * width_ + t];
  }
  int64_t width_;
  at::Tensor on_host_;  // [2, B * T] float32: ids, probabilities
};

// A question under way.
struct Row {
  Generation* answer;
  int64_t position;        // of the answer's last token, which the next pass reads
  std::vector<int> draft;  // guesses of what follows it
  bool open = true;
};

// Appends a token; an answer that it ends is closed.
void append(Row& row, int id, float probability, int eos_id, const AskOptions& options) {
  Generation& g = *row.answer;
  g.ids.push_back(id);
  g.probabilities.push_back(probability);
  row.position += 1;
  row.open = false;
  if (id == eos_id)
    g.stop = StopReason::kEndToken;
  else if (static_cast<int>(g.ids.size()) >= options.max_new_tokens)
    g.stop = StopReason::kMaxTokens;
  else if (options.stop_repetition && repeats_itself(g.ids))
    g.stop = StopReason::kRepetition;
  else
    row.open = true;
}

// The questions of one batch that still want tokens.
class Batch {
 public:
  Batch(const Decoder& decoder, const MediaCache& media, const AskOptions& options,
        const AnswerForm* form)
      : decoder_(decoder), media_(media), options_(options), form_(form) {}

  // Reads the prompts and picks every answer's first token.
  void start(const std::vector<std::vector<int>>& prompts, std::vector<Generation>& answers,
             const Tap& tap, const Cancel& cancel) {
    at::Tensor logits = decoder_.read_prompts(prompts, media_, text_, tap, cancel);
    tap_into(tap, "decoder.logits", logits);
    for (size_t b = 0; b < prompts.size(); ++b) {
      rows_.push_back({&answers[b], static_cast<int64_t>(prompts[b].size()) - 1, {}});
    }
    take(Picks(logits));
  }

  // Another token, or several, for every answer that is still open. False when none is.
  bool go_on(const Tap& tap, const Cancel& cancel) {
    drop_finished();
    if (rows_.empty()) return false;
    for (Row& row : rows_) guess(row);
    at::Tensor logits = read(cancel);
    tap_into(tap, "decoder.logits", logits.flatten(0, 1));
    take(Picks(logits));
    return true;
  }

 private:
  void take(const Picks& picks) {
    for (size_t b = 0; b < rows_.size(); ++b) {
      Row& row = rows_[b];
      for (size_t t = 0; row.open; ++t) {
        append(row, picks.id(b, t), picks.probability(b, t), decoder_.config().eos_id, options_);
        if (t == row.draft.size() || row.draft[t] != picks.id(b, t)) break;
      }
    }
  }

  // Rows go when half of them are done: what is left of a batch costs as much as the whole until
  // then, but moving rows has a price as well.
  void drop_finished() {
    std::vector<int64_t> open;
    for (size_t b = 0; b < rows_.size(); ++b) {
      if (rows_[b].open) open.push_back(static_cast<int64_t>(b));
    }
    if (2 * open.size() > rows_.size() || open.size() == rows_.size()) return;
    std::vector<Row> kept;
    for (int64_t b : open) kept.push_back(std::move(rows_[b]));
    rows_ = std::move(kept);
    if (!rows_.empty()) decoder_.keep_rows(text_, on_device(at::tensor(open, at::kLong)));
  }

  void guess(Row& row) const {
    row.draft.clear();
    const size_t left = options_.max_new_tokens - row.answer->ids.size();
    if (form_ && row.open) row.draft = form_->draft(row.answer->ids, std::min(kMaxDraft, left - 1));
  }

  // Reads each row's last token and its guesses -> logits [B, T, vocab].
  at::Tensor read(const Cancel& cancel) {
    size_t width = 1;
    for (const Row& row : rows_) width = std::max(width, row.draft.size() + 1);
    const int64_t batch = rows_.size(), n = width;
    at::Tensor inputs = at::zeros({2, batch, n}, at::kLong);  // ids, positions
    int64_t* id = inputs.data_ptr<int64_t>();
    int64_t end = 0;
    for (int64_t b = 0; b < batch; ++b) {
      const Row& row = rows_[b];
      id[b * n] = row.answer->ids.back();
      std::copy(row.draft.begin(), row.draft.end(), id + b * n + 1);
      for (int64_t t = 0; t < n; ++t) id[(batch + b) * n + t] = row.position + t;
      end = std::max(end, row.position + n);
    }
    inputs = on_device(inputs);
    return decoder_.read(inputs[0], inputs[1], end, media_, text_, cancel);
  }

  at::Tensor on_device(const at::Tensor& x) const { return x.to(decoder_.device()); }

  const Decoder& decoder_;
  const MediaCache& media_;
  const AskOptions& options_;
  const AnswerForm* form_;
  TextCache text_;
  std::vector<Row> rows_;
};

}  // namespace

bool repeats_itself(const std::vector<int>& ids) {
  for (size_t period = 1; period <= kMaxPeriod; ++period) {
    const size_t n = std::max(kRepeats * period, kMinRepeatedTokens);
    if (ids.size() < n) return false;  // longer periods need more tokens still
    auto tail = ids.end() - static_cast<std::ptrdiff_t>(n);
    if (std::equal(tail + static_cast<std::ptrdiff_t>(period), ids.end(), tail)) return true;
  }
  return false;
}

std::vector<Generation> generate(const Decoder& decoder, const MediaCache& media,
                                 const std::vector<std::vector<int>>& prompts,
                                 const AskOptions& options, const AnswerForm* form, const Tap& tap,
                                 const Cancel& cancel) {
  std::vector<Generation> all(prompts.size());
  if (prompts.empty() || options.max_new_tokens < 1) return all;
  Batch batch(decoder, media, options, form);
  batch.start(prompts, all, tap, cancel);
  while (batch.go_on(tap, cancel)) cancel.check();
  return all;
}

}  // namespace vidi
