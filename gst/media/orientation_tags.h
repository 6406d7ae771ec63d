// Which way up the pictures of a stream are shown, by its image-orientation tags and by the rules
// of GStreamer's video sinks and videoflip. With the pad's stream lock.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

#include "kernels/pixels/orientation.h"

namespace vidi {

class OrientationTags {
 public:
  // Under another id it is another stream: all that was said before is forgotten, that of the file
  // as well, since it may be another file.
  void start_stream(const std::string& id);
  // A list without the tag, or with a value that nobody knows, changes nothing: parsers and
  // decoders send lists of their own, of the same scope, which do not always repeat it.
  void take(GstTagList* tags);
  // What the stream's own tag says, else the global one.
  Orientation current() const;

 private:
  std::string stream_id_;
  std::optional<Orientation> stream_, global_;
};

}  // namespace vidi
