#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "examples/export/clip_names.h"
#include "examples/export/exports.h"
#include "examples/export/formats.h"
#include "examples/export/hit_lines.h"

namespace {

Hit hit(const std::string& query, double start, double stop) {
  return {query,
          "0",
          "",
          static_cast<GstClockTime>(start * GST_SECOND),
          static_cast<GstClockTime>(stop * GST_SECOND),
          0.5};
}

Exported exported(std::vector<Hit> hits, FrameRate rate = {25, 1}, double duration = 4000) {
  MediaFacts film{"file:///films/a%20film.mp4", static_cast<GstClockTime>(duration * GST_SECOND)};
  film.rate_n = rate.n, film.rate_d = rate.d;
  return {film, std::move(hits), ""};
}

Written write(const char* format, const Exported& what) {
  return format_named(format)->write(what);
}

// What may come from a model or a file name.
const std::vector<std::string> kHostile = {"../../x",
                                           "/etc/passwd",
                                           std::string("a\0b", 3),
                                           std::string(300, 'x'),
                                           "\xF0\x9F\x90\xB6 dog",
                                           "-rf",
                                           "=1+1",
                                           "a\nb\r\nc",
                                           "<img onerror=1>",
                                           "\"quoted\", 'too'",
                                           "a|b",
                                           "]]>",
                                           "\xE2\x80\xAE"
                                           "cod",
                                           "\xE2\x80\xA8",
                                           "\xFF\xFE",
                                           "\xEF\xBF\xBE",
                                           "..",
                                           ".",
                                           "   ",
                                           "CON",
                                           "a;b#c=d\\",
                                           "-->"};

// The table names every format once, and each has an extension of its own.
TEST(Formats, AreKnownByTheirNames) {
  std::set<std::string> extensions;
  for (const Format& format : formats()) {
    EXPECT_EQ(format_named(format.name), &format);
    EXPECT_TRUE(extensions.insert(format.extension).second) << format.name;
    EXPECT_NE(format_help().find(format.help), std::string::npos);
  }
  EXPECT_EQ(formats().size(), 13U);
  EXPECT_EQ(format_named("avi"), nullptr);
}

// Without a hit, and with hostile titles at any rate, every format is written (youtube may refuse),
// as UTF-8 without control characters other than line ends and tabs.
TEST(Formats, TakeHostileTitles) {
  std::vector<Hit> hits;
  for (const std::string& title : kHostile)
    hits.push_back(hit(title, hits.size() * 20.0, hits.size() * 20.0 + 5));
  for (const Format& format : formats()) {
    for (const auto& some : {hits, std::vector<Hit>{}}) {
      const Written written = format.write(exported(some, {30000, 1001}));
      if (!written.error.empty()) {
        EXPECT_STREQ(format.name, "youtube");
        continue;
      }
      if (std::string(format.name) == "premiere-csv") continue;  // UTF-16
      EXPECT_TRUE(
          g_utf8_validate(written.text.data(), static_cast<gssize>(written.text.size()), nullptr))
          << format.name;
      for (char c : written.text)
        EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t')
            << format.name;
    }
  }
}

// No cell begins with what a spreadsheet takes for a formula, and quotes are doubled.
TEST(Csv, HasNoFormulas) {
  const std::string text = write("csv", exported({hit("=1+1", 1, 2), hit(" @SUM(A1)", 2, 3),
                                                  hit("a \"b\", c", 3, 4), hit("\t-2", 4, 5),
                                                  hit("\xEF\xBC\x9D"
                                                      "1",
                                                      5, 6)}))
                               .text;
  EXPECT_NE(text.find(",\"'=1+1\","), std::string::npos) << text;
  EXPECT_NE(text.find(",\"' @SUM(A1)\","), std::string::npos) << text;
  EXPECT_NE(text.find(",\"a \"\"b\"\", c\","), std::string::npos) << text;
  EXPECT_NE(text.find(",\"' -2\","), std::string::npos) << text;
  EXPECT_NE(text.find(",\"'\xEF\xBC\x9D"
                      "1\","),
            std::string::npos)
      << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 6);
  EXPECT_NE(text.find("1.000000000,2.000000000,0.5000,"), std::string::npos);
}

// Chapters begin at 0:00, are 10 s or longer and ascend; hits that are closer are joined, and said.
TEST(Youtube, JoinsWhatIsTooShort) {
  const Written written = write("youtube", exported({hit("a", 30, 31), hit("b", 35, 36),
                                                     hit("a", 38, 39), hit("c<d>", 3700.9, 3701)}));
  EXPECT_EQ(written.text, "0:00 Start\n0:30 a, b\n1:01:40 c‹d›\n");
  ASSERT_EQ(written.notes.size(), 1U);
  EXPECT_NE(written.notes[0].find("2 hits"), std::string::npos);
  const Written first =
      write("youtube",
            exported({hit("a", 4, 5), hit("b", 20, 21), hit("c", 40, 41), hit("d", 3995, 3996)}));
  EXPECT_EQ(first.text, "0:00 a\n0:20 b\n0:40 c, d\n");
  EXPECT_EQ(first.notes.size(), 2U);
}

// Less than three chapters are no list: one sentence, no text.
TEST(Youtube, NeedsThree) {
  for (const auto& hits : {std::vector<Hit>{},
                           {hit("a", 0, 5), hit("b", 9, 12)},
                           {hit("a", 3, 5), hit("b", 20, 22)}}) {
    const Written written = write("youtube", exported(hits));
    EXPECT_EQ(written.text, "");
    EXPECT_NE(written.error.find("expected three"), std::string::npos);
  }
}

// The signs that ffmpeg reads are escaped.
TEST(Ffmetadata, IsEscaped) {
  const std::string text = write("ffmetadata", exported({hit("a=b;c#d\\e\nf", 1, 1)})).text;
  EXPECT_EQ(text,
            ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/"
            "1000\nSTART=1000\nEND=1001\ntitle=a\\=b\\;c\\#d\\\\e f\n");
}

// Markers of an EDL: record time from one hour on, drop-frame where the rate has it.
TEST(Edl, CountsFromOneHour) {
  Exported what = exported({hit("a|b", 0, 1)}, {30000, 1001});
  std::string text = write("edl", what).text;
  EXPECT_NE(text.find("FCM: DROP FRAME\n"), std::string::npos);
  EXPECT_NE(
      text.find("001  001      V     C        01:00:00;00 01:00:00;01 01:00:00;00 01:00:00;01"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(" |C:ResolveColorBlue |M:a/b |D:29\n"), std::string::npos) << text;
  what.first_code = "10:00:00:00";
  text = write("edl", what).text;
  EXPECT_NE(text.find(" 10:00:00;00 "), std::string::npos) << text;
  EXPECT_NE(write("edl", exported({}, {24000, 1001})).text.find("NON-DROP"), std::string::npos);
}

// Lines of --json are read again as they were, with what the first one says of the film.
TEST(HitLines, AreReadBack) {
  Exported what = exported({hit("a dog", 1.04, 2.2)}, {30000, 1001});
  what.film.width = 640, what.film.height = 360, what.film.has_audio = true;
  what.hits.push_back({"", "", "goal", 1'033'366'666, 5'000'000'001, {}});
  std::istringstream lines(write("jsonl", what).text);
  const HitLines read = read_hit_lines(lines);
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.film.uri, what.film.uri);
  EXPECT_EQ(read.film.duration, what.film.duration);
  EXPECT_EQ(read.film.rate_n, 30000);
  EXPECT_EQ(read.film.width, 640);
  EXPECT_TRUE(read.film.has_audio);
  ASSERT_EQ(read.hits.size(), 2U);
  EXPECT_EQ(read.hits[0].query, "a dog");
  EXPECT_EQ(read.hits[0].confidence, 0.5);
  EXPECT_EQ(read.hits[1].label, "goal");
  EXPECT_EQ(read.hits[1].start, 1'033'366'666U);
  EXPECT_EQ(read.hits[1].stop, 5'000'000'001U);
}

// Results of json_src are hits as well, when they are final; other types are left out.
TEST(HitLines, TakeResultsOfTheElement) {
  std::istringstream lines(
      "{\"type\":\"result\",\"query\":\"a\",\"stream_time\":4000000000,\"timestamp\":9,"
      "\"duration\":1000000000,\"final\":true}\n"
      "{\"type\":\"result\",\"query\":\"a\",\"stream_time\":4000000000,\"duration\":1,\"final\":"
      "false}\n\n"
      "{\"type\":\"window\",\"window_index\":0}\n{\"type\":\"comparison\",\"query\":\"a\"}\n");
  const HitLines read = read_hit_lines(lines);
  EXPECT_EQ(read.error, "");
  ASSERT_EQ(read.hits.size(), 1U);
  EXPECT_EQ(read.hits[0].start, 4 * GST_SECOND);
  EXPECT_EQ(read.hits[0].stop, 5 * GST_SECOND);
}

// What is no hit is one sentence with the number of its line.
TEST(HitLines, WrongOnesAreSaid) {
  for (const char* wrong :
       {"{", "[]", "7", "{\"query\":\"a\"}", "{\"query\":\"a\",\"start\":\"1\",\"stop\":2}",
        "{\"query\":\"a\",\"start\":-1,\"stop\":2}", "{\"query\":\"a\",\"start\":3,\"stop\":2}",
        "{\"start\":1,\"stop\":2}", "{\"query\":\"a\",\"start\":1e300,\"stop\":2e300}",
        "{\"type\":\"media\",\"frame_rate\":\"x\"}", "{\"type\":\"media\",\"duration\":[]}",
        "\xFF\xFE", "{\"type\":\"result\",\"query\":\"a\"}"}) {
    std::istringstream lines(std::string("{\"query\":\"a\",\"start\":1,\"stop\":2}\n") + wrong +
                             "\n");
    EXPECT_TRUE(read_hit_lines(lines).error.starts_with("line 2: expected")) << wrong;
  }
}

// The name of a clip is one harmless name in its folder, whatever the title.
TEST(ClipNames, AreHarmless) {
  std::set<std::string> names;
  for (size_t i = 0; i < kHostile.size(); ++i) {
    const std::string name = clip_name(i + 1, kHostile.size(), hit(kHostile[i], 3725, 3730));
    EXPECT_TRUE(names.insert(name).second);
    EXPECT_LT(name.size(), 140U);
    EXPECT_TRUE(std::regex_search(name, std::regex("^[0-9]{2} .+ 1-02-05$"))) << name;
    EXPECT_TRUE(g_utf8_validate(name.data(), static_cast<gssize>(name.size()), nullptr));
    EXPECT_EQ(name.find_first_of("/\\:*?\"<>|\n\r\t"), std::string::npos) << name;
    EXPECT_EQ(name.find("\xE2\x80\xAE"), std::string::npos) << name;
  }
  EXPECT_EQ(clip_name(3, 120, hit("a dog", 12, 16)), "003 a dog 0-00-12");
}

// NAME=FILE and NAME; the latter is named after the film, in the current folder.
TEST(Exports, AreNamedAfterTheFilm) {
  ExportRequest request;
  EXPECT_EQ(parse_export("edl", "/films/a film.tar.mp4", &request), "");
  EXPECT_EQ(request.file, "a film.tar.hits.edl");
  EXPECT_EQ(parse_export("otio", "https://host/x/film.mp4?token=1/2", &request), "");
  EXPECT_EQ(request.file, "film.hits.otio");
  EXPECT_EQ(parse_export("csv", "-", &request), "");
  EXPECT_EQ(request.file, "hits.csv");
  EXPECT_EQ(parse_export("csv=a=b", "film.mp4", &request), "");
  EXPECT_EQ(request.file, "a=b");
  EXPECT_NE(parse_export("csv=", "film.mp4", &request), "");
  EXPECT_NE(parse_export("avi=x", "film.mp4", &request).find("expected vtt, srt"),
            std::string::npos);
}

}  // namespace
