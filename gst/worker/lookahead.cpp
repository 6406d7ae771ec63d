#include "gst/worker/lookahead.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "gst/worker/analysis.h"

namespace vidi {
namespace {

constexpr size_t kAtOnce = kPicturesAtOnce;  // more would keep a question waiting
constexpr size_t kMostStay = 64;             // that were streamed: the usual window's
constexpr size_t kMostPictures = 4096, kMostSounds = 256;
// A stream may say of itself that it lasts for years.
constexpr size_t kLongestWindow = 1 << 15;

// Pictures of which features may be there at once. Fewer than are looked at in a call are not worth
// a bound.
size_t most_seen(const Session& session) {
  const auto most = static_cast<size_t>(session.info().most_features);
  return most == 0 ? SIZE_MAX : std::max(most, kAtOnce);
}

// Of several elements in one call. Where features have no bound a GPU takes more (32 pictures take
// 6 % less than twice 16 on an H200).
size_t most_at_once(const Session& session) {
  const ModelInfo info = session.info();
  return info.device.starts_with("cuda") && info.most_features == 0 ? 2 * kAtOnce : kAtOnce;
}

}  // namespace

void Lookahead::picture(const std::shared_ptr<const SampledFrame>& picture) {
  std::lock_guard lock(mutex_);
  pictures_.push_back(picture);
  if (pictures_.size() > kMostPictures) pictures_.pop_front();
}

void Lookahead::sound(const std::shared_ptr<const SoundChunk>& sound) {
  std::lock_guard lock(mutex_);
  sounds_.push_back(sound);
  if (sounds_.size() > kMostSounds) sounds_.pop_front();
}

void Lookahead::set_open_window(std::shared_ptr<const OpenWindow> window) {
  const bool is_too_long = window->n_frames > kLongestWindow;
  std::lock_guard lock(mutex_);
  open_window_ = is_too_long ? nullptr : std::move(window);
}

void Lookahead::forget() {
  std::lock_guard lock(mutex_);
  pictures_.clear();
  sounds_.clear();
  open_window_.reset();
  started_.clear();
  if (cancel_) cancel_->cancel();
}

// What is looked at is streamed before more is looked at: few features exist at once. A gate has to
// see it first.
bool Lookahead::work(Session& session, const WillBeAnalysed& will_be_analysed,
                     const Others& others) {
  if (will_be_analysed)
    return look(session, others) || hear(session) || stream(session, will_be_analysed);
  return stream(session, {}) || look(session, others) || hear(session);
}

size_t Lookahead::room_for_features(const Session& session) {
  const size_t most = most_seen(session);
  return most - std::min(most, n_seen(session));
}

// Without room for their features the pictures wait, and in the end their window looks at them. A
// camera has one picture at a time, and the tower takes many together: those of other cameras fill
// the call, and nothing waits for them. When this one's are not wanted any more it ends.
bool Lookahead::look(Session& session, const Others& others) {
  const auto cancel = new_cancel();
  Pictures pictures = next_pictures(session, std::min(kAtOnce, room_for_features(session)));
  if (pictures.empty()) return false;
  seen_.insert(seen_.end(), pictures.begin(), pictures.end());
  const size_t at_once = most_at_once(session);
  if (others && pictures.size() < at_once) {
    const Pictures more = others(at_once - pictures.size());
    pictures.insert(pictures.end(), more.begin(), more.end());
  }
  look_ahead(session, pictures, *cancel, at_once);
  return true;
}

SharedPictures Lookahead::lend(const Session& session, size_t most) {
  return next_pictures(session, std::min(most, room_for_features(session)));
}

void Lookahead::take_back(const Session& session, const SharedPictures& lent) {
  for (auto picture = lent.rbegin(); picture != lent.rend(); ++picture) {
    if ((*picture)->features.of(&session)) {
      seen_.push_back(*picture);
      continue;
    }
    std::lock_guard lock(mutex_);
    pictures_.push_front(*picture);
  }
}

size_t Lookahead::n_seen(const Session& session) {
  std::erase_if(seen_, [&](const std::weak_ptr<const SampledFrame>& weak) {
    const auto picture = weak.lock();
    return !picture || !picture->features.of(&session);
  });
  return seen_.size();
}

bool Lookahead::hear(Session& session) {
  const auto cancel = new_cancel();
  std::shared_ptr<const SoundChunk> sound;
  {
    std::lock_guard lock(mutex_);
    while (!sounds_.empty() && !sound) {
      sound = sounds_.front().lock();
      sounds_.pop_front();
    }
  }
  if (!sound) return false;
  hear_ahead(session, *sound, *cancel);
  return true;
}

Lookahead::Pictures Lookahead::next_pictures(const Session& session, size_t most) {
  Pictures pictures;
  std::lock_guard lock(mutex_);
  while (!pictures_.empty() && pictures.size() < most) {
    auto picture = pictures_.front().lock();
    pictures_.pop_front();
    const bool is_taken = std::find(pictures.begin(), pictures.end(), picture) != pictures.end();
    if (picture && !is_taken && !picture->features.of(&session))
      pictures.push_back(std::move(picture));
  }
  return pictures;
}

// A few more pictures of the window that fills. What fails here is left to the window's analysis.
bool Lookahead::stream(Session& session, const WillBeAnalysed& will_be_analysed) {
  std::shared_ptr<const OpenWindow> window;
  const auto cancel = new_cancel();
  {
    std::lock_guard lock(mutex_);
    window = std::exchange(open_window_, nullptr);
  }
  if (!window || (will_be_analysed && !will_be_analysed(*window))) return false;
  if (!make_room(session, *window, *cancel)) return false;
  Piece piece = next_piece(session, *window);
  if (piece.features.empty()) {
    if (piece.first < window->frames.size()) go_on(window, 0);  // the rest is not looked at yet
    return false;
  }
  const auto advanced = session.append(*piece.preparation, piece.first, piece.features, *cancel);
  if (advanced) {
    go_on(window, piece.features.size());
    let_go(session, *window, piece);
  } else {
    piece = {};
    give_up(*window);
    if (advanced.error().code == ErrorCode::kOutOfMemory) session.free_caches();
  }
  return true;
}

void Lookahead::go_on(const std::shared_ptr<const OpenWindow>& window, size_t n_more) {
  std::lock_guard lock(mutex_);
  Started* started = find(window->index, window->epoch);
  if (!started) return;  // forgotten meanwhile
  const auto first = window->frames.begin() + static_cast<std::ptrdiff_t>(started->done.size());
  started->done.insert(started->done.end(), first, first + static_cast<std::ptrdiff_t>(n_more));
  if (!open_window_) open_window_ = window;  // there may be more of it
}

// Of what is streamed the oldest go first. Some stay as long as there is room: a window that ends
// early is another one than was streamed, and wants them once more. The last may stand.
void Lookahead::let_go(const Session& session, const OpenWindow& window, const Piece& piece) {
  const auto& frames = window.frames;
  const size_t last = piece.first + piece.features.size() - 1;
  const size_t stay = std::min(kMostStay, most_seen(session) - kAtOnce);
  size_t n = n_seen(session);
  for (size_t i = 0; i < last && n > stay; ++i) {
    const bool is_needed = frames[i] == frames[last] || frames[i]->pts >= window.needed_from;
    if (is_needed || !frames[i]->features.of(&session)) continue;
    frames[i]->features.reset(&session);
    --n;
  }
}

void Lookahead::give_up(const OpenWindow& window) {
  std::lock_guard lock(mutex_);
  Started* started = find(window.index, window.epoch);
  if (!started) return;
  started->given_up = true;
  started->preparation.reset();
  started->done.clear();
}

// False when the device has no room for it now, or what was begun has failed.
bool Lookahead::make_room(Session& session, const OpenWindow& window, const Cancel& cancel) {
  {
    std::lock_guard lock(mutex_);
    const Started* started = find(window.index, window.epoch);
    if (started) return !started->given_up;
  }
  auto preparation = session.begin_window(window.n_frames);
  if (!preparation || !*preparation) return false;
  std::lock_guard lock(mutex_);
  if (cancel.cancelled()) return false;
  started_.push_back({window.index, window.epoch, std::move(*preparation), {}});
  return true;
}

// The next pictures that the model has looked at.
Lookahead::Piece Lookahead::next_piece(const Session& session, const OpenWindow& window) {
  std::lock_guard lock(mutex_);
  const Started* started = find(window.index, window.epoch);
  if (!started || !started->preparation) return {};  // given up meanwhile
  if (window.frames.size() > started->preparation->n_frames()) return {};
  Piece piece{started->preparation, {}, started->done.size()};
  for (size_t i = piece.first; i < window.frames.size() && piece.features.size() < kAtOnce; ++i) {
    auto features = window.frames[i]->features.of(&session);
    if (!features) break;
    piece.features.push_back(std::move(features));
  }
  return piece;
}

void Lookahead::hand_over(const AnalysisWindow& window) {
  {
    std::lock_guard lock(mutex_);
    if (Started* started = find(window.index, window.epoch))
      window.prepared = {started->preparation, started->done};
  }
  pass_over(window);
}

void Lookahead::pass_over(const AnalysisWindow& window) {
  std::unordered_set<const SampledFrame*> its;
  for (const auto& frame : window.frames) its.insert(frame.get());
  std::lock_guard lock(mutex_);
  std::erase_if(pictures_, [&](const std::weak_ptr<const SampledFrame>& weak) {
    const auto picture = weak.lock();
    return !picture || its.count(picture.get()) > 0;
  });
  const auto is_past = [&](uint64_t index, uint64_t epoch) {
    return epoch != window.epoch || index <= window.index;
  };
  started_.remove_if([&](const Started& s) { return is_past(s.index, s.epoch); });
  if (open_window_ && is_past(open_window_->index, open_window_->epoch)) open_window_.reset();
}

void Lookahead::move_to(Lookahead& other) {
  std::scoped_lock lock(mutex_, other.mutex_);
  other.pictures_.insert(other.pictures_.end(), pictures_.begin(), pictures_.end());
  other.sounds_.insert(other.sounds_.end(), sounds_.begin(), sounds_.end());
  if (open_window_) other.open_window_ = open_window_;
  pictures_.clear(), sounds_.clear();
  open_window_.reset();
  started_.clear();
}

void Lookahead::pictures_of(const OpenWindow& window) {
  for (const auto& frame : window.frames) picture(frame);
}

void Lookahead::drop(const AnalysisWindow& window) {
  std::lock_guard lock(mutex_);
  started_.remove_if([&](const Started& started) {
    return started.epoch == window.epoch && started.index == window.index;
  });
}

bool Lookahead::free_room() {
  std::lock_guard lock(mutex_);
  bool freed = false;
  for (Started& started : started_) {
    freed = freed || started.preparation;
    started.preparation.reset();
    started.done.clear();
    started.given_up = true;
  }
  return freed;
}

bool Lookahead::has_work() const {
  std::lock_guard lock(mutex_);
  return !pictures_.empty() || !sounds_.empty() || open_window_;
}

bool Lookahead::has_begun(const AnalysisWindow& window) const {
  std::lock_guard lock(mutex_);
  const Started* started = find(window.index, window.epoch);
  return started && started->preparation;
}

// Called with the lock.
const Lookahead::Started* Lookahead::find(uint64_t index, uint64_t epoch) const {
  const auto is_it = [&](const Started& s) { return s.index == index && s.epoch == epoch; };
  const auto found = std::find_if(started_.begin(), started_.end(), is_it);
  return found == started_.end() ? nullptr : &*found;
}

Lookahead::Started* Lookahead::find(uint64_t index, uint64_t epoch) {
  return const_cast<Started*>(std::as_const(*this).find(index, epoch));
}

// For what is done now; forget() cancels it.
std::shared_ptr<Cancel> Lookahead::new_cancel() {
  auto cancel = std::make_shared<Cancel>();
  std::lock_guard lock(mutex_);
  cancel_ = cancel;
  return cancel;
}

}  // namespace vidi
