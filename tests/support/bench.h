// The element alone on the bench: the test is its upstream and its downstream, pushes what it wants
// from its own thread and sees everything that comes out, in order.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "tests/support/element.h"

namespace vidi::test {

using Strings = std::vector<std::string>;
using Properties = std::vector<std::pair<std::string, std::string>>;
using QueryAnswer = std::function<bool(GstQuery*)>;  // false: not answered here

inline constexpr char kSmallRgb[] =
    "video/x-raw, format=RGB, width=16, height=16, framerate=10/1, colorimetry=sRGB";

// A pad that takes what the element sends, and remembers it. Thread-safe.
class Recorder {
 public:
  explicit Recorder(GstPad* from);  // is linked to it
  ~Recorder();
  GstPad* pad() const { return pad_; }

  // What came, in order: "frame" for a buffer, "eos" and the like for an event, the structure's
  // name for a custom one.
  Strings story() const;
  // The same without what every stream begins with, and without the element's own events.
  Strings story_of_data() const;
  std::vector<GstBuffer*> buffers() const;                       // borrowed; kept with this object
  std::vector<GstEvent*> events(const std::string& name) const;  // likewise; name as in story()
  int count(const std::string& name) const;
  bool wait_for(const std::string& name, int n = 1);  // until so many came; false after the limit
  std::string bytes() const;                          // of all buffers

  void answer_queries(QueryAnswer answer) { answer_ = std::move(answer); }  // before data flows

 private:
  static GstFlowReturn on_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer);
  static gboolean on_event(GstPad* pad, GstObject* parent, GstEvent* event);
  static gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query);
  void take(GstMiniObject* item);

  GstPad* pad_;
  QueryAnswer answer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<GstMiniObject*> items_;
};

// A pad that the test pushes through into one of the element's.
class Pusher {
 public:
  explicit Pusher(GstPad* to);  // is linked to it
  ~Pusher();
  GstPad* pad() const { return pad_; }

  // STREAM_START, CAPS and SEGMENT.
  void start(const std::string& caps, const GstSegment& segment);
  void start(const std::string& caps);  // with a segment from 0
  bool send(GstEvent* event) { return gst_pad_push_event(pad_, event); }
  GstFlowReturn push(GstBuffer* buffer) { return gst_pad_push(pad_, buffer); }

  void answer_queries(QueryAnswer answer) { answer_ = std::move(answer); }  // before data flows
  Strings upstream_events() const;  // names of those that the element sent up, as in story()

 private:
  static gboolean on_event(GstPad* pad, GstObject* parent, GstEvent* event);
  static gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query);

  GstPad* pad_;
  QueryAnswer answer_;
  mutable std::mutex mutex_;
  Strings events_;
};

// Windows of 2 s that do not overlap, one picture a second, a model path and the query "dog",
// unless the properties say otherwise.
class Bench : public Messages {
 public:
  explicit Bench(const Properties& properties = {});
  ~Bench();
  GstElement* v() const { return v_; }
  void set(const std::string& property, const std::string& value);
  guint64 stat(const char* name) const;  // a number of the property `stats`
  std::string model_state() const;       // nick
  bool to(GstState state);
  void add_audio();                          // requests the audio pads
  Recorder& record(const std::string& pad);  // requests a side pad and listens to it

  Pusher& in() { return *in_; }
  Recorder& out() { return *out_; }
  Pusher& audio_in() { return *audio_in_; }
  Recorder& audio_out() { return *audio_out_; }

  // To PLAYING, then the beginning of a stream.
  void play(const std::string& caps = kSmallRgb);
  // A solid frame of 100 ms.
  GstFlowReturn frame(GstClockTime pts, uint32_t colour = 0);
  // Solid frames at 10 a second in [from, to); the colour is the PTS in ms.
  GstFlowReturn frames(GstClockTime from, GstClockTime to);
  bool eos() { return in_->send(gst_event_new_eos()); }
  void flush(bool reset_time = true);  // FLUSH_START, FLUSH_STOP

 private:
  GstElement* v_;
  std::unique_ptr<Pusher> in_, audio_in_;
  std::unique_ptr<Recorder> out_, audio_out_;
  std::map<std::string, std::unique_ptr<Recorder>> side_;
};

GstSegment time_segment(GstClockTime start = 0);
uint32_t colour_at(GstClockTime pts);                     // as frames() paints
std::string name_of(GstEvent* event);                     // as in Recorder::story()
Strings texts(const GstStructure* s, const char* field);  // of an array of strings

}  // namespace vidi::test
