#include "examples/ask/hit_list.h"

#include <algorithm>
#include <cstdio>

#include "examples/common/text.h"

namespace {

constexpr size_t kWidestTitle = 60;
constexpr char kNothing[] = "nothing found";

std::string string_field(const GstStructure* structure, const char* name) {
  const gchar* text = gst_structure_get_string(structure, name);
  return text ? text : "";
}

struct Row {
  std::string title, start, stop, confidence;
};

Row row_of(const Hit& hit) {
  Row row{printable(hit.title()), tenths_text(hit.start), tenths_text(hit.stop), "?"};
  if (hit.confidence) {
    char text[16];
    std::snprintf(text, sizeof text, "%.2f", *hit.confidence);
    row.confidence = text;
  }
  return row;
}

std::string print(const std::vector<Row>& rows) {
  size_t title = 0, time = 0;
  for (const Row& row : rows) {
    title = std::max(title, columns_of(shortened(row.title, kWidestTitle)));
    if (!row.confidence.empty()) time = std::max({time, row.start.size(), row.stop.size()});
  }
  std::string text;
  for (const Row& row : rows) {
    text += padded(shortened(row.title, kWidestTitle), title) + "  ";
    if (row.confidence.empty()) {
      text += row.start + "\n";
    } else {
      text +=
          padded(row.start, time) + "  " + padded(row.stop, time) + "  " + row.confidence + "\n";
    }
  }
  return text;
}

}  // namespace

std::optional<Hit> final_hit(const GstStructure* result) {
  gboolean final = FALSE;
  gst_structure_get_boolean(result, "final", &final);
  guint64 start = 0, duration = 0, timestamp = 0;
  // A stream without a stream time has its timestamps at least.
  if (!final || !gst_structure_get_uint64(result, "duration", &duration) ||
      (!gst_structure_get_uint64(result, "stream-time", &start) &&
       !gst_structure_get_uint64(result, "timestamp", &start)))
    return std::nullopt;
  Hit hit{string_field(result, "query"),
          string_field(result, "query-id"),
          string_field(result, "label"),
          start,
          start + duration,
          {}};
  gst_structure_get_uint64(result, "timestamp", &timestamp);
  hit.timestamp = timestamp;
  double confidence = 0;
  if (gst_structure_get_double(result, "confidence", &confidence)) hit.confidence = confidence;
  return hit;
}

std::vector<Hit> merged(std::vector<Hit> hits) {
  hits = by_start(std::move(hits));
  std::vector<Hit> all;
  for (Hit& hit : hits) {
    const auto same = std::find_if(all.rbegin(), all.rend(), [&](const Hit& before) {
      return before.title() == hit.title() && hit.start <= before.stop;
    });
    if (same == all.rend()) {
      all.push_back(std::move(hit));
      continue;
    }
    same->stop = std::max(same->stop, hit.stop);
    same->confidence = std::max(same->confidence, hit.confidence);
  }
  return all;
}

std::string table(const std::vector<std::string>& queries, std::vector<Hit> hits) {
  hits = by_start(std::move(hits));
  std::vector<Row> rows{{queries.empty() ? "highlight" : "query", "start", "stop", "confidence"}};
  if (queries.empty()) {
    for (const Hit& hit : hits) rows.push_back(row_of(hit));
    if (hits.empty()) return std::string(kNothing) + "\n";
  }
  for (const std::string& query : queries) {
    const size_t n_before = rows.size();
    for (const Hit& hit : hits) {
      if (hit.query == query) rows.push_back(row_of(hit));
    }
    if (rows.size() == n_before) rows.push_back({printable(query), kNothing, "", ""});
  }
  return print(rows);
}
