#include "model/session/device_group.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "model/device/device.h"
#include "model/to_result.h"

namespace vidi {
namespace {

std::vector<std::string> devices_of(const OpenOptions& options) {
  if (!options.split_windows) return {options.device};
  std::vector<std::string> devices;
  size_t begin = 0;
  for (size_t comma; (comma = options.device.find(',', begin)) != std::string::npos;
       begin = comma + 1)
    devices.push_back(options.device.substr(begin, comma - begin));
  devices.push_back(options.device.substr(begin));
  return devices;
}

// A window's pictures on all devices; empty where one of them is.
struct SharedPictureKeys final : PartialWindow {
  std::vector<std::shared_ptr<PartialWindow>> parts;
  size_t n_frames() const override {
    size_t n = parts.front()->n_frames();
    for (const auto& part : parts) n = std::min(n, part->n_frames());
    return n;
  }
  size_t frames_per_piece() const override {
    size_t n = 0;
    for (const auto& part : parts) n += part->frames_per_piece();
    return n;
  }
};

// What went wrong on the devices, as one error: somebody's cancel comes last, since where one
// failed, it may be why the others were ended.
Error first_of(const std::vector<std::optional<Error>>& errors) {
  const Error* found = nullptr;
  for (const auto& error : errors) {
    if (error && (!found || found->code == ErrorCode::kCancelled)) found = &*error;
  }
  return *found;
}

std::string both(const std::string& a, const std::string& b) { return a == b ? a : a + "+" + b; }

}  // namespace

DeviceGroup::DeviceGroup(const ModelConfig& config, const OpenOptions& options, const Tap& tap)
    : options_(options), tap_(tap) {
  const std::vector<std::string> devices = devices_of(options);
  OpenOptions own = options;
  for (const std::string& device : devices) {
    own.device = device;
    const WindowShare share{static_cast<int64_t>(parts_.size()),
                            static_cast<int64_t>(devices.size())};
    parts_.push_back(std::make_unique<DevicePart>(config, own, share, tap));
  }
  if (!is_one()) threads_ = std::make_unique<DeviceThreads>(parts_.size());
}

std::string DeviceGroup::name(size_t i) const {
  return parts_[i]->model.device().str() + " (" + std::to_string(i + 1) + " of " +
         std::to_string(parts_.size()) + ")";
}

// Every part's body at the same time; one after the other where somebody listens to the stages.
// All of them end before an error goes out.
void DeviceGroup::each(const Cancel& cancel, const std::function<void(size_t)>& body) {
  if (is_one()) return body(0);
  std::vector<std::optional<Error>> errors(parts_.size());
  const auto work = [&](size_t i) {
    const auto done = to_result<bool>(cancel, [&] {
      try {
        return body(i), true;
      } catch (const c10::Error& e) {
        if (is_shortage(e.what_without_backtrace())) parts_[i]->memory.found_short();
        throw;
      }
    });
    if (done) return;
    errors[i] = done.error();
    if (errors[i]->code != ErrorCode::kCancelled)
      errors[i]->message = name(i) + ": " + errors[i]->message;
  };
  if (tap_) {
    for (size_t i = 0; i < parts_.size(); ++i) work(i);
  } else {
    threads_->run(work);
  }
  if (std::none_of(errors.begin(), errors.end(), [](const auto& e) { return e.has_value(); }))
    return;
  const Error error = first_of(errors);
  throw EngineError(error.code, error.message);
}

void DeviceGroup::each_in_turn(const std::function<void(size_t)>& body) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    try {
      body(i);
    } catch (const EngineError& e) {
      if (is_one() || e.code() == ErrorCode::kCancelled) throw;
      throw EngineError(e.code(), name(i) + ": " + e.what());
    }
  }
}

void DeviceGroup::load(const Source& source, const Cancel& cancel) {
  const auto n = static_cast<double>(parts_.size());
  each_in_turn([&](size_t i) {
    DeviceModel& model = parts_[i]->model;
    if (model.is_loaded()) return;
    OpenOptions options = options_;
    if (options.progress) {
      options.progress = [&, i](double fraction) {
        options_.progress((static_cast<double>(i) + fraction) / n);
      };
    }
    parts_[i]->memory.explained("loading the model", [&] {
      model.load([&] { return source(model.device(), model.dtype()); }, options, cancel);
    });
  });
}

void DeviceGroup::unload() {
  for (const auto& part : parts_) part->model.unload();
}

bool DeviceGroup::is_loaded() const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const auto& part) { return part->model.is_loaded(); });
}

ModelInfo DeviceGroup::info() const {
  ModelInfo all = parts_.front()->model.info();
  for (size_t i = 1; i < parts_.size(); ++i) {
    const ModelInfo& info = parts_[i]->model.info();
    all.device += "," + info.device;
    all.precision = both(all.precision, info.precision);
    all.weights = both(all.weights, info.weights), all.keys = both(all.keys, info.keys);
    if (all.plan.empty() && !info.plan.empty()) all.plan = name(i) + ": " + info.plan;
    if (all.why_no_kernels.empty()) all.why_no_kernels = info.why_no_kernels;
    all.weight_bytes += info.weight_bytes, all.load_seconds += info.load_seconds;
    // They are spread evenly.
    const auto n = static_cast<int64_t>(parts_.size());
    if (i == 1) all.most_features *= n;
    if (info.most_features > 0 &&
        (all.most_features == 0 || n * info.most_features < all.most_features))
      all.most_features = n * info.most_features;
  }
  return all;
}

// Who begins with `n` pictures or stretches of sound. A call that has work for everybody begins
// with the first, as a window's pictures do, so that what becomes of them is where they are.
size_t DeviceGroup::part_of_next(size_t n) {
  if (n >= parts_.size()) return 0;
  const size_t begin = next_;
  next_ = (next_ + n) % parts_.size();
  return begin;
}

FrameList DeviceGroup::encode_images(const std::vector<Frame>& frames, const Cancel& cancel) {
  if (is_one()) return first().features.encode_images(frames, cancel);
  const size_t n = parts_.size(), begin = part_of_next(frames.size());
  FrameList all(frames.size());
  each(cancel, [&](size_t part) {
    std::vector<Frame> own;
    const size_t first = (part + n - begin) % n;
    for (size_t i = first; i < frames.size(); i += n) own.push_back(frames[i]);
    if (own.empty()) return;
    const FrameList seen = parts_[part]->features.encode_images(own, cancel);
    for (size_t i = 0; i < seen.size(); ++i) all[first + i * n] = seen[i];
  });
  return all;
}

// On a GPU the call returns while the device still listens, and the next one is another's.
std::shared_ptr<const AudioFeatures> DeviceGroup::encode_audio(const float* samples, int n,
                                                               const Cancel& cancel) {
  const size_t part = is_one() ? 0 : part_of_next(1);
  return parts_[part]->features.encode_audio(samples, n, cancel);
}

template <class Begin>
std::shared_ptr<PartialWindow> DeviceGroup::begin_parts(Begin begin) {
  if (is_one()) return begin(first().windows);
  auto all = std::make_shared<SharedPictureKeys>();
  all->parts.resize(parts_.size());
  each(Cancel(), [&](size_t i) { all->parts[i] = begin(parts_[i]->windows); });
  const bool any_missing = std::count(all->parts.begin(), all->parts.end(), nullptr) > 0;
  return any_missing ? nullptr : all;
}

std::shared_ptr<PartialWindow> DeviceGroup::begin(size_t n_frames) {
  return begin_parts([&](const WindowEncoder& windows) { return windows.begin(n_frames); });
}

std::shared_ptr<PartialWindow> DeviceGroup::begin_complete(const WindowSize& size) {
  return begin_parts([&](WindowEncoder& windows) { return windows.begin_complete(size); });
}

void DeviceGroup::append(PartialWindow& partial, size_t first_frame, const FrameList& frames,
                         const Cancel& cancel) {
  if (is_one()) return first().windows.append(partial, first_frame, frames, cancel);
  auto* own = dynamic_cast<SharedPictureKeys*>(&partial);
  if (!own || own->parts.size() != parts_.size())
    throw EngineError(ErrorCode::kBadInput, "a partial window that was not made by this session");
  each(cancel,
       [&](size_t i) { parts_[i]->windows.append(*own->parts[i], first_frame, frames, cancel); });
}

std::shared_ptr<const Encoded> DeviceGroup::encode(const Window& window, const Cancel& cancel) {
  if (is_one()) return first().windows.encode(window, cancel);
  auto* partial = dynamic_cast<SharedPictureKeys*>(window.partial.get());
  std::vector<Window> shares(parts_.size(), window);
  for (size_t i = 0; i < shares.size(); ++i)
    shares[i].partial = partial && i < partial->parts.size() ? partial->parts[i] : nullptr;
  // Before any of them begins: a window that has no room may be tried again, partial as it is.
  each_in_turn([&](size_t i) { parts_[i]->windows.check_room(shares[i]); });
  std::vector<std::shared_ptr<EncodedWindow>> made(parts_.size());
  each(cancel, [&](size_t i) { made[i] = parts_[i]->windows.encode(shares[i], cancel); });
  for (size_t i = 1; i < made.size(); ++i)
    made[0]->cache.elsewhere.emplace_back(made[i], &made[i]->cache);
  return made[0];
}

bool DeviceGroup::has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const {
  return std::all_of(parts_.begin(), parts_.end(), [&](const auto& part) {
    return part->windows.has_room(n_frames, n_samples, has_pictures);
  });
}

void DeviceGroup::found_short() {
  for (const auto& part : parts_) part->memory.found_short();
}

// Each once.
std::vector<at::Device> DeviceGroup::devices() const {
  std::vector<at::Device> devices;
  for (const auto& part : parts_) {
    const at::Device device = part->model.device();
    if (std::find(devices.begin(), devices.end(), device) == devices.end())
      devices.push_back(device);
  }
  return devices;
}

int64_t DeviceGroup::device_memory_bytes() const {
  int64_t bytes = 0;
  for (const at::Device device : devices()) bytes += memory_use(device).held;
  return bytes;
}

void DeviceGroup::free_caches() const {
  for (const at::Device device : devices()) free_device_cache(device);
}

}  // namespace vidi
