#include "examples/export/turned_movie.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr size_t kBoxHeader = 8, kMatrixBytes = 36;
constexpr uint64_t kLongestHeader = 256 << 20;

uint64_t number_at(const char* bytes, size_t width) {
  uint64_t number = 0;
  for (size_t i = 0; i < width; ++i) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

void put(char* bytes, int32_t number) {
  for (int i = 0; i < 4; ++i)
    bytes[i] = static_cast<char>(static_cast<uint32_t>(number) >> (24 - 8 * i));
}

// Numbers in 16.16, and the last column in 2.30. The turned picture's corner goes back to 0, 0.
void write_matrix(char* matrix, int degrees, int32_t width, int32_t height) {
  constexpr int32_t kOne = 1 << 16;
  std::array<int32_t, 9> values{kOne, 0, 0, 0, kOne, 0, 0, 0, 1 << 30};
  if (degrees == 90) values = {0, kOne, 0, -kOne, 0, 0, height, 0, 1 << 30};
  if (degrees == 180) values = {-kOne, 0, 0, 0, -kOne, 0, width, height, 1 << 30};
  if (degrees == 270) values = {0, -kOne, 0, kOne, 0, 0, 0, width, 1 << 30};
  for (size_t i = 0; i < values.size(); ++i) put(matrix + 4 * i, values[i]);
}

// Where the box `moov` lies in the file, and how long it is; 0: there is none.
std::pair<uint64_t, uint64_t> find_movie(std::fstream& file) {
  uint64_t at = 0;
  char header[2 * kBoxHeader];
  while (file.seekg(static_cast<std::streamoff>(at)) && file.read(header, sizeof header)) {
    const uint64_t stated = number_at(header, 4);
    const uint64_t size = stated == 1 ? number_at(header + kBoxHeader, 8) : stated;
    if (std::memcmp(header + 4, "moov", 4) == 0 && size <= kLongestHeader) return {at, size};
    if (size < kBoxHeader) break;
    at += size;
  }
  return {0, 0};
}

// The track header of pictures is the one with a size.
bool turn_pictures(std::vector<char>& movie, int degrees) {
  const std::string_view text(movie.data(), movie.size());
  for (size_t at = text.find("tkhd"); at != std::string_view::npos;
       at = text.find("tkhd", at + 4)) {
    const size_t matrix = at + 4 + (movie[at + 4] == 1 ? 52 : 40);
    if (matrix + kMatrixBytes + 8 > movie.size()) return false;
    const auto width = static_cast<int32_t>(number_at(&movie[matrix + kMatrixBytes], 4));
    const auto height = static_cast<int32_t>(number_at(&movie[matrix + kMatrixBytes + 4], 4));
    if (width <= 0 || height <= 0) continue;
    write_matrix(&movie[matrix], degrees, width, height);
    return true;
  }
  return false;
}

}  // namespace

int turn_of(GstPad* pad) {
  static const std::map<std::string, int> degrees = {
      {"rotate-90", 90}, {"rotate-180", 180}, {"rotate-270", 270}};
  int turn = 0;
  for (guint i = 0;; ++i) {
    GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_TAG, i);
    if (!event) return turn;
    GstTagList* tags = nullptr;
    gst_event_parse_tag(event, &tags);
    gchar* text = nullptr;
    if (gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &text)) {
      const auto found = degrees.find(text);
      turn = found == degrees.end() ? 0 : found->second;
    }
    g_free(text);
    gst_event_unref(event);
  }
}

std::string turn_movie(const std::string& path, int degrees) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto [at, size] = find_movie(file);
  std::vector<char> movie(size);
  file.clear();
  file.seekg(static_cast<std::streamoff>(at));
  if (size == 0 || !file.read(movie.data(), static_cast<std::streamsize>(size)) ||
      !turn_pictures(movie, degrees))
    return "its header cannot be read again";
  file.seekp(static_cast<std::streamoff>(at));
  file.write(movie.data(), static_cast<std::streamsize>(size));
  file.close();
  return file ? "" : std::string("its header cannot be written: ") + std::strerror(errno);
}
