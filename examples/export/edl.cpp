// CMX 3600 with the comment by which DaVinci Resolve knows markers: an event of one frame for each
// hit, whose length stands in the comment.
#include <algorithm>
#include <cstdio>

#include "examples/common/text.h"
#include "examples/export/writers.h"

namespace {

constexpr char kFirstCode[] = "01:00:00:00";  // as timelines usually begin
constexpr size_t kMostEvents = 999;           // three digits
constexpr const char* kColors[] = {"Blue", "Green", "Red",     "Yellow", "Purple",
                                   "Cyan", "Pink",  "Fuchsia", "Sand",   "Mint"};

// The bar separates the parts of the comment.
std::string marker_name(const Hit& hit) {
  std::string name = printable(hit.title());
  std::replace(name.begin(), name.end(), '|', '/');
  return name;
}

std::string event(size_t number, const Hit& hit, size_t group, const FrameClock& clock,
                  gint64 first) {
  const FrameRange frames = frames_of(hit, clock);
  const std::string in = clock.time_code(first + frames.start);
  const std::string out = clock.time_code(first + frames.start + 1);
  char begin[64];
  std::snprintf(begin, sizeof begin, "%03zu  001      V     C        ", number);
  return begin + in + " " + out + " " + in + " " + out + "  \n" + " |C:ResolveColor" +
         kColors[group % std::size(kColors)] + " |M:" + marker_name(hit) +
         " |D:" + std::to_string(frames.count) + "\n\n";
}

}  // namespace

Written write_edl(const Exported& exported) {
  const FrameClock clock = exported.clock();
  const gint64 first = exported.first_frame(kFirstCode);
  const auto groups = groups_of(exported.hits);
  Written written;
  written.text = "TITLE: " + exported.film_name() +
                 "\nFCM: " + (clock.is_drop_frame() ? "DROP FRAME" : "NON-DROP FRAME") + "\n\n";
  for (size_t i = 0; i < groups.size(); ++i)
    written.text += event(i + 1, exported.hits[i], groups[i], clock, first);
  if (groups.size() > kMostEvents)
    written.notes.push_back("CMX 3600 numbers 999 events, not every program reads all of these " +
                            std::to_string(groups.size()));
  return written;
}
