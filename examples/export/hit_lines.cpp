#include "examples/export/hit_lines.h"

#include <cmath>
#include <cstdio>
#include <ios>
#include <iostream>
#include <nlohmann/json.hpp>

#include "examples/common/text.h"
#include "examples/export/frame_clock.h"
#include "examples/export/writers.h"

namespace {

using Json = nlohmann::json;

constexpr double kLongest = 1e8;  // seconds: three years
constexpr int kWidest = 1 << 20;  // pixels
constexpr size_t kLongestLine = 1 << 20;
constexpr char kTorn[] = "it cannot be read to its end";

std::string dump(const nlohmann::ordered_json& line) {
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string text_in(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

// A time of this scale; throws a sentence where there is none.
GstClockTime time_in(const Json& line, const char* key, double units_a_second) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_number()) throw std::string("expected the number ") + key;
  if (found->is_number_unsigned() && units_a_second == GST_SECOND &&
      found->get<guint64>() <= kLongest * GST_SECOND)
    return found->get<guint64>();
  const double seconds = found->get<double>() / units_a_second;
  if (!(seconds >= 0 && seconds <= kLongest))
    throw std::string("expected ") + key + " from 0 on, found " + found->dump();
  return static_cast<GstClockTime>(std::llround(seconds * GST_SECOND));
}

void take_confidence(const Json& line, Hit* hit) {
  const auto found = line.find("confidence");
  if (found == line.end() || !found->is_number()) return;
  const double confidence = found->get<double>();
  if (!(confidence >= 0 && confidence <= 1))
    throw "expected confidence from 0 to 1, found " + found->dump();
  hit->confidence = confidence;
}

Hit hit_in(const Json& line) {
  Hit hit{text_in(line, "query"),   "", text_in(line, "label"), time_in(line, "start", 1),
          time_in(line, "stop", 1), {}};
  take_confidence(line, &hit);
  return hit;
}

Hit result_in(const Json& line) {
  const bool has_stream_time = line.contains("stream_time");
  const GstClockTime start =
      time_in(line, has_stream_time ? "stream_time" : "timestamp", GST_SECOND);
  Hit hit{text_in(line, "query"),
          text_in(line, "query_id"),
          text_in(line, "label"),
          start,
          start + time_in(line, "duration", GST_SECOND),
          {}};
  take_confidence(line, &hit);
  return hit;
}

void check(const Hit& hit) {
  if (hit.stop < hit.start) throw std::string("expected a stop after the start");
  if (hit.title().empty()) throw std::string("expected a query or a label");
}

int size_in(const Json& line, const char* key) {
  const auto found = line.find(key);
  const bool fits =
      found != line.end() && found->is_number_integer() && *found > 0 && *found <= kWidest;
  return fits ? found->get<int>() : 0;
}

MediaFacts film_in(const Json& line) {
  MediaFacts film;
  film.uri = text_in(line, "uri");
  if (line.contains("duration")) film.duration = time_in(line, "duration", 1);
  if (const std::string text = text_in(line, "frame_rate"); !text.empty()) {
    const auto rate = parse_frame_rate(text);
    if (!rate) throw "expected a frame_rate such as \"30000/1001\", found " + printable(text);
    film.rate_n = rate->n, film.rate_d = rate->d;
  }
  film.variable_rate = line.value("variable_frame_rate", Json(false)) == true;
  film.width = size_in(line, "width"), film.height = size_in(line, "height");
  film.has_audio = line.value("has_audio", Json(false)) == true;
  return film;
}

void take(const std::string& text, HitLines* lines) {
  const Json line = Json::parse(text, nullptr, false);
  if (!line.is_object()) throw std::string("expected a JSON object");
  const std::string type = text_in(line, "type");
  if (type == "media") lines->film = film_in(line);
  if (type == "result" && line.value("final", Json(true)) != true) return;
  if (type != "" && type != "result") return;
  const Hit hit = type.empty() ? hit_in(line) : result_in(line);
  check(hit);
  lines->hits.push_back(hit);
}

// A line without end is read no further than it takes to refuse it.
bool next_line(std::istream& lines, std::string* text) {
  text->clear();
  std::streambuf* from = lines.rdbuf();
  for (int c = from->sbumpc();; c = from->sbumpc()) {
    if (c == EOF) return !text->empty();
    if (c == '\n') return true;
    *text += static_cast<char>(c);
    if (text->size() > kLongestLine) return true;
  }
}

HitLines read_all(std::istream& lines) {
  HitLines read;
  std::string text;
  for (size_t number = 1; read.error.empty() && next_line(lines, &text); ++number) {
    if (text.size() > kLongestLine) {
      read.error = "line " + std::to_string(number) + ": expected a JSON object of at most 1 MiB";
      break;
    }
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      take(text, &read);
    } catch (const std::string& wrong) {
      read.error = "line " + std::to_string(number) + ": " + wrong;
    } catch (const nlohmann::json::exception&) {
      read.error = "line " + std::to_string(number) + ": expected a JSON object of a hit";
    }
  }
  return read;
}

}  // namespace

std::string json_line(const Hit& hit) {
  nlohmann::ordered_json line;
  if (!hit.query.empty()) line["query"] = hit.query;
  if (!hit.label.empty()) line["label"] = hit.label;
  line["start"] = static_cast<double>(hit.start) / GST_SECOND;
  line["stop"] = static_cast<double>(hit.stop) / GST_SECOND;
  if (hit.confidence) line["confidence"] = *hit.confidence;
  return dump(line);
}

std::string media_line(const MediaFacts& film) {
  // Scripts that pick the lines of a question find none here.
  nlohmann::ordered_json line{{"type", "media"},
                              {"query", ""},
                              {"start", 0},
                              {"stop", 0},
                              {"uri", without_credentials(film.uri)}};
  if (GST_CLOCK_TIME_IS_VALID(film.duration))
    line["duration"] = static_cast<double>(film.duration) / GST_SECOND;
  if (film.rate_n > 0) line["frame_rate"] = to_string({film.rate_n, film.rate_d});
  if (film.variable_rate) line["variable_frame_rate"] = true;
  if (film.width > 0) line["width"] = film.width, line["height"] = film.height;
  line["has_audio"] = film.has_audio;
  return dump(line);
}

HitLines read_hit_lines(std::istream& lines) {
  try {
    HitLines read = read_all(lines);
    if (&lines == &std::cin && std::ferror(stdin)) read.error = kTorn;
    return read;
  } catch (const std::ios_base::failure&) {  // a disk that went away
    return {{}, {}, kTorn};
  }
}

Written write_jsonl(const Exported& exported) {
  std::string text = media_line(exported.film);
  for (const Hit& hit : exported.hits) text += json_line(hit);
  return {text, "", {}};
}
