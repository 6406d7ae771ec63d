#include "model/decoder/batch.h"

#include <algorithm>
#include <utility>

#include "kernels/aten.h"
#include "kernels/layers/argmax.h"

namespace vidi {
namespace {

constexpr size_t kMaxDraft = 7;  // tokens guessed for one pass that is not recorded
// Tokens of a pass about several windows: while there are no more, its time is that of reading the
// weights, so that guesses cost little.
constexpr size_t kCheapTokens = 128;
// A recording is of use for as long as rows neither come nor go, and costs a few passes.
constexpr int kPassesUntilRecorded = 3;

}  // namespace

Batch::Batch(const Decoder& decoder, const AnswerDraft* draft, const Tap& tap,
             PassSizes& known_sizes)
    : decoder_(decoder),
      draft_(draft),
      tap_(tap),
      known_sizes_(known_sizes),
      can_record_(!tap && CudaGraph::records(decoder.device())) {}

void Batch::join(uint64_t group, const MediaCache& media,
                 const std::vector<std::vector<int>>& prompts, const GenerateOptions& options,
                 const std::vector<Generation*>& answers, const Cancel& cancel) {
  TextCache text;
  at::Tensor logits = decoder_.prefill(prompts, media, text, tap_, cancel);
  tap_into(tap_, "decoder.logits", logits);
  const Picks picks(pick_tokens(logits).for_host, 1);
  decoder_.append_rows(text_, text);
  std::vector<Row> rows;
  for (size_t b = 0; b < prompts.size(); ++b) {
    rows.push_back(
        {group, &media, answers[b], options, static_cast<int64_t>(prompts[b].size()) - 1, {}});
  }
  accept(rows, picks);
  std::move(rows.begin(), rows.end(), std::back_inserter(rows_));
  forget_passes();
}

bool Batch::step(const Cancel& cancel) {
  drop_finished();
  if (std::none_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.open; }))
    return false;
  for (Row& row : rows_) guess(row);
  accept(rows_, run_pass(cancel));
  return true;
}

// An answer that the token ends is closed.
void Batch::append(Row& row, int id, float probability) const {
  Generation& g = *row.answer;
  g.ids.push_back(id);
  g.probabilities.push_back(probability);
  row.position += 1;
  row.open = false;
  if (id == decoder_.config().eos_id && !row.options.fixed_length)
    g.stop = StopReason::kEndToken;
  else if (static_cast<int>(g.ids.size()) >= row.options.max_new_tokens)
    g.stop = StopReason::kMaxTokens;
  else if (row.options.stop_repetition && !row.options.fixed_length && repeats_itself(g.ids))
    g.stop = StopReason::kRepetition;
  else
    row.open = true;
}

// Every row's next token, and one more for every guess that was right.
void Batch::accept(std::vector<Row>& rows, const Picks& picks) const {
  for (size_t b = 0; b < rows.size(); ++b) {
    Row& row = rows[b];
    for (size_t t = 0; row.open; ++t) {
      append(row, picks.id(b, t), picks.probability(b, t));
      if (t == row.draft.size() || row.draft[t] != picks.id(b, t)) break;
    }
  }
}

// Rows go when half of them are done: until then the rest costs about as much as the whole, and
// moving rows has a price as well.
void Batch::drop_finished() {
  const auto is_open = [](const Row& row) { return row.open; };
  const auto n_open = static_cast<size_t>(std::count_if(rows_.begin(), rows_.end(), is_open));
  if (2 * n_open <= rows_.size()) keep_rows(is_open);
}

template <class Stays>
void Batch::keep_rows(Stays stays) {
  std::vector<int64_t> places;
  std::vector<Row> kept;
  for (size_t b = 0; b < rows_.size(); ++b) {
    if (!stays(rows_[b])) continue;
    places.push_back(static_cast<int64_t>(b));
    kept.push_back(rows_[b]);
  }
  if (kept.size() == rows_.size()) return;
  if (kept.empty())
    text_ = {};
  else
    decoder_.keep_rows(text_, at::tensor(places, at::kLong).to(decoder_.device()));
  rows_ = std::move(kept);
  forget_passes();
}

void Batch::forget_passes() {
  passes_.clear();
  n_alike_ = 0;
}

void Batch::leave(uint64_t group) {
  keep_rows([group](const Row& row) { return row.group != group; });
}

void Batch::leave_all() {
  rows_.clear();
  text_ = {};
  forget_passes();
}

bool Batch::has_open(uint64_t group) const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [group](const Row& row) { return row.group == group && row.open; });
}

std::vector<Generation*> Batch::leave_youngest(size_t n) {
  std::vector<Generation*> gone;
  for (size_t b = n; b < rows_.size(); ++b) gone.push_back(rows_[b].answer);
  keep_rows([&, b = size_t{0}](const Row&) mutable { return b++ < n; });
  for (Generation* answer : gone) *answer = {};
  return gone;
}

bool Batch::is_about_one_window() const {
  return std::all_of(rows_.begin(), rows_.end(),
                     [&](const Row& row) { return row.media == rows_.front().media; });
}

// A recording is one device's.
bool Batch::is_split() const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [](const Row& row) { return !row.media->elsewhere.empty(); });
}

bool Batch::records() const {
  return can_record_ && !is_split() && (is_about_one_window() || n_alike_ >= kPassesUntilRecorded);
}

size_t Batch::most_guesses() const {
  if (is_about_one_window()) return records() ? static_cast<size_t>(draft_width() - 1) : kMaxDraft;
  const auto usual = static_cast<size_t>(draft_width() - 1);
  return std::min(usual, std::max<size_t>(kCheapTokens / rows_.size(), 1) - 1);
}

void Batch::guess(Row& row) const {
  row.draft.clear();
  if (!draft_ || !row.open) return;
  const size_t left = row.options.max_new_tokens - row.answer->ids.size() - 1;
  row.draft = draft_->guess(row.answer->ids, std::min(most_guesses(), left));
}

// Tokens that the next pass reads of every row. A recorded pass has one of two widths, and a row
// alone always the same: with guesses or without, it fills no more of the device.
int64_t Batch::pass_width() const {
  size_t n = 1;
  for (const Row& row : rows_) n = std::max(n, row.draft.size() + 1);
  if (records() && (n > 1 || rows_.size() == 1)) return static_cast<int64_t>(most_guesses() + 1);
  return static_cast<int64_t>(n);
}

PassWindows Batch::windows() const {
  PassWindows windows;
  for (const Row& row : rows_) {
    if (windows.empty() || windows.back().media != row.media) windows.push_back({row.media, 0});
    ++windows.back().n;
  }
  return windows;
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
Picks Batch::run_pass(const Cancel& cancel) {
  const bool is_recorded = records();
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
                                      is_recorded ? text_.capacity : end, windows(), text_, cancel);
    tap_into(tap_, "decoder.logits", logits.flatten(0, 1));
    pass.picked.copy_(pick_tokens(logits.flatten(0, 1)).for_host);
  };
  if (is_recorded)
    pass.graph.run(work, known_sizes_.count({batch, n}) > 0);
  else
    work();
  known_sizes_.insert({batch, n});
  ++n_alike_;
  return Picks(pass.picked, n);
}

}  // namespace vidi
