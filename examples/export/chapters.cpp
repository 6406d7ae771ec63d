// Chapters: of a YouTube description, of ffmpeg, of Matroska; and LosslessCut's list of segments.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "examples/common/text.h"
#include "examples/export/writers.h"

namespace {

// ---- YouTube ----

constexpr guint64 kShortest = 10;  // seconds
constexpr size_t kFewest = 3;
constexpr size_t kLongestDescription = 5000;  // characters
constexpr char kBeginning[] = "Start";

struct Chapter {
  guint64 start;  // seconds
  std::string title;
};

// A description takes no angle brackets.
std::string chapter_title(const Hit& hit) {
  std::string text;
  for (char c : printable(hit.title())) text += c == '<' ? "‹" : c == '>' ? "›" : std::string(1, c);
  return text;
}

std::string chapter_time(guint64 s) {
  char text[48];
  if (s >= 3600) {
    std::snprintf(text, sizeof text, "%" G_GUINT64_FORMAT ":%02d:%02d", s / 3600,
                  static_cast<int>(s / 60 % 60), static_cast<int>(s % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(s / 60), static_cast<int>(s % 60));
  }
  return text;
}

// What comes less than ten seconds after a chapter's start becomes a part of it.
class ChapterList {
 public:
  void add(guint64 start, const std::string& title);
  void end(guint64 stop);
  const std::vector<Chapter>& chapters() const { return chapters_; }
  std::vector<std::string> notes() const;

 private:
  void join(const std::string& title);

  std::vector<Chapter> chapters_{{0, kBeginning}};
  size_t n_joined_ = 0;
  guint64 moved_from_ = 0;  // where the first chapter's hit begins
};

void ChapterList::add(guint64 start, const std::string& title) {
  if (start >= chapters_.back().start + kShortest) {
    chapters_.push_back({start, title});
  } else if (chapters_.size() == 1 && chapters_[0].title == kBeginning) {
    chapters_[0].title = title;
    moved_from_ = start;
  } else {
    join(title);
  }
}

void ChapterList::join(const std::string& title) {
  ++n_joined_;
  std::string& all = chapters_.back().title;
  if ((", " + all + ", ").find(", " + title + ", ") == std::string::npos) all += ", " + title;
}

void ChapterList::end(guint64 stop) {
  if (chapters_.size() < 2 || stop >= chapters_.back().start + kShortest) return;
  const Chapter last = chapters_.back();
  chapters_.pop_back();
  join(last.title);
}

std::vector<std::string> ChapterList::notes() const {
  std::vector<std::string> notes;
  if (moved_from_ > 0)
    notes.push_back("the first chapter has to begin at 0:00, its hit begins at " +
                    chapter_time(moved_from_));
  if (n_joined_ > 0)
    notes.push_back(
        std::to_string(n_joined_) +
        (n_joined_ == 1 ? " hit is a part of the chapter" : " hits are parts of the chapters") +
        " before, a chapter takes 10 s or more");
  return notes;
}

// ---- ffmpeg ----

// Signs with a meaning have a backslash before them.
std::string ffmetadata_text(const std::string& text) {
  std::string escaped;
  for (char c : printable(text)) {
    if (std::string("=;#\\").find(c) != std::string::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// ---- Matroska ----

std::string matroska_time(GstClockTime ns) {
  char text[64];
  std::snprintf(
      text, sizeof text, "%02u:%02u:%02u.%09u", static_cast<unsigned>(ns / GST_SECOND / 3600),
      static_cast<unsigned>(ns / GST_SECOND / 60 % 60), static_cast<unsigned>(ns / GST_SECOND % 60),
      static_cast<unsigned>(ns % GST_SECOND));
  return text;
}

// Milliseconds; longer than nothing.
struct Span {
  guint64 start, stop;
};

Span span_of(const Hit& hit, const FrameClock& clock) {
  const guint64 start = clock.milliseconds_at(hit.start);
  return {start, std::max(clock.milliseconds_at(hit.stop), start + 1)};
}

}  // namespace

Written write_youtube(const Exported& exported) {
  ChapterList list;
  for (const Hit& hit : exported.hits) list.add(hit.start / GST_SECOND, chapter_title(hit));
  if (GST_CLOCK_TIME_IS_VALID(exported.film.duration))
    list.end(exported.film.duration / GST_SECOND);
  Written written;
  if (list.chapters().size() < kFewest) {
    written.error = "expected three chapters of 10 s or more from 0:00 on, found " +
                    std::to_string(list.chapters().size());
    return written;
  }
  for (const Chapter& chapter : list.chapters())
    written.text += chapter_time(chapter.start) + " " + chapter.title + "\n";
  written.notes = list.notes();
  if (g_utf8_strlen(written.text.c_str(), -1) > static_cast<glong>(kLongestDescription))
    written.notes.push_back("a description takes 5000 characters, these chapters have more");
  return written;
}

Written write_ffmetadata(const Exported& exported) {
  std::string text = ";FFMETADATA1\n";
  for (const Hit& hit : exported.hits) {
    const Span span = span_of(hit, exported.clock());
    text += "[CHAPTER]\nTIMEBASE=1/1000\nSTART=" + std::to_string(span.start) +
            "\nEND=" + std::to_string(span.stop) + "\ntitle=" + ffmetadata_text(hit.title()) + "\n";
  }
  return {text, "", {}};
}

Written write_mkv_chapters(const Exported& exported) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Chapters>\n <EditionEntry>\n";
  for (const Hit& hit : exported.hits) {
    const GstClockTime stop = std::max(hit.stop, hit.start + GST_MSECOND);
    text += "  <ChapterAtom>\n   <ChapterTimeStart>" + matroska_time(hit.start) +
            "</ChapterTimeStart>\n   <ChapterTimeEnd>" + matroska_time(stop) +
            "</ChapterTimeEnd>\n   <ChapterDisplay>\n    <ChapterString>" + xml_text(hit.title()) +
            "</ChapterString>\n    <ChapterLanguage>und</ChapterLanguage>\n   "
            "</ChapterDisplay>\n  </ChapterAtom>\n";
  }
  return {text + " </EditionEntry>\n</Chapters>\n", "", {}};
}

// The format is JSON5; JSON is a part of that.
Written write_llc(const Exported& exported) {
  auto segments = nlohmann::ordered_json::array();
  for (const Hit& hit : exported.hits)
    segments.push_back({{"start", static_cast<double>(hit.start) / GST_SECOND},
                        {"end", static_cast<double>(hit.stop) / GST_SECOND},
                        {"name", printable(hit.title())}});
  const nlohmann::ordered_json list{
      {"version", 1}, {"mediaFileName", exported.film_name()}, {"cutSegments", segments}};
  return {list.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", "", {}};
}
