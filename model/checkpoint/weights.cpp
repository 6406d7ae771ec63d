#include "model/checkpoint/weights.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "kernels/aten.h"
#include "kernels/interruption.h"
#include "model/checkpoint/tensor_arena.h"
#include "model/result.h"

namespace vidi {
namespace {

// Where tensors begin in an image.
int64_t in_lines(int64_t bytes) {
  constexpr int64_t kLine = TensorArena::kLine;
  return (bytes + kLine - 1) / kLine * kLine;
}

int64_t matrix_bytes(bool packed, int64_t rows, int64_t columns, at::ScalarType dtype) {
  if (packed) return WeightMatrix::packed_bytes(rows, columns);
  return rows * columns * static_cast<int64_t>(at::elementSize(dtype));
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
  if (target.matrix) slots_.back().layer = spilled_layer(name);
  return true;
}

// Of the matrix's name; -1: it is not spilled.
int64_t Weights::spilled_layer(const std::string& name) const {
  for (const int64_t layer : spilled_) {
    if (name.starts_with("model.layers." + std::to_string(layer) + ".")) return layer;
  }
  return -1;
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
    if (!s.packed && !s.is_spilled()) all.emplace_back(s.name, s.values);
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

int64_t Weights::spilled_bytes() const {
  int64_t bytes = 0;
  for (const Slot& s : slots_) {
    if (s.is_spilled() && (s.rows_in_all == 0 || s.makes_all))
      bytes += matrix_bytes(s.packed, s.rows(), s.shape()[1], dtype_);
  }
  return bytes;
}

std::vector<SpilledLayer> Weights::spilled() const {
  std::vector<SpilledLayer> layers;
  for (const int64_t index : spilled_) {
    SpilledLayer layer{index, nullptr, {}};
    for (const Slot& s : slots_) {
      if (s.layer != index || (s.rows_in_all > 0 && !s.makes_all)) continue;
      layer.image = s.spilled.image;
      const std::vector<at::Tensor> memory = s.matrix->memory();
      layer.tensors.emplace_back(memory[0], s.spilled.first);
      if (s.packed) layer.tensors.emplace_back(memory[1], s.spilled.scales_first);
    }
    if (layer.image) layers.push_back(std::move(layer));
  }
  return layers;
}

// An image for each spilled layer, and each matrix's place in it; parts of a joined one share it.
void Weights::allocate_images() {
  for (const int64_t layer : spilled_) {
    int64_t bytes = 0;
    std::map<const WeightMatrix*, SpilledPlace> places;
    for (const Slot& s : slots_) {
      if (s.layer != layer || places.contains(s.matrix)) continue;
      const int64_t columns = s.shape()[1], all = matrix_bytes(s.packed, s.rows(), columns, dtype_);
      const int64_t numbers = s.packed ? s.rows() * columns : all;
      places[s.matrix] = {nullptr, bytes, bytes + in_lines(numbers)};
      const int64_t scale_size = device_.is_cpu() ? 2 : 1;  // float32 there, of half precision here
      bytes += in_lines(numbers) + in_lines((all - numbers) * scale_size);
    }
    const auto image = std::make_shared<HostImage>(bytes, device_.is_cuda());
    for (Slot& s : slots_) {
      if (s.layer != layer) continue;
      s.spilled = places[s.matrix];
      s.spilled.image = image;
    }
  }
}

bool is_of_towers(const std::string& name) {
  return name.starts_with("model.mm_vis.") || name.starts_with("model.mm_aud.");
}

// Bytes of the tensors that allocate() makes, in its order.
std::vector<int64_t> Weights::sizes_of(bool of_towers) const {
  std::vector<int64_t> sizes;
  const auto element = static_cast<int64_t>(at::elementSize(dtype_));
  for (const Slot& s : slots_) {
    const bool is_part = s.rows_in_all > 0 && !s.makes_all;
    if (is_part || s.is_spilled() || is_of_towers(s.name) != of_towers) continue;
    const int64_t numbers = s.place.entry.numel() / std::max<int64_t>(1, s.shape()[0]) * s.rows();
    sizes.push_back(s.packed ? numbers : numbers * element);
    if (s.packed) sizes.push_back(WeightMatrix::packed_bytes(s.rows(), s.shape()[1]) - numbers);
  }
  return sizes;
}

void Weights::allocate() {
  allocate_images();
  // The towers' memory apart: it can leave the device alone (device/offload.h).
  TensorArena towers(device_, sizes_of(true)), others(device_, sizes_of(false));
  for (Slot& s : slots_) {
    interruption_point();
    TensorArena& arena = is_of_towers(s.name) ? towers : others;
    // On the CPU each has its own.
    const auto make = [&](at::IntArrayRef shape, at::ScalarType dtype) {
      const bool own = device_.is_cpu() || s.is_spilled();
      return own ? at::empty(shape, at::TensorOptions(dtype).device(device_))
                 : arena.take(shape, dtype);
    };
    if (s.matrix) {
      allocate_matrix(s, make);
    } else {
      allocate_tensor(s, make);
    }
  }
}

void Weights::allocate_tensor(Slot& s, const WeightMatrix::Allocate& make) const {
  std::vector<int64_t> shape = s.place.entry.shape;
  const int64_t rows = s.rows_in_all > 0 ? shape[0] : 0;
  if (rows > 0) shape[0] = s.rows_in_all;
  if (rows == 0) *s.tensor = make(shape, dtype_);
  if (s.makes_all) *s.tensor = make(shape, dtype_).zero_();  // parts without a name stay zeros
  s.values = rows > 0 ? s.tensor->narrow(0, s.first_row, rows) : *s.tensor;
}

void Weights::allocate_matrix(Slot& s, const WeightMatrix::Allocate& make) const {
  const int64_t columns = s.shape()[1];
  if (s.rows_in_all == 0 || s.makes_all) {
    if (s.packed) {
      *s.matrix = WeightMatrix::packed(s.rows(), columns, device_, dtype_, make);
    } else {
      *s.matrix = WeightMatrix(make({s.rows(), columns}, dtype_));
      if (s.makes_all && !s.is_spilled()) s.matrix->native().zero_();
    }
  }
  if (s.is_spilled()) {  // its tensors, without memory
    for (const at::Tensor& t : s.matrix->memory())
      t.storage().set_data_ptr_noswap(at::DataPtr(nullptr, device_));
  } else if (!s.packed) {
    s.values = s.matrix->native().narrow(0, s.first_row, s.shape()[0]);
  }
}

void Weights::fill_random() {
  at::manual_seed(seed_);
  const auto options = at::TensorOptions(dtype_).device(device_);
  for (Slot& s : slots_) {
    if (!s.packed && !s.is_spilled()) {
      s.values.normal_(0.0, 0.02);
      continue;
    }
    const int64_t columns = s.shape()[1],
                  step = rows_of_piece(columns, static_cast<int64_t>(options.dtype().itemsize()));
    for (int64_t at = 0; at < s.shape()[0]; at += step) {
      const int64_t n = std::min(step, s.shape()[0] - at);
      store_values(s, at * columns, at::empty({n * columns}, options).normal_(0.0, 0.02));
    }
  }
}

// A value that the working dtype cannot hold would turn every answer into noise without a word.
void Weights::check_finite() const {
  std::vector<at::Tensor> extremes;
  std::vector<std::string> names;
  for (const Slot& s : slots_) {
    if (s.is_spilled()) continue;  // store_values() has seen to it
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
    throw not_finite(names[i], dtype_);
  }
}

void Weights::load(const Progress& progress, const Cancel& cancel) {
  check_missing();
  allocate();
  if (random_) {
    fill_random();
  } else {
    WeightFiller(slots_, files_, device_, dtype_).run(progress, cancel);
    check_finite();
  }
  if (progress) progress(1.0);
}

}  // namespace vidi
