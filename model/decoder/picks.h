// What was picked after every token of a pass, on the host.
#pragma once

#include <ATen/core/Tensor.h>

namespace vidi {

// picked [2, B * width] as Picked::for_host (kernels/layers/argmax.h), of rows of `width` tokens.
class Picks {
 public:
  Picks(const at::Tensor& picked, int64_t width) : width_(width), on_host_(picked.cpu()) {}
  int id(size_t row, size_t t) const { return static_cast<int>(value(0, row, t)); }
  float probability(size_t row, size_t t) const { return value(1, row, t); }

 private:
  float value(int which, size_t row, size_t t) const {
    return on_host_.const_data_ptr<float>()[which * on_host_.size(1) + row * width_ + t];
  }
  int64_t width_;
  at::Tensor on_host_;
};

}  // namespace vidi
