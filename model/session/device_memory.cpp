#include "model/session/device_memory.h"

#include <algorithm>

#include "kernels/aten.h"
#include "model/device/device.h"

namespace vidi {
namespace {

// For a window's questions and the workspace of its layers, where no limit says how much.
constexpr int64_t kSpareForWork = int64_t{2} << 30;

// As if the towers had come back.
MemoryState with_towers(MemoryState state) {
  if (!state.towers_in) state.held += state.towers;
  state.towers_in = true;
  return state;
}

}  // namespace

WindowNeed DeviceMemory::need_of(int64_t n_image_tokens, int64_t n_audio_tokens) const {
  KeyPlace place;
  if (model_.info().keys == "int8") place.format = KeyFormat::kInt8;
  place.on_cuda = model_.device().is_cuda();
  place.expands = model_.decoder().expanded_media_bytes(1) > 0;
  WindowNeed need = window_need(model_.config().decoder, n_image_tokens, n_audio_tokens,
                                model_.element_size(), place);
  if (place.on_cuda) need.joined = sound_token_bytes(model_.config(), model_.element_size());
  return need;
}

// On the CPU neither features nor workspaces are counted.
LookNeed DeviceMemory::look_need(const WindowSize& size) const {
  if (!model_.device().is_cuda()) return {};
  return vidi::look_need(model_.config(), size, model_.element_size());
}

MemoryState DeviceMemory::state() const {
  const Offload& towers = model_.towers();
  MemoryState state;
  state.limit = model_.memory_limit(), state.limit_was_asked = model_.limit_was_asked();
  state.towers = towers.bytes(), state.towers_in = towers.on_device();
  state.windows = window_bytes_->load();
  state.can_halve = model_.can_halve();
  if (model_.device().is_cuda()) {
    state.held = memory_use(model_.device()).held;
    state.spare = kSpareOnCuda + model_.expanded_bytes();
  } else {
    state.held = model_.info().weight_bytes - (state.towers_in ? 0 : state.towers) + state.windows;
  }
  return state;
}

HeldBytes DeviceMemory::count_keys(int64_t n_image_tokens, int64_t n_audio_tokens) const {
  return {window_bytes_, model_.decoder().media_bytes(n_image_tokens + n_audio_tokens)};
}

MemoryPlan DeviceMemory::make_room(const WindowNeed& need) {
  if (!limited()) return {};
  const auto as_it_is = find_plan(state(), need);
  if (as_it_is && as_it_is->is_usual()) return *as_it_is;
  free_device_cache(model_.device());  // only what is left then is really held
  model_.look_for_room();
  const MemoryPlan plan = plan_window(state(), need);
  if (plan.towers_leave) make_most_room();
  return plan;
}

std::optional<MemoryPlan> DeviceMemory::make_room_to_look(const WindowNeed& need) {
  if (!limited()) return MemoryPlan();
  auto plan = find_plan(with_towers(state()), need);
  if (!plan || !plan->is_usual()) {
    free_device_cache(model_.device());
    model_.look_for_room();
    plan = find_plan(with_towers(state()), need);
  }
  return plan && !plan->towers_leave ? plan : std::nullopt;
}

// Without a limit as much is left for the work itself as a partial window leaves.
bool DeviceMemory::has_room(const WindowNeed& need) const {
  if (limited()) {
    MemoryState now = state();  // what is cached and unused is given back before
    if (model_.device().is_cuda()) now.held = memory_use(model_.device()).current;
    return find_plan(now, need).has_value();
  }
  return need.keys + kSpareForWork <= spare_memory(model_.device());
}

void DeviceMemory::make_most_room() {
  model_.towers().leave();
  free_device_cache(model_.device());
}

void DeviceMemory::fetch_towers() {
  if (model_.towers().on_device()) return;
  int64_t workspace = 0;
  MemoryState now = state();
  if (model_.device().is_cuda()) {
    free_device_cache(model_.device());
    model_.look_for_room();
    now = state();
    now.spare = kSpareOnCuda;  // no matrix is expanded meanwhile
    workspace = tower_workspace(model_.config().vision, model_.element_size());
  }
  check_towers_fit(now, workspace);
  explained("fetching the towers", [&] { model_.towers().come_back(); });
}

int64_t DeviceMemory::room_ahead() const {
  const int64_t spare = spare_memory(model_.device());
  if (!limited()) return spare;
  if (!model_.towers().on_device()) return 0;
  const MemoryState now = state();
  const bool on_cuda = model_.device().is_cuda();
  const int64_t used = on_cuda ? memory_use(model_.device()).current : now.held;
  return std::min(spare, now.limit - used);
}

// While a step is being recorded the allocator cannot give back what is cached, and under a hard
// cap it would find no room then: so it is given back before.
size_t DeviceMemory::questions_with_room(int64_t n_media_tokens, size_t longest,
                                         size_t most) const {
  if (!limited()) return most;
  free_device_cache(model_.device());
  MemoryState now = state();
  now.spare += model_.decoder().expanded_media_bytes(n_media_tokens);
  const int64_t each =
      question_bytes(model_.config().decoder, static_cast<int64_t>(longest), model_.element_size());
  return static_cast<size_t>(questions_at_once(now, each, static_cast<int64_t>(most)));
}

void DeviceMemory::explain_shortage(const std::string& what) const {
  throw EngineError(ErrorCode::kOutOfMemory, ran_out_text(state(), what));
}

}  // namespace vidi
