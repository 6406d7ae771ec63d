#include "examples/ask/comparison_text.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "examples/common/text.h"

namespace {

using Cells = std::vector<std::string>;

constexpr size_t kWidestTitle = 40;
constexpr char kColumns[] =
    "same: answers that are the same word for word. IoU: of all the ranges in an answer, both\n"
    "empty = 1, the mean over the windows. both: hits of one question that overlap; shift: the\n"
    "largest of one of their edges; confidence: the rms of ln(confidence / the reference's).\n"
    "all: every window once for each question.\n";

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string bytes_text(uint64_t bytes) {
  const auto n = static_cast<double>(bytes);
  return n < 1e9 ? format("%.1f MB", n / 1e6) : format("%.1f GB", n / 1e9);
}

std::string known(const char* pattern, const std::optional<double>& value) {
  return value ? format(pattern, *value) : "-";
}

// Pictures and sound are looked at ahead of their window, in none of its inference time: so the
// time of watching is told, too.
Cells cost_row(const std::string& title, const Pass& pass) {
  const Mode& mode = pass.mode;
  const std::string place = mode.device + ", " + mode.name();
  return {title + ": " + printable(place), format("%.1f s", mode.load_s),
          format("%.1f s", pass.watch_s),  format("%.1f s", pass.inference_s()),
          bytes_text(mode.weight_bytes),   bytes_text(mode.device_bytes)};
}

std::string title_of(const Agreement& agreement) {
  return agreement.query.empty() ? "highlights"
                                 : shortened(printable(agreement.query), kWidestTitle);
}

Cells row_of(const std::string& title, const Agreement& a) {
  return {title,
          std::to_string(a.n_windows),
          std::to_string(a.n_same),
          format("%.3f", a.mean_iou()),
          std::to_string(a.n_both),
          std::to_string(a.n_only_chosen),
          std::to_string(a.n_only_reference),
          known("%.2f s", a.largest_shift_s()),
          known("%.4f", a.rms_log_confidence())};
}

// The first column to the left, numbers to the right.
std::string print(const std::vector<Cells>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Cells& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string text;
  for (const Cells& row : rows) {
    text += padded(row[0], widths[0]);
    for (size_t i = 1; i < row.size(); ++i)
      text += "  " + std::string(widths[i] - columns_of(row[i]), ' ') + row[i];
    text += "\n";
  }
  return text;
}

nlohmann::ordered_json object_of(const Agreement& a) {
  nlohmann::ordered_json line;
  line["type"] = "comparison";
  if (!a.query.empty()) line["query"] = a.query;
  line["windows"] = a.n_windows;
  line["same_answers"] = a.n_same;
  line["mean_iou"] = a.mean_iou();
  line["hits_both"] = a.n_both;
  line["hits_only_chosen"] = a.n_only_chosen;
  line["hits_only_reference"] = a.n_only_reference;
  if (const auto shift_s = a.largest_shift_s()) line["largest_shift"] = *shift_s;
  if (const auto rms = a.rms_log_confidence()) line["rms_log_confidence"] = *rms;
  return line;
}

nlohmann::ordered_json object_of(const Pass& pass) {
  const Mode& mode = pass.mode;
  nlohmann::ordered_json object{{"device", mode.device},
                                {"precision", mode.precision},
                                {"weights", mode.weights},
                                {"keys", mode.keys},
                                {"load_time", mode.load_s},
                                {"watch_time", pass.watch_s},
                                {"inference_time", pass.inference_s()},
                                {"weight_bytes", mode.weight_bytes}};
  if (mode.device_bytes) object["device_memory"] = mode.device_bytes;
  return object;
}

std::string line_of(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string comparison_table(const Comparison& comparison, const Pass& chosen,
                             const Pass& reference) {
  std::vector<Cells> modes{{"mode", "load", "watching", "inference", "weights", "device memory"},
                           cost_row("chosen", chosen),
                           cost_row("reference", reference)};
  if (chosen.mode.on_cpu() && reference.mode.on_cpu()) {
    for (Cells& row : modes) row.pop_back();  // not told there
  }
  std::vector<Cells> rows{{"agreement", "windows", "same", "IoU", "both", "only chosen",
                           "only reference", "shift", "confidence"}};
  for (const Agreement& question : comparison.questions())
    rows.push_back(row_of(title_of(question), question));
  if (comparison.questions().size() > 1) rows.push_back(row_of("all", comparison.all()));
  return print(modes) + "\n" + print(rows) + kColumns;
}

std::string comparison_lines(const Comparison& comparison, const Pass& chosen,
                             const Pass& reference) {
  std::string lines;
  for (const Agreement& question : comparison.questions()) lines += line_of(object_of(question));
  nlohmann::ordered_json all = object_of(comparison.all());
  all["type"] = "comparison-all";
  all["windows_only_chosen"] = comparison.n_only_chosen();
  all["windows_only_reference"] = comparison.n_only_reference();
  all["chosen"] = object_of(chosen);
  all["reference"] = object_of(reference);
  return lines + line_of(all);
}
