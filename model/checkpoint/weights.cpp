#include "model/checkpoint/weights.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "kernels/aten.h"
#include "kernels/interruption.h"
#include "kernels/usable_cores.h"
#include "model/result.h"

namespace vidi {
namespace {

constexpr int64_t kPieceBytes = int64_t{16} << 20;  // read, copied and converted at a time

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

}  // namespace

Weights::Weights(CheckpointFiles files, at::Device device, at::ScalarType dtype)
    : files_(std::move(files)), device_(device), dtype_(dtype) {}

Weights Weights::random(CheckpointFiles shapes, at::Device device, at::ScalarType dtype,
                        uint64_t seed) {
  Weights weights(std::move(shapes), device, dtype);
  weights.random_ = true;
  weights.seed_ = seed;
  return weights;
}

// False: the checkpoint lacks it, which is remembered.
bool Weights::add_slot(const Target& target, const std::string& name,
                       const std::vector<int64_t>& shape, const std::string& field) {
  const CheckpointFiles::Place* place = files_.find(name);
  if (!place) {
    missing_.push_back(name);
    return false;
  }
  if (place->entry.shape != shape) {
    throw EngineError(ErrorCode::kDamaged, "tensor " + name + " has shape " +
                                               shape_text(place->entry.shape) + ", expected " +
                                               shape_text(shape) + " from " + field);
  }
  if (!float_type(place->entry.dtype)) {
    throw EngineError(ErrorCode::kDamaged, "tensor " + name + " has dtype " +
                                               dtype_name(place->entry.dtype) +
                                               ", expected BF16, F16, F32 or F64");
  }
  slots_.push_back({target.tensor, target.matrix, target.packed, name, *place});
  return true;
}

void Weights::take(at::Tensor& slot, const std::string& name, const std::vector<int64_t>& shape,
                   const std::string& field) {
  add_slot({.tensor = &slot}, name, shape, field);
}

void Weights::take(WeightMatrix& slot, const std::string& name, const std::vector<int64_t>& shape,
                   const std::string& field) {
  const bool packed = packs_ && WeightMatrix::can_pack(shape[0], shape[1], device_, dtype_);
  add_slot({.matrix = &slot, .packed = packed}, name, shape, field);
}

void Weights::take_joined(at::Tensor& slot, const std::vector<Part>& parts, int64_t columns) {
  add_joined({.tensor = &slot}, parts, columns);
}

// Every part must be packed by itself.
void Weights::take_joined(WeightMatrix& slot, const std::vector<Part>& parts, int64_t columns) {
  const bool packed =
      packs_ && std::all_of(parts.begin(), parts.end(), [&](const Part& p) {
        return !p.name.empty() && WeightMatrix::can_pack(p.rows, columns, device_, dtype_);
      });
  add_joined({.matrix = &slot, .packed = packed}, parts, columns);
}

void Weights::add_joined(const Target& target, const std::vector<Part>& parts, int64_t columns) {
  int64_t in_all = 0, first = 0;
  for (const Part& p : parts) in_all += p.rows;
  bool is_first = true;
  for (const Part& p : parts) {
    std::vector<int64_t> shape{p.rows};
    if (columns > 0) shape.push_back(columns);
    if (!p.name.empty() && add_slot(target, p.name, shape, p.field)) {
      slots_.back().first_row = first;
      slots_.back().rows_in_all = in_all;
      slots_.back().makes_all = is_first;
      is_first = false;
    }
    first += p.rows;
  }
}

void Weights::check_missing() const {
  if (missing_.empty()) return;
  constexpr size_t kShown = 20;
  std::string names;
  for (size_t i = 0; i < std::min(kShown, missing_.size()); ++i) {
    names += (i ? ", " : "") + missing_[i];
  }
  if (missing_.size() > kShown)
    names += " and " + std::to_string(missing_.size() - kShown) + " more";
  throw EngineError(ErrorCode::kDamaged, "the checkpoint lacks " + std::to_string(missing_.size()) +
                                             " tensor(s): " + names);
}

int64_t Weights::bytes_taken() const {
  int64_t bytes = 0;
  for (const Slot& s : slots_) {
    bytes += s.packed ? WeightMatrix::packed_bytes(s.shape()[0], s.shape()[1])
                      : s.place.entry.numel() * static_cast<int64_t>(at::elementSize(dtype_));
  }
  return bytes;
}

bool Weights::packs_any() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.packed; });
}

int64_t Weights::expanded_bytes() const {
  int64_t most = 0;
  for (const Slot& s : slots_) {
    if (s.packed)
      most = std::max(most, WeightMatrix::expanded_bytes(s.rows(), s.shape()[1], dtype_));
  }
  return most;
}

std::vector<std::pair<std::string, at::Tensor>> Weights::loaded() const {
  std::vector<std::pair<std::string, at::Tensor>> all;
  for (const Slot& s : slots_) {
    if (!s.packed) all.emplace_back(s.name, s.values);
  }
  return all;
}

std::vector<std::string> Weights::unused() const {
  std::set<std::string> taken;
  for (const Slot& s : slots_) taken.insert(s.name);
  std::vector<std::string> names;
  for (const auto& [name, place] : files_.tensors) {
    if (!taken.count(name)) names.push_back(name);
  }
  return names;
}

void Weights::allocate() {
  const auto options = at::TensorOptions(dtype_).device(device_);
  for (Slot& s : slots_) {
    interruption_point();
    if (s.matrix) {
      allocate_matrix(s);
      continue;
    }
    std::vector<int64_t> shape = s.place.entry.shape;
    const int64_t rows = s.rows_in_all > 0 ? shape[0] : 0;
    if (rows > 0) shape[0] = s.rows_in_all;
    if (rows == 0) *s.tensor = at::empty(shape, options);
    if (s.makes_all) *s.tensor = at::zeros(shape, options);
    s.values = rows > 0 ? s.tensor->narrow(0, s.first_row, rows) : *s.tensor;
  }
}

void Weights::allocate_matrix(Slot& s) {
  const int64_t columns = s.shape()[1];
  if (s.rows_in_all == 0 || s.makes_all) {
    const auto options = at::TensorOptions(dtype_).device(device_);
    if (s.packed) {
      *s.matrix = WeightMatrix::packed(s.rows(), columns, device_, dtype_);
    } else {  // parts without a name are zeros
      *s.matrix = WeightMatrix(s.makes_all ? at::zeros({s.rows(), columns}, options)
                                           : at::empty({s.rows(), columns}, options));
    }
  }
  if (!s.packed) s.values = s.matrix->native().narrow(0, s.first_row, s.shape()[0]);
}

// Rows that are packed at a time: as many as a piece holds, in whole strips.
static int64_t rows_of_piece(int64_t columns, int64_t element_size) {
  return std::max<int64_t>(1, kPieceBytes / element_size / columns / 16) * 16;
}

void Weights::fill_random() {
  at::manual_seed(seed_);
  const auto options = at::TensorOptions(dtype_).device(device_);
  for (Slot& s : slots_) {
    if (!s.packed) {
      s.values.normal_(0.0, 0.02);
      continue;
    }
    const int64_t columns = s.shape()[1], step = rows_of_piece(columns, options.dtype().itemsize());
    for (int64_t at = 0; at < s.shape()[0]; at += step) {
      const int64_t n = std::min(step, s.shape()[0] - at);
      s.matrix->pack_rows(s.first_row + at, at::empty({n, columns}, options).normal_(0.0, 0.02));
    }
  }
}

// The workers share a list of pieces in the order of the files, each with a pinned buffer of its
// own: while one waits for its copy, others read. Host memory stays at workers * kPieceBytes.
class Weights::Filler {
 public:
  Filler(Weights& weights, const Cancel& cancel) : weights_(weights), cancel_(cancel) {
    list_pieces();
  }

  // Returns when all is copied; throws what a worker threw first.
  void run(const Progress& progress) {
    running_ = std::clamp<size_t>(usable_cores(), 2, 8);
    std::vector<std::thread> workers;
    for (size_t i = running_; i > 0; --i) workers.emplace_back([this] { work(); });
    tell_progress(progress);
    for (std::thread& w : workers) w.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // A stretch of one tensor: what one worker reads and copies in one go.
  struct Piece {
    const Slot* slot;
    int64_t first, n;  // values
  };

  void list_pieces() {
    auto place = [](const Slot& s) { return std::pair(s.place.shard, s.place.entry.begin); };
    std::sort(weights_.slots_.begin(), weights_.slots_.end(),
              [&](const Slot& a, const Slot& b) { return place(a) < place(b); });
    for (const Slot& slot : weights_.slots_) {
      const TensorEntry& e = slot.place.entry;
      const auto size = static_cast<int64_t>(dtype_size(e.dtype));
      const int64_t step =
          slot.packed ? rows_of_piece(e.shape[1], size) * e.shape[1] : kPieceBytes / size;
      for (int64_t at = 0; at < e.numel(); at += step) {
        pieces_.push_back({&slot, at, std::min(step, e.numel() - at)});
      }
    }
  }

  // A row of a packed matrix may be longer than a piece.
  int64_t largest_piece() const {
    int64_t largest = kPieceBytes;
    for (const Piece& p : pieces_)
      largest =
          std::max(largest, p.n * static_cast<int64_t>(dtype_size(p.slot->place.entry.dtype)));
    return largest;
  }

  void copy(const Piece& piece, uint8_t* buffer) {
    const TensorEntry& e = piece.slot->place.entry;
    const size_t size = dtype_size(e.dtype);
    read_file_range(weights_.files_.shards[piece.slot->place.shard], e.begin + piece.first * size,
                    buffer, piece.n * size);
    at::Tensor raw = at::from_blob(buffer, {piece.n}, at::TensorOptions(*float_type(e.dtype)));
    // Waits for the copy, so that the buffer is free again; converts on the device.
    const at::Tensor there = raw.to(weights_.device_);
    const Slot& slot = *piece.slot;
    if (!slot.packed) {
      slot.values.view(-1).narrow(0, piece.first, piece.n).copy_(there);
      return;
    }
    const int64_t columns = slot.shape()[1];
    slot.matrix->pack_rows(slot.first_row + piece.first / columns,
                           there.to(weights_.dtype_).view({-1, columns}));
  }

  void work() {
    try {
      c10::InferenceMode inference;
      at::Tensor buffer =
          at::empty({largest_piece()},
                    at::TensorOptions(at::kByte).pinned_memory(weights_.device_.is_cuda()));
      for (size_t i; (i = next_.fetch_add(1)) < pieces_.size(); done_.fetch_add(1)) {
        cancel_.check();
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
  void tell_progress(const Progress& progress) {
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

  Weights& weights_;
  const Cancel& cancel_;
  std::vector<Piece> pieces_;
  std::atomic<size_t> next_{0}, done_{0};
  std::mutex mutex_;  // guards running_ and failure_
  std::condition_variable changed_;
  size_t running_ = 0;
  std::exception_ptr failure_;
};

// [2] float32: the lowest and the highest of [n] values.
static at::Tensor extremes_of(const at::Tensor& values) {
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

// A value that the working dtype cannot hold would turn every answer into noise without a word.
void Weights::check_finite() const {
  std::vector<at::Tensor> extremes;
  std::vector<std::string> names;
  for (const Slot& s : slots_) {
    const at::Tensor numbers = s.packed ? s.matrix->scales_of(s.first_row, s.shape()[0]) : s.values;
    if (numbers.numel() == 0) continue;
    extremes.push_back(extremes_of(numbers.reshape({-1})));
    names.push_back(s.name);
  }
  if (extremes.empty()) return;
  at::Tensor all = at::stack(extremes).cpu();
  for (size_t i = 0; i < names.size(); ++i) {
    const float* range = all.data_ptr<float>() + 2 * i;
    if (std::isfinite(range[0]) && std::isfinite(range[1])) continue;
    throw EngineError(ErrorCode::kDamaged,
                      "tensor " + names[i] + " holds values that are not finite in " +
                          c10::toString(dtype_) + ", expected numbers within its range");
  }
}

void Weights::load(const Progress& progress, const Cancel& cancel) {
  check_missing();
  allocate();
  if (random_) {
    fill_random();
  } else {
    Filler(*this, cancel).run(progress);
    check_finite();
  }
  if (progress) progress(1.0);
}

}  // namespace vidi
