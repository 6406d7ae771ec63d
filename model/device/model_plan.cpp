#include "model/device/model_plan.h"

#include <algorithm>

namespace vidi {
namespace {

struct Form {
  WeightFormat weights;
  KeyFormat keys;
};

// From exact to small. Packed keys cost the answers less than packed weights do (the goldens'
// logits 0.1 to 0.8 % against 0.3 to 3.3 %), so they come first.
constexpr Form kForms[] = {{WeightFormat::kNative, KeyFormat::kNative},
                           {WeightFormat::kNative, KeyFormat::kInt8},
                           {WeightFormat::kInt8, KeyFormat::kNative},  // where it is asked for
                           {WeightFormat::kInt8, KeyFormat::kInt8}};

template <class Format>
bool may_be(Format format, Format asked) {
  return asked == Format::kAuto || asked == format;
}

// Who leaves the weights to the plan gets packed ones only with packed keys.
std::vector<Form> forms_of(const ModelPlanRequest& request) {
  std::vector<Form> forms;
  for (const Form& form : kForms) {
    const bool is_asked = request.weight_format == WeightFormat::kInt8 ||
                          request.key_format == KeyFormat::kNative ||
                          form.weights == WeightFormat::kNative || form.keys == KeyFormat::kInt8;
    if (is_asked && may_be(form.weights, request.weight_format) &&
        may_be(form.keys, request.key_format))
      forms.push_back(form);
  }
  if (request.can_pack_keys) return forms;
  std::vector<Form> without;
  for (const Form& form : forms) {
    if (without.empty() || without.back().weights != form.weights)
      without.push_back({form.weights, KeyFormat::kNative});
  }
  return without;
}

WindowNeed need_of(const ModelPlanRequest& request, KeyFormat keys) {
  WindowNeed need = window_need(
      request.decoder, request.n_image_tokens, request.n_audio_tokens, request.element_size,
      {keys, request.on_cuda, !request.on_cuda || !request.reads_packed_keys});
  if (request.on_cuda) need.joined = request.sound_token, need.look = request.look;
  return need;
}

// Spilled layers are chosen so that the room is used up, so what is not reckoned elsewhere has to
// be here: cuBLAS's workspaces of the towers' turn, what lies between tensors.
constexpr int64_t kGapsOfSpilled = int64_t{64} << 20;

// All weights on the device, towers too, with so many layers in the host's memory.
int64_t device_bytes(const ModelPlanRequest& request, const ModelPlan& plan) {
  const int64_t layer = request.weights.layer(plan.weights);
  const int64_t places = plan.spilled_layers > 0 ? kSpillPlaces * layer : 0;
  return request.weights.of(plan.weights) - plan.spilled_layers * layer + places;
}

MemoryState state_of(const ModelPlanRequest& request, const ModelPlan& plan) {
  MemoryState state;
  state.limit = request.room;
  state.towers = request.weights.towers;
  state.held = device_bytes(request, plan) + plan.sound_bytes;
  state.spare = plan.spare_bytes;
  return state;
}

// Beside all weights: what loading takes, or looking and listening.
int64_t bytes_before(const ModelPlanRequest& request, const ModelPlan& plan) {
  if (!request.on_cuda) return plan.spare_bytes;
  // Eight readers have a piece each, as read, as converted and as packed; and what the allocator
  // cannot use between tensors that stay.
  constexpr int64_t kLoading = int64_t{512} << 20;
  // With one spare of 64 MiB 30 s in 10 GB took 50 MB more than planned on an H200.
  const int64_t looking = plan.feature_bytes + request.look.towers + 2 * kSpareOnCuda;
  return std::max(looking, plan.spilled_layers > 0 ? kLoading : plan.spare_bytes);
}

ModelPlan line_of(const ModelPlanRequest& request, const Form& form, int64_t spilled_layers = 0) {
  ModelPlan plan;
  plan.weights = form.weights, plan.keys = form.keys;
  plan.spilled_layers = spilled_layers;
  plan.host_bytes = spilled_layers * request.weights.layer(form.weights);
  plan.spare_bytes = request.on_cuda ? kSpareOnCuda : 0;
  // On the CPU neither is counted (device_memory.h).
  if (request.on_cuda && form.weights == WeightFormat::kInt8)
    plan.spare_bytes += request.weights.expanded;
  plan.sound_bytes = request.on_cuda ? request.sound_features : 0;
  if (spilled_layers > 0) plan.spare_bytes += kGapsOfSpilled;
  const WindowNeed need = need_of(request, form.keys);
  const auto window = find_plan(state_of(request, plan), need);
  plan.window = window.value_or(MemoryPlan{true, kSmallestPiece});
  const bool leave = plan.window.towers_leave;
  const int64_t loaded = device_bytes(request, plan);
  const int64_t seen = feature_bytes(need.look, plan.window.piece_tokens, leave);
  plan.weight_bytes = loaded - (leave ? request.weights.towers : 0);
  plan.feature_bytes = seen + plan.sound_bytes;
  plan.key_bytes = need.keys;
  plan.work_bytes = bytes_needed(need, plan.window.piece_tokens, leave) - need.keys - seen;
  plan.load_bytes = loaded + bytes_before(request, plan);
  plan.fits = window && (request.room == 0 || plan.load_bytes <= request.room);
  return plan;
}

// Spilled layers are fetched for every piece, so pieces that are worth it come before fewer layers.
std::optional<ModelPlan> spilled_line(const ModelPlanRequest& request, const Form& form) {
  std::optional<ModelPlan> small;
  for (int64_t n = kSpillPlaces + 1; n <= request.decoder.layers; ++n) {
    const ModelPlan plan = line_of(request, form, n);
    if (plan.fits && plan.window.piece_tokens >= kSmallestPieceWithTowers) return plan;
    if (plan.fits && !small) small = plan;
  }
  return small;
}

}  // namespace

std::vector<ModelPlan> plan_table(const ModelPlanRequest& request) {
  std::vector<ModelPlan> table;
  const std::vector<Form> forms = forms_of(request);
  for (const Form& form : forms) table.push_back(line_of(request, form));
  const bool any =
      std::any_of(table.begin(), table.end(), [](const ModelPlan& line) { return line.fits; });
  if (any || !request.on_cuda || request.weights.native_layer == 0) return table;
  if (const auto line = spilled_line(request, forms.back())) table.push_back(*line);
  return table;
}

std::string form_text(const ModelPlan& plan) {
  const auto name = [](bool packed) { return std::string(packed ? "int8" : "native"); };
  const bool weights = plan.weights == WeightFormat::kInt8, keys = plan.keys == KeyFormat::kInt8;
  if (weights == keys) return name(weights) + " weights and keys";
  return name(weights) + " weights and " + name(keys) + " keys";
}

ModelPlan choose_plan(const std::vector<ModelPlan>& table) {
  const auto first =
      std::find_if(table.begin(), table.end(), [](const ModelPlan& line) { return line.fits; });
  return first == table.end() ? table.back() : *first;
}

std::string why_not_first(const std::vector<ModelPlan>& table, const ModelPlanRequest& request) {
  if (table.front().fits || table.size() < 2) return "";
  const std::string why = form_text(table.front()) + " need " + bytes_text(table.front().total()) +
                          ", " + bytes_text(request.room) + " are there";
  const int64_t spilled = choose_plan(table).spilled_layers;
  if (spilled == 0) return why;
  return why + "; " + std::to_string(spilled) + " of " + std::to_string(request.decoder.layers) +
         " layers wait in the host's memory";
}

int64_t most_features(const ModelPlanRequest& request, const ModelPlan& plan) {
  if (request.room == 0 || !request.on_cuda || request.look.frame_bytes == 0) return 0;
  const int64_t left = std::max<int64_t>(0, request.room - plan.total());
  const int64_t planned = plan.feature_bytes - plan.sound_bytes;
  return std::max<int64_t>(1, (planned + left) / request.look.frame_bytes);
}

int64_t room_of_free(int64_t free_bytes) {
  constexpr int64_t kLeast = 500'000'000;
  return std::max<int64_t>(1, free_bytes - std::max(kLeast, free_bytes / 100 * 3));
}

}  // namespace vidi
