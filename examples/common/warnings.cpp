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

}  // namespace

std::string message_text(GstMessage* message) {
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(message, &error, nullptr);
  } else {
    gst_message_parse_error(message, &error, nullptr);
  }
  std::string text = error ? in_options(printable(error->message)) : "";
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
