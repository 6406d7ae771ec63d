// What passes a pad, in order: of the element's pads, or of a sink in a pipeline around it.
#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vidi::test {

using Strings = std::vector<std::string>;

// "eos" and the like, of a custom event its structure's name.
std::string name_of(GstEvent* event);

// Thread-safe. What it returns lives as long as it does.
class PadLog {
 public:
  explicit PadLog(GstPad* pad);
  virtual ~PadLog();
  PadLog(const PadLog&) = delete;
  PadLog& operator=(const PadLog&) = delete;
  GstPad* pad() const { return pad_; }

  Strings story() const;  // "buffer", or an event's name
  // The same without what every stream begins with, and without the element's own events.
  Strings story_of_data() const;
  int count(const std::string& name) const;
  bool wait_for(const std::string& name, int n = 1);  // until so many passed; false after kLimit
  std::vector<GstBuffer*> buffers() const;
  std::string bytes() const;  // of all buffers
  std::vector<GstEvent*> events(const std::string& name) const;
  std::vector<const GstStructure*> structures(const std::string& name) const;  // of events

 private:
  static GstPadProbeReturn on_data(GstPad*, GstPadProbeInfo* info, gpointer self);
  GstPad* pad_;
  gulong probe_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<GstMiniObject*> items_;
};

// Of the pad of this name; null when there is none.
std::unique_ptr<PadLog> log_of(GstElement* element, const char* pad);

}  // namespace vidi::test
