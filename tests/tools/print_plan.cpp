#include "tests/tools/print_plan.h"

#include <ATen/core/Tensor.h>

#include <cstdio>

namespace vidi {
namespace {

const char* name_of(bool packed) { return packed ? "int8" : "native"; }

void print_line(const ModelPlan& plan, int64_t room) {
  std::printf("%-8s %-7s %-7s %7lld", name_of(plan.weights == WeightFormat::kInt8),
              name_of(plan.keys == KeyFormat::kInt8), plan.window.towers_leave ? "away" : "there",
              static_cast<long long>(plan.window.piece_tokens));
  for (const int64_t bytes : {plan.weight_bytes, plan.feature_bytes, plan.key_bytes,
                              plan.work_bytes, plan.spare_bytes, plan.total()})
    std::printf(" %10s", bytes_text(bytes).c_str());
  if (plan.spilled_layers > 0)
    std::printf("  %lld layers in the host's memory", static_cast<long long>(plan.spilled_layers));
  if (!plan.fits) std::printf("  %s too much", bytes_text(plan.total() - room).c_str());
  std::printf("\n");
}

}  // namespace

void print_plan(const ModelConfig& config, const CheckpointFiles& shapes,
                const OpenOptions& options, int seconds) {
  const bool on_cpu = options.device == "cpu";
  const bool full = on_cpu || options.precision == Precision::kFp32;
  const auto dtype = full ? at::kFloat : at::kHalf;
  OpenOptions window = options;
  window.window_seconds = seconds, window.window_frames = seconds;
  const auto source = [&] { return Weights(shapes, at::kCPU, dtype); };
  ModelPlanRequest request =
      measure_model(config, source, window, static_cast<int64_t>(at::elementSize(dtype)));
  request.on_cuda = !on_cpu;
  request.room = static_cast<int64_t>(options.memory_limit);
  const std::vector<ModelPlan> table = plan_table(request);
  std::printf("%d s in one window: %lld tokens of pictures, %lld of sound; %s; %s\n", seconds,
              static_cast<long long>(request.n_image_tokens),
              static_cast<long long>(request.n_audio_tokens), full ? "fp32" : "fp16 or bf16",
              request.room > 0 ? ("memory-limit " + bytes_text(request.room)).c_str() : "no limit");
  std::printf("%-8s %-7s %-7s %7s %10s %10s %10s %10s %10s %10s\n", "weights", "keys", "towers",
              "piece", "weights", "features", "keys", "work", "spare", "in all");
  for (const ModelPlan& plan : table) print_line(plan, request.room);
  const ModelPlan taken = choose_plan(table);
  std::printf("%s\n", taken.fits ? ("taken: " + form_text(taken)).c_str()
                                 : "none fits: a shorter window, or more memory");
}

}  // namespace vidi
