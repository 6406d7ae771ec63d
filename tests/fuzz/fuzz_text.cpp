// Any bytes as a title or a line for a terminal: what leaves is one line of valid UTF-8 without
// control characters, a cue's title cannot end the cue, and no password of a URI is in it.
//
// The bytes up to the first 0 are the text; what follows is a user, a password and a rest, parted
// by bytes of 0, of which a URI is made.
#include <glib.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "examples/common/text.h"
#include "gst/results/structures.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> split(const std::string& bytes) {
  std::vector<std::string> parts(4);
  size_t part = 0;
  for (char c : bytes) {
    if (c == '\0' && part < 3)
      ++part;
    else
      parts[part] += c;
  }
  return parts;
}

void check_line(const std::string& line) {
  require(g_utf8_validate(line.data(), static_cast<gssize>(line.size()), nullptr));
  for (const char* at = line.c_str(); *at; at = g_utf8_next_char(at)) {
    require(!g_unichar_iscntrl(g_utf8_get_char(at)));
  }
}

void check_title(const std::string& text) {
  vidi::Hit hit;
  hit.query = text;
  const std::string title = vidi::title_of(hit);
  check_line(title);
  require(title.find("-->") == std::string::npos);
}

// A password of letters alone, so that it is one wherever the URI stands.
void check_password(std::string user, std::string password, const std::string& rest) {
  for (std::string* part : {&user, &password}) {
    for (char& c : *part) c = static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
  }
  password = "Secret" + password;
  if (rest.find("Secret") != std::string::npos) return;
  for (const std::string& uri : {"rtsp://" + user + ":" + password + "@camera/" + rest,
                                 "srt://camera?passphrase=" + password + "&" + rest}) {
    require(printable(rest + " " + uri).find(password) == std::string::npos);
    require(without_credentials(uri).find(password) == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string> parts =
      split(std::string(reinterpret_cast<const char*>(data), size));
  check_line(printable(parts[0]));
  check_title(parts[0]);
  check_password(parts[1], parts[2], parts[3]);
  return 0;
}
