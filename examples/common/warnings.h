// What GStreamer's elements warn of, for people: each warning once, and in the end how often it
// came after that. A damaged file has one a picture.
#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

class Warnings {
 public:
  // Returns the text of a GST_MESSAGE_WARNING, printable, when it is worth a line; empty when that
  // was said before. Texts that differ in their numbers alone are one.
  std::string add(GstMessage* message);
  // "... (39 more)" for each that came more than once, and a new beginning.
  std::vector<std::string> take_repeated();

 private:
  struct Warning {
    std::string key, text;
    int n_more = 0;
  };
  std::vector<Warning> warnings_;
};

// The text of a GST_MESSAGE_WARNING or GST_MESSAGE_ERROR, printable, without a full stop.
std::string message_text(GstMessage* message);
