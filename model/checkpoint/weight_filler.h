// Fills the slots of a model from the checkpoint's files: file -> pinned buffer -> device ->
// working dtype, or 8 bits. Several workers read, each with a buffer of its own: while one waits
// for its copy, others read. Host memory stays at workers * a piece.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "model/cancel.h"
#include "model/checkpoint/weight_slot.h"
#include "model/result.h"

namespace vidi {

// Fraction done, 0..1; called on the loading thread, at most about a hundred times.
using Progress = std::function<void(double)>;

// Rows that are packed at a time: as many as a piece of a file holds, in whole strips.
int64_t rows_of_piece(int64_t columns, int64_t element_size);

// [2] float32: the lowest and the highest of [n] values.
at::Tensor extremes_of(const at::Tensor& values);
// "tensor X holds values that are not finite in Half ..."
EngineError not_finite(const std::string& name, at::ScalarType dtype);

// Values [first, first + n) of a slot's tensor, on its device, go where they belong, converted or
// packed; of a packed one whole rows. Throws not_finite() for a spilled one, whose values nobody
// can look at later.
void store_values(const WeightSlot& slot, int64_t first, const at::Tensor& values);

class WeightFiller {
 public:
  // Sorts `slots`, which are allocated, in the order of the files; what is given must outlive it.
  WeightFiller(std::vector<WeightSlot>& slots, const CheckpointFiles& files, at::Device device,
               at::ScalarType dtype);

  // Returns when all is copied; throws what a worker threw first: kUnreadable, kCancelled.
  void run(const Progress& progress, const Cancel& cancel);

 private:
  // A stretch of one tensor: what one worker reads and copies in one go.
  struct Piece {
    const WeightSlot* slot;
    int64_t first, n;  // values
  };
  void list_pieces(const WeightSlot& slot);
  int64_t largest_piece() const;
  void copy(const Piece& piece, uint8_t* buffer) const;
  void work(const Cancel& cancel);
  void tell_progress(const Progress& progress);

  const CheckpointFiles& files_;
  const at::Device device_;
  const at::ScalarType dtype_;
  std::vector<Piece> pieces_;
  std::atomic<size_t> next_{0}, done_{0};
  std::mutex mutex_;  // guards running_ and failure_
  std::condition_variable changed_;
  size_t running_ = 0;
  std::exception_ptr failure_;
};

}  // namespace vidi
