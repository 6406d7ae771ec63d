#include "examples/common/warnings.h"

#include <algorithm>

#include "examples/common/text.h"

namespace {

// "frame #17 is lost" and "frame #18 is lost" have the same.
std::string key_of(const std::string& text) {
  std::string key;
  for (char c : text) {
    if (!g_ascii_isdigit(c)) key += c;
  }
  return key;
}

// hlsdemux passes on what an element of its own said, with its source line and its place: "Resource
// not found.: ../gstfilesrc.c(553): gst_file_src_start (): /GstPipeline:.../GstFileSrc:src: No
// ...".
std::string without_source_lines(const std::string& text) {
  static GRegex* const pattern = g_regex_new(
      "\\.?:? *[^ ]+\\.c(pp)?\\([0-9]+\\): [^ ]+ \\(\\): /Gst[^ ]+:", GRegexCompileFlags{},
      GRegexMatchFlags{}, nullptr);
  gchar* short_text =
      g_regex_replace_literal(pattern, text.c_str(), -1, 0, ":", GRegexMatchFlags{}, nullptr);
  const std::string result = short_text ? short_text : text;
  g_free(short_text);
  return result;
}

}  // namespace

std::string message_text(GstMessage* message) {
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(message, &error, nullptr);
  } else {
    gst_message_parse_error(message, &error, nullptr);
  }
  std::string text = error ? in_options(without_source_lines(printable(error->message))) : "";
  g_clear_error(&error);
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string Warnings::add(GstMessage* message) {
  const std::string text = message_text(message), key = key_of(text);
  const auto before = std::find_if(warnings_.begin(), warnings_.end(),
                                   [&](const Warning& other) { return other.key == key; });
  if (before == warnings_.end()) {
    warnings_.push_back({key, text});
    return text;
  }
  before->text = text;
  ++before->n_more;
  return "";
}

std::vector<std::string> Warnings::take_repeated() {
  std::vector<std::string> lines;
  for (const Warning& warning : warnings_) {
    if (warning.n_more > 0)
      lines.push_back(warning.text + " (" + std::to_string(warning.n_more) + " more)");
  }
  warnings_.clear();
  return lines;
}
