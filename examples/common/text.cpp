#include "examples/common/text.h"

#include <algorithm>
#include <cstdio>

namespace {

constexpr guint64 kTenth = 100'000'000, kSecond = 1'000'000'000;

size_t columns_of(gunichar c) {
  if (g_unichar_iszerowidth(c)) return 0;
  return g_unichar_iswide(c) ? 2 : 1;
}

// Calls `each` with every character of valid UTF-8 and the bytes it consists of.
template <class Each>
void for_each_character(const std::string& text, Each each) {
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at < end;) {
    const char* next = g_utf8_next_char(at);
    each(g_utf8_get_char(at), std::string(at, next));
    at = next;
  }
}

// `hours:` only when there are some.
std::string clock_text(guint64 seconds) {
  char text[48];
  const guint64 hours = seconds / 3600, minutes = seconds / 60 % 60;
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%" G_GUINT64_FORMAT ":%02d:%02d", hours,
                  static_cast<int>(minutes), static_cast<int>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(minutes),
                  static_cast<int>(seconds % 60));
  }
  return text;
}

// The user part that begins at `begin`, right after "://", ends before the returned place; `begin`
// where there is none. A password may hold what belongs escaped: it goes up to the last @ before
// the path, or before a space where what looks like a port is none.
size_t end_of_user(const std::string& text, size_t begin) {
  const size_t word = std::min(text.find_first_of(" \t\r\n\"<>`", begin), text.size());
  const size_t authority = std::min(text.find_first_of("/?#", begin), word);
  const auto after_last_at = [&](size_t end) {
    const size_t at = text.rfind('@', end - 1);
    return end > begin && at != std::string::npos && at >= begin ? at + 1 : begin;
  };
  if (const size_t end = after_last_at(authority); end != begin) return end;
  const size_t colon = text.find(':', begin);
  if (colon >= authority || text[begin] == '[') return begin;
  const bool is_port = text.find_first_not_of("0123456789", colon + 1) >= authority;
  return is_port ? begin : after_last_at(word);
}

std::string without_users(const std::string& text) {
  constexpr char kBefore[] = "://";
  std::string shown;
  size_t done = 0;
  for (size_t at = text.find(kBefore); at != std::string::npos; at = text.find(kBefore, done)) {
    const size_t begin = at + 3;
    shown += text.substr(done, begin - done);
    done = end_of_user(text, begin);
  }
  return shown + text.substr(done);
}

}  // namespace

// Parameters are known by their names: SRT's passphrase, and what cameras take over HTTP. The text
// is taken byte by byte, of which \s would know 0x85 and 0xA0 as spaces: parts of UTF-8 characters.
std::string without_credentials(const std::string& text) {
  if (text.find_first_of("@=") == std::string::npos) return text;  // as mostly
  static GRegex* const secret = g_regex_new(
      "([?&](?:user|usr|username|login|loginuse|loginpas|pass|passwd|password|pwd|passphrase|token|"
      "secret|auth)=)[^&# \t\r\n\"'<>]*",
      static_cast<GRegexCompileFlags>(G_REGEX_CASELESS | G_REGEX_OPTIMIZE | G_REGEX_RAW),
      static_cast<GRegexMatchFlags>(0), nullptr);
  const std::string anonymous = without_users(text);
  gchar* replaced = g_regex_replace(secret, anonymous.data(), static_cast<gssize>(anonymous.size()),
                                    0, "\\1***", static_cast<GRegexMatchFlags>(0), nullptr);
  const std::string shown = replaced ? replaced : "";
  g_free(replaced);
  return shown;
}

std::string place_text(const GstStructure* model) {
  const auto field = [&](const char* name) {
    const char* text = gst_structure_get_string(model, name);
    return text ? printable(text) : std::string();
  };
  const std::string why = field("why-no-gpu"), slow = field("why-no-kernels");
  const std::string plan = field("plan");
  std::string form;
  for (const char* part : {"weights", "keys"}) {
    if (field(part) == "int8") form += std::string(", int8 ") + part;
  }
  return "on " + field("device") + " (" + field("precision") + form + ")" +
         (why.empty() ? "" : ", no GPU: " + why) + (slow.empty() ? "" : "; " + slow) +
         (plan.empty() ? "" : "; " + plan);
}

std::string in_options(std::string text) {
  for (const auto& [property, option] :
       {std::pair<std::string, std::string>{"memory-limit", "--memory-limit"},
        {"window-duration", "--window"},
        {"window-stride", "--stride"},
        {"frame-rate", "--rate"}}) {
    for (size_t at = 0; (at = text.find(property, at)) != std::string::npos;) {
      const bool is_word = at == 0 || text[at - 1] == ' ';
      if (is_word) text.replace(at, property.size(), option);
      at += is_word ? option.size() : property.size();
    }
  }
  return text;
}

std::string printable(const std::string& text) {
  gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  const std::string all = valid;
  g_free(valid);
  std::string shown;
  for_each_character(all, [&](gunichar c, const std::string& bytes) {
    shown += g_unichar_iscntrl(c) ? " " : bytes;
  });
  return without_credentials(shown);
}

bool is_blank(const std::string& text) {
  bool blank = true;
  for_each_character(text, [&](gunichar c, const std::string&) {
    blank &= g_unichar_isspace(c) || g_unichar_iszerowidth(c) || g_unichar_iscntrl(c);
  });
  return blank;
}

size_t columns_of(const std::string& text) {
  size_t n = 0;
  for_each_character(text, [&](gunichar c, const std::string&) { n += columns_of(c); });
  return n;
}

std::string padded(const std::string& text, size_t n_columns) {
  const size_t n = columns_of(text);
  return n < n_columns ? text + std::string(n_columns - n, ' ') : text;
}

std::string shortened(const std::string& text, size_t n_columns) {
  if (columns_of(text) <= n_columns || n_columns < 3) return text;
  std::string kept;
  size_t n = 0;
  for_each_character(text, [&](gunichar c, const std::string& bytes) {
    n += columns_of(c);
    if (n + 3 <= n_columns) kept += bytes;
  });
  return kept + "...";
}

std::string tenths_text(guint64 ns) {
  const guint64 tenths = ns / kTenth + (ns % kTenth >= kTenth / 2 ? 1 : 0);
  return clock_text(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string seconds_text(guint64 ns) { return clock_text(ns / kSecond); }
