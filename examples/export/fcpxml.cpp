// FCPXML 1.10: the film as a clip with a marker at each hit. Times are fractions of a second.
#include "examples/common/text.h"
#include "examples/export/writers.h"

namespace {

class Document {
 public:
  explicit Document(const Exported& exported)
      : exported_(exported), clock_(exported.clock()), n_frames_(count_frames(exported)) {}

  std::string text() const;

 private:
  std::string time(gint64 frame) const;  // "1001/30000s"
  std::string resources() const;
  std::string clip() const;
  std::string marker(const Hit& hit) const;
  std::string name() const { return xml_text(exported_.film_name()); }

  const Exported& exported_;
  const FrameClock clock_;
  const gint64 n_frames_;
};

std::string Document::time(gint64 frame) const {
  if (frame == 0) return "0s";
  const std::string above = std::to_string(frame * clock_.rate().d);
  return above + "/" + std::to_string(clock_.rate().n) + "s";
}

std::string Document::resources() const {
  const MediaFacts& film = exported_.film;
  std::string size;
  if (film.width > 0 && film.height > 0)
    size = " width=\"" + std::to_string(film.width) + "\" height=\"" + std::to_string(film.height) +
           "\"";
  return " <resources>\n  <format id=\"r1\" frameDuration=\"" + time(1) + "\"" + size +
         "/>\n  <asset id=\"r2\" name=\"" + name() + "\" start=\"0s\" duration=\"" +
         time(n_frames_) + "\" hasVideo=\"1\" format=\"r1\"" +
         (film.has_audio ? " hasAudio=\"1\" audioSources=\"1\"" : "") +
         ">\n   <media-rep kind=\"original-media\" src=\"" +
         xml_text(without_credentials(film.uri)) + "\"/>\n  </asset>\n </resources>\n";
}

std::string Document::marker(const Hit& hit) const {
  const FrameRange frames = frames_of(hit, clock_);
  return "       <marker start=\"" + time(frames.start) + "\" duration=\"" + time(1) +
         "\" value=\"" + xml_text(hit.title()) + "\" note=\"" + xml_text(comment_of(hit)) +
         ", until " + time(frames.start + frames.count) + "\"/>\n";
}

std::string Document::clip() const {
  std::string text = "      <asset-clip ref=\"r2\" name=\"" + name() + "\" offset=\"" +
                     time(exported_.first_frame()) + "\" start=\"0s\" duration=\"" +
                     time(n_frames_) + "\" format=\"r1\" tcFormat=\"" +
                     (clock_.is_drop_frame() ? "DF" : "NDF") + "\">\n";
  for (const Hit& hit : exported_.hits) text += marker(hit);
  return text + "      </asset-clip>\n";
}

std::string Document::text() const {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE fcpxml>\n<fcpxml "
         "version=\"1.10\">\n" +
         resources() + " <library>\n  <event name=\"vidifilter\">\n   <project name=\"" + name() +
         "\">\n    <sequence format=\"r1\" duration=\"" + time(n_frames_) + "\" tcStart=\"" +
         time(exported_.first_frame()) + "\" tcFormat=\"" +
         (clock_.is_drop_frame() ? "DF" : "NDF") + "\">\n     <spine>\n" + clip() +
         "     </spine>\n    </sequence>\n   </project>\n  </event>\n </library>\n</fcpxml>\n";
}

}  // namespace

Written write_fcpxml(const Exported& exported) { return {Document(exported).text(), "", {}}; }
