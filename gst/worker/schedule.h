// Whose turn it is at a model: an order among its clients, and who loses a window when there is
// more than it can do. Arithmetic alone: no threads, no clock, no model. One thread at a time.
//
// Earliest deadline first. Questions that somebody waits for go before windows, in turn with them.
// Files have no deadline, and a fifth of the time when there is more to do than can be done.
// Complete windows go before what can be made ahead of theirs. Those that wait for their gate go
// before others, since it is soon known how many there are to analyse; none of them is dropped.
// Windows join those whose questions are being answered before the next pass is made, so that it
// answers many; but passes have a fifth of the time, and all of it when an answer would come too
// late.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "gst/media_time.h"

namespace vidi {

using ClientId = uint64_t;
using Moment = std::chrono::steady_clock::time_point;
inline constexpr Moment kNoDeadline = Moment::max();

// What a client has for the model.
struct Offer {
  bool asks = false;        // a question that somebody waits for
  bool has_window = false;  // one that is complete
  // Until when its results are of use. kNoDeadline: of a file, which waits as long as it takes.
  Moment deadline = kNoDeadline;
  Moment turn = kNoDeadline;  // where that is earlier: by this it has its turn
  Time patience{};            // from the window's end to its deadline
  size_t n_frames = 0;        // of that window
  int64_t n_samples = 0;      // likewise
  bool has_pictures = false;  // their keys and values were made ahead
  bool awaits_gate = false;   // whether that window is analysed at all is still to be found out
  bool looks_ahead = false;   // something of a window that still fills
  bool is_quiet = false;      // and perhaps of one that is never analysed
  bool is_live() const { return deadline != kNoDeadline; }
};

// What the model is at already.
struct UnderWay {
  bool any = false;               // windows whose questions are being answered
  bool live = false;              // somebody waits for some of them
  Moment deadline = kNoDeadline;  // the earliest
  int passes_left = 1;            // that its answers may take
  size_t n_windows = 0;
};

// What a window's answers took.
struct Took {
  Time since_turn{};  // from its turn to its answers
  Time in_passes{};   // of that: the passes that it was in
  Time share{};       // of those, shared out among all that were in them
};

class Schedule {
 public:
  // kGate: a window is judged, which may then need no kWindow; kLook: of kAhead, when it is quiet.
  enum class Kind { kAsk, kGate, kWindow, kPass, kAhead, kLook };
  struct Turn {
    Kind kind;
    ClientId client = 0;  // kPass: nobody's
    bool operator==(const Turn&) const = default;
  };
  using Offers = std::map<ClientId, Offer>;

  // All that can be done now, in the order in which it is to be tried; what was done is to be told.
  std::vector<Turn> order(const Offers& offers, const UnderWay& under_way, Moment now) const;
  // Whose complete window is to be dropped now, so that others meet their deadlines. Among those of
  // which one has to go it is that of the client that was dropped least lately. Only where several
  // want the model: a client alone has its own queue for that. Where answers take longer than half
  // a window's patience however soon it has its turn, it may wait for half of it all the same.
  std::optional<ClientId> to_drop(const Offers& offers, const UnderWay& under_way,
                                  Moment now) const;

  void did(const Turn& turn, bool is_live, Time took);
  void dropped(ClientId client);
  void answered(bool is_live_window, const Took& took);  // a window, or a question
  // Of the model's time, for a live window that is complete; 0: not known.
  Time cost() const { return join_.mean() + share_.mean(); }
  void forget_all_but(const Offers& offers);

 private:
  // The mean of the last ones without the greatest eighth: what is done once, for the first window
  // of all, is no measure of the next, nor is a moment in which something else had the device. 0
  // when there are fewer than two.
  class Usual {
   public:
    void add(Time value);
    Time mean() const { return mean_; }

   private:
    std::deque<Time> last_;
    Time mean_{};
  };
  bool files_are_due() const;
  bool passes_are_due(const UnderWay& under_way, Moment now) const;
  uint64_t last_turn(ClientId client) const;
  Time until_answered(size_t n_under_way) const;
  void count(bool is_live, Time took);

  std::map<ClientId, uint64_t> last_turn_, last_drop_;  // numbers that grow
  uint64_t n_turns_ = 0, n_drops_ = 0;
  bool asked_last_ = false;         // the last of asks and windows was an ask
  Time live_time_{}, file_time_{};  // of the model, but for what nobody else wanted
  Time joined_since_pass_{}, last_pass_{}, last_join_{};
  // Of live windows: what one takes to join, and the others as in Took. Not the model's time by the
  // number of answers: the first of many cameras that end together would seem to have cost it all.
  Usual join_, passes_, share_;
  Time delay_{};
};

}  // namespace vidi
