#include "kernels/layers/linear.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>
#include <string_view>
#include <vector>

#include "kernels/aten.h"
#include "kernels/layers/pieces.h"

namespace vidi {
namespace {

// With fewer rows the call costs more than the faster product saves.
constexpr int64_t kEnoughRows = 8;

// MKL is as fast on other processors.
bool is_amd() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

// oneDNN's product as libtorch's own compiler calls it: the name of an activation, its numbers and
// its algorithm. It has no function of its own, so it is looked up by name.
using OneDnnLinear = at::Tensor(const at::Tensor&, const at::Tensor&,
                                const std::optional<at::Tensor>&, std::string_view,
                                c10::List<std::optional<at::Scalar>>,
                                std::optional<std::string_view>);

// None where MKL does as well, or libtorch was built without it.
const std::optional<c10::TypedOperatorHandle<OneDnnLinear>>& one_dnn_linear() {
  static const auto found = []() -> std::optional<c10::TypedOperatorHandle<OneDnnLinear>> {
    if (!is_amd()) return std::nullopt;
    try {
      const auto op = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
      if (op && op->hasKernelForDispatchKey(c10::DispatchKey::CPU))
        return op->typed<OneDnnLinear>();
    } catch (const c10::Error&) {  // another version takes something else
    }
    return std::nullopt;
  }();
  return found;
}

// Not where the application has switched oneDNN off (torch.backends.mkldnn).
bool goes_to_one_dnn(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  auto fits = [](const at::Tensor& t) { return t.is_cpu() && t.scalar_type() == at::kFloat; };
  return fits(x) && fits(weight) && (!bias.defined() || fits(bias)) && x.dim() > 1 &&
         weight.is_contiguous() && x.numel() >= kEnoughRows * x.size(-1) && x.numel() > 0 &&
         at::globalContext().userEnabledMkldnn() && one_dnn_linear().has_value();
}

at::Tensor run_one_dnn(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::string_view activation, std::string_view algorithm) {
  std::optional<at::Tensor> given_bias;
  if (bias.defined()) given_bias = bias;
  return one_dnn_linear()->call(x, weight, given_bias, activation,
                                c10::List<std::optional<at::Scalar>>(), algorithm);
}

at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (goes_to_one_dnn(x, weight, bias)) return run_one_dnn(x, weight, bias, "none", "");
  return at::linear(x, weight, bias);
}

at::Tensor activated_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             Activation activation) {
  if (goes_to_one_dnn(x, weight, bias)) {
    if (activation == Activation::kSilu) return run_one_dnn(x, weight, bias, "swish", "");
    const bool is_tanh = activation == Activation::kGeluTanh;
    return run_one_dnn(x, weight, bias, "gelu", is_tanh ? "tanh" : "none");
  }
  if (!x.is_cuda() || x.scalar_type() == at::kFloat || activation != Activation::kGeluTanh) {
    return activate(at::linear(x, weight, bias), activation);
  }
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  at::Tensor rows = x.reshape({-1, x.size(-1)});
  return at::_addmm_activation(bias, rows, weight.t(), 1, 1, /*use_gelu=*/true).view(shape);
}

// Rows times the weight, some of the weight's rows at a time: a piece of work each.
template <class Product>
at::Tensor in_slices(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias,
                     const Product& product) {
  const int64_t n_out = weight.size(0), n_rows = rows.numel() / rows.size(-1);
  const int64_t slice =
      rows_in_piece(2.0 * static_cast<double>(n_rows) * static_cast<double>(weight.size(1)));
  if (n_out <= slice) return product(rows, weight, bias);
  std::vector<int64_t> shape = rows.sizes().vec();
  shape.back() = n_out;
  const at::Tensor out = at::empty(shape, rows.options());
  for (int64_t at = 0; at < n_out; at += slice) {
    if (at > 0) interruption_point();
    const int64_t n = std::min(slice, n_out - at);
    const at::Tensor some = bias.defined() ? bias.narrow(0, at, n) : bias;
    out.narrow(-1, at, n).copy_(product(rows, weight.narrow(0, at, n), some));
  }
  return out;
}

// On the CPU in pieces of work (interruption.h), elsewhere in one.
template <class Product>
at::Tensor in_pieces(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     const Product& product) {
  return in_blocks_of_rows(x, kBlockRows, [&](const at::Tensor& rows) {
    if (!rows.is_cpu() || rows.numel() == 0) return product(rows, weight, bias);
    return in_slices(rows, weight, bias, product);
  });
}

}  // namespace

bool activates_in_product(const at::Tensor& x, const at::Tensor& weight) {
  return goes_to_one_dnn(x, weight, {});
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kSilu:
      return at::silu(x);
  }
  TORCH_CHECK(false, "activate: unknown activation");
}

at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return in_pieces(x, weight, bias, product);
}

void apply_linear_into(const at::Tensor& out, const at::Tensor& x, const at::Tensor& weight) {
  const double operations =
      2.0 * static_cast<double>(x.size(0)) * static_cast<double>(weight.numel());
  if (goes_to_one_dnn(x, weight, {}) || (x.is_cpu() && operations > kPieceOperations)) {
    out.copy_(apply_linear(x, weight));
  } else {
    interruption_point();
    at::Tensor result = out;
    at::mm_out(result, x, weight.t());
  }
}

at::Tensor activated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            Activation activation) {
  return in_pieces(x, weight, bias,
                   [activation](const at::Tensor& rows, const at::Tensor& some_weight,
                                const at::Tensor& some_bias) {
                     return activated_product(rows, some_weight, some_bias, activation);
                   });
}

}  // namespace vidi
