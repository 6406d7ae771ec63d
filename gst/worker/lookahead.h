// What the model can do about windows before they are complete: look at their pictures, hear their
// sound, and stream the pictures of the earliest one. Whatever is done here need not be done at the
// window's end; whatever fails or turns out to be useless costs time only.
//
// Thread-safe; work() and hand_over() are called by the model's worker only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "gst/windows/analysis_window.h"
#include "gst/worker/analysis.h"
#include "model/session.h"

namespace vidi {

class Lookahead {
 public:
  void picture(const std::shared_ptr<const SampledFrame>& picture);  // that windows will have
  void sound(const std::shared_ptr<const SoundChunk>& sound);        // likewise
  void set_open_window(std::shared_ptr<const OpenWindow> window);    // as it is now
  void forget();  // flush, end: what is under way is cancelled

  bool has_work() const;  // perhaps: what cannot be done now is only found out by trying
  // Whether pictures of the window are streamed already, or have their room.
  bool has_begun(const AnalysisWindow& window) const;
  // Some of it; false when there is nothing to do. The pictures of a window are streamed when it
  // `will_be_analysed`, as far as that is known.
  using WillBeAnalysed = std::function<bool(const OpenWindow&)>;
  // Pictures of others that wait as well, at most so many, to be looked at in one call.
  using Others = std::function<SharedPictures(size_t most)>;
  bool work(Session& session, const WillBeAnalysed& will_be_analysed = {},
            const Others& others = {});
  // Pictures that wait, to be looked at in another's call; then they are given back, and those that
  // were not looked at all the same wait again.
  SharedPictures lend(const Session& session, size_t most);
  void take_back(const Session& session, const SharedPictures& lent);
  // The window's own analysis looks at its pictures from now on, and gets what was prepared for it.
  // What was prepared for earlier windows is freed.
  void hand_over(const AnalysisWindow& window);
  // The same where another device has the window: it gets nothing of this one.
  void pass_over(const AnalysisWindow& window);
  // What is still to be done is the other's from now on, but for what was begun.
  void move_to(Lookahead& other);
  // As if each picture came now.
  void pictures_of(const OpenWindow& window);
  void drop(const AnalysisWindow& window);  // nothing will become of it
  bool free_room();                         // what was prepared is given up; false when nothing was

 private:
  struct Started {  // a window whose pictures are being streamed
    uint64_t index = 0, epoch = 0;
    std::shared_ptr<PartialWindow> preparation;
    std::vector<std::shared_ptr<const SampledFrame>> done;  // in it
    bool given_up = false;
  };
  struct Piece {  // of it, that can be streamed now
    std::shared_ptr<PartialWindow> preparation;
    std::vector<std::shared_ptr<const FrameFeatures>> features;
    size_t first = 0;
  };
  using Pictures = SharedPictures;

  bool look(Session& session, const Others& others);
  size_t room_for_features(const Session& session);
  bool hear(Session& session);
  bool stream(Session& session, const WillBeAnalysed& will_be_analysed);
  Pictures next_pictures(const Session& session, size_t most);
  size_t n_seen(const Session& session);
  bool make_room(Session& session, const OpenWindow& window, const Cancel& cancel);
  Piece next_piece(const Session& session, const OpenWindow& window);
  void go_on(const std::shared_ptr<const OpenWindow>& window, size_t n_more);
  void let_go(const Session& session, const OpenWindow& window, const Piece& piece);
  void give_up(const OpenWindow& window);
  Started* find(uint64_t index, uint64_t epoch);
  const Started* find(uint64_t index, uint64_t epoch) const;
  std::shared_ptr<Cancel> new_cancel();

  mutable std::mutex mutex_;
  std::deque<std::weak_ptr<const SampledFrame>>
      pictures_;  // a window that is dropped frees its own
  std::deque<std::weak_ptr<const SoundChunk>> sounds_;
  std::vector<std::weak_ptr<const SampledFrame>> seen_;  // the worker's: have features
  std::shared_ptr<const OpenWindow> open_window_;        // null: nothing new
  std::list<Started> started_;
  std::shared_ptr<Cancel> cancel_;  // of what is under way
};

}  // namespace vidi
