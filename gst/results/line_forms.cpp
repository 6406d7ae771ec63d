#include "gst/results/line_forms.h"

#include <cstdint>
#include <string>

namespace vidi {
namespace {

using namespace std::string_literals;

// Universal label, registry version 1, experimental metadata, "vidi", version 1.
const std::string kKey = "\x06\x0e\x2b\x34\x01\x01\x01\x01\x0fvidi\0\0\x01"s;

std::string big_endian(size_t value, int n_bytes, int n_bits) {
  std::string text;
  for (int i = n_bytes - 1; i >= 0; --i)
    text += static_cast<char>(value >> (i * n_bits) & ((1U << n_bits) - 1));
  return text;
}

// Basic encoding rules: one byte, or how many follow.
std::string ber_length(size_t length) {
  if (length < 0x80) return std::string(1, static_cast<char>(length));
  int n_bytes = 1;
  while (n_bytes < 8 && length >> (8 * n_bytes)) ++n_bytes;
  return static_cast<char>(0x80 | n_bytes) + big_endian(length, n_bytes, 8);
}

std::string klv(const std::string& line) { return kKey + ber_length(line.size()) + line; }

// Sizes have seven bits a byte. The text is UTF-8 (3): a description and a value.
std::string id3(const std::string& line) {
  const std::string text = "\x03vidi\0"s + line + '\0';
  const std::string frame = "TXXX" + big_endian(text.size(), 4, 7) + "\0\0"s + text;
  return "ID3\x04\0\0"s + big_endian(frame.size(), 4, 7) + frame;
}

std::string without_end(GstBuffer* line) {
  gsize size = gst_buffer_get_size(line);
  std::string text(size, '\0');
  gst_buffer_extract(line, 0, text.data(), size);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

GstBuffer* in_form(GstBuffer* line, const GstCaps* form) {
  const GstStructure* s = gst_caps_get_structure(form, 0);
  const bool as_klv = gst_structure_has_name(s, "meta/x-klv");
  if (!as_klv && !gst_structure_has_name(s, "meta/x-id3")) return line;
  const std::string text = without_end(line);
  const std::string packet = as_klv ? klv(text) : id3(text);
  GstBuffer* wrapped = gst_buffer_new_memdup(packet.data(), packet.size());
  gst_buffer_copy_into(wrapped, line, GST_BUFFER_COPY_METADATA, 0, -1);
  gst_buffer_unref(line);
  return wrapped;
}

}  // namespace vidi
