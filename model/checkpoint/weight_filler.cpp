#include "model/checkpoint/weight_filler.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "kernels/aten.h"
#include "kernels/interruption.h"
#include "kernels/usable_cores.h"

namespace vidi {
namespace {

constexpr int64_t kPieceBytes = int64_t{16} << 20;  // read, copied and converted at a time

}  // namespace

std::optional<at::ScalarType> float_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return at::kFloat;
    case Dtype::kF16:
      return at::kHalf;
    case Dtype::kBF16:
      return at::kBFloat16;
    case Dtype::kF64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

// [2] float32: the lowest and the highest of [n] values.
at::Tensor extremes_of(const at::Tensor& values) {
  constexpr int64_t kPieceValues = int64_t{64} << 20;
  std::vector<at::Tensor> lows, highs;
  for (int64_t at = 0; at < values.numel(); at += kPieceValues) {
    interruption_point();
    auto [low, high] =
        at::aminmax(values.narrow(0, at, std::min(kPieceValues, values.numel() - at)));
    lows.push_back(low), highs.push_back(high);
  }
  return at::stack({at::stack(lows).amin(), at::stack(highs).amax()}).to(at::kFloat);
}

EngineError not_finite(const std::string& name, at::ScalarType dtype) {
  return {ErrorCode::kDamaged, "tensor " + name + " holds values that are not finite in " +
                                   c10::toString(dtype) + ", expected numbers within its range"};
}

namespace {

void check_finite(const WeightSlot& slot, const at::Tensor& values, at::ScalarType dtype) {
  if (!extremes_of(values.reshape({-1})).isfinite().all().item<bool>())
    throw not_finite(slot.name, dtype);
}

// `rows` [n, columns] of a packed matrix, from this row of the whole one on.
void spill_packed(const WeightSlot& slot, int64_t first_row, const at::Tensor& rows) {
  const int64_t columns = rows.size(1);
  WeightMatrix some =
      WeightMatrix::packed(rows.size(0), columns, rows.device(), slot.matrix->dtype());
  some.pack_rows(0, rows);
  const std::vector<at::Tensor> memory = some.memory();
  check_finite(slot, memory[1], slot.matrix->dtype());
  const int64_t scales = static_cast<int64_t>(memory[1].nbytes()) / rows.size(0);  // of a row
  slot.spilled.image->write(slot.spilled.first + first_row * columns, bytes_of(memory[0]));
  slot.spilled.image->write(slot.spilled.scales_first + first_row * scales, bytes_of(memory[1]));
}

}  // namespace

void store_values(const WeightSlot& slot, int64_t first, const at::Tensor& values) {
  if (!slot.matrix || (!slot.packed && !slot.is_spilled())) {
    slot.values.view(-1).narrow(0, first, values.numel()).copy_(values);
    return;
  }
  const int64_t columns = slot.shape()[1];
  const at::Tensor numbers = values.to(slot.matrix->dtype());
  const int64_t first_row = slot.first_row + first / columns;
  if (!slot.is_spilled()) return slot.matrix->pack_rows(first_row, numbers.view({-1, columns}));
  if (slot.packed) return spill_packed(slot, first_row, numbers.view({-1, columns}));
  check_finite(slot, numbers, slot.matrix->dtype());
  const int64_t place = slot.first_row * columns + first;
  slot.spilled.image->write(slot.spilled.first + place * numbers.element_size(), bytes_of(numbers));
}

int64_t rows_of_piece(int64_t columns, int64_t element_size) {
  return std::max<int64_t>(1, kPieceBytes / element_size / columns / 16) * 16;
}

WeightFiller::WeightFiller(std::vector<WeightSlot>& slots, const CheckpointFiles& files,
                           at::Device device, at::ScalarType dtype)
    : files_(files), device_(device), dtype_(dtype) {
  auto place = [](const WeightSlot& s) { return std::pair(s.place.shard, s.place.entry.begin); };
  std::sort(slots.begin(), slots.end(),
            [&](const WeightSlot& a, const WeightSlot& b) { return place(a) < place(b); });
  for (const WeightSlot& slot : slots) list_pieces(slot);
}

void WeightFiller::list_pieces(const WeightSlot& slot) {
  const TensorEntry& e = slot.place.entry;
  const auto size = static_cast<int64_t>(dtype_size(e.dtype));
  const int64_t step =
      slot.packed ? rows_of_piece(e.shape[1], size) * e.shape[1] : kPieceBytes / size;
  for (int64_t at = 0; at < e.numel(); at += step) {
    pieces_.push_back({&slot, at, std::min(step, e.numel() - at)});
  }
}

void WeightFiller::run(const Progress& progress, const Cancel& cancel) {
  running_ = std::clamp<size_t>(usable_cores(), 2, 8);
  std::vector<std::thread> workers;
  for (size_t i = running_; i > 0; --i) workers.emplace_back([&] { work(cancel); });
  tell_progress(progress);
  for (std::thread& w : workers) w.join();
  if (failure_) std::rethrow_exception(failure_);
}

// A row of a packed matrix may be longer than a piece.
int64_t WeightFiller::largest_piece() const {
  int64_t largest = kPieceBytes;
  for (const Piece& p : pieces_)
    largest = std::max(largest, p.n * static_cast<int64_t>(dtype_size(p.slot->place.entry.dtype)));
  return largest;
}

void WeightFiller::copy(const Piece& piece, uint8_t* buffer) const {
  const TensorEntry& e = piece.slot->place.entry;
  const size_t size = dtype_size(e.dtype);
  read_file_range(files_.shards[piece.slot->place.shard], e.begin + piece.first * size, buffer,
                  piece.n * size);
  at::Tensor raw = at::from_blob(buffer, {piece.n}, at::TensorOptions(*float_type(e.dtype)));
  // Waits for the copy, so that the buffer is free again; converts on the device.
  const at::Tensor there = raw.to(device_);
  store_values(*piece.slot, piece.first, there);
}

void WeightFiller::work(const Cancel& cancel) {
  try {
    c10::InferenceMode inference;
    at::Tensor buffer =
        at::empty({largest_piece()}, at::TensorOptions(at::kByte).pinned_memory(device_.is_cuda()));
    for (size_t i; (i = next_.fetch_add(1)) < pieces_.size(); done_.fetch_add(1)) {
      cancel.check();
      copy(pieces_[i], buffer.data_ptr<uint8_t>());
    }
  } catch (...) {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    next_.store(pieces_.size());  // the others stop at their next piece
  }
  std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_one();
}

// On the calling thread, until the last worker is done.
void WeightFiller::tell_progress(const Progress& progress) {
  size_t told = 0;
  for (std::unique_lock lock(mutex_); running_ > 0;) {
    changed_.wait_for(lock, std::chrono::milliseconds(50));
    const size_t percent = pieces_.empty() ? 100 : 100 * done_.load() / pieces_.size();
    if (!progress || percent <= told || percent == 100 || failure_) continue;
    told = percent;
    lock.unlock();
    progress(told / 100.0);
    lock.lock();
  }
}

}  // namespace vidi
