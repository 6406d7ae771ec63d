#include "examples/page/page.h"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "examples/common/text.h"
#include "examples/export/exported.h"
#include "examples/page/page_template.h"

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

std::string base64(const std::string& bytes) {
  gchar* text = g_base64_encode(reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
  const std::string encoded = text;
  g_free(text);
  return encoded;
}

std::string escaped(const std::string& text) {
  gchar* markup = g_markup_escape_text(text.data(), static_cast<gssize>(text.size()));
  const std::string safe = markup;
  g_free(markup);
  return safe;
}

// Inside <script type="application/json">: plain ASCII, and no character of which an HTML parser
// makes anything (`</script>`, `<!--`).
std::string script_data(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else if (c == '>') {
      text += "\\u003e";
    } else if (c == '&') {
      text += "\\u0026";
    } else {
      text += c;
    }
  }
  return text;
}

// The significant digits of a number as it is written.
std::string digits_of(std::string text) {
  text.resize(std::min(text.size(), text.find_first_of("eE")));
  std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
  text.erase(0, text.find_first_not_of('0'));
  return text.substr(0, text.find_last_not_of('0') + 1);
}

// Browsers write the shortest digits that mean a number, our JSON now and then one more. Where it
// does, the page has what it writes, so that exports come out the same.
void note_digits(const char* name, double number, Json* written) {
  char shortest[32];
  const auto end = std::to_chars(shortest, std::end(shortest), number).ptr;
  const std::string ours = Json(number).dump();
  if (digits_of(ours) != digits_of({shortest, end})) (*written)[name] = ours;
}

double seconds(GstClockTime ns) { return static_cast<double>(ns) / GST_SECOND; }

Json film_data(const Page& page) {
  const MediaFacts& facts = page.facts;
  const Exported exported{facts, {}, page.first_code};
  const int rate_n = facts.rate_d > 0 ? facts.rate_n : 0;
  Json film{{"name", printable(page.film)},
            {"url", page.film_url},
            {"unplayable", page.unplayable},
            {"uri", without_credentials(facts.uri)},
            {"file", exported.film_name()},
            {"rate", {rate_n, std::max(facts.rate_d, 1)}},
            {"variable_rate", facts.variable_rate},
            {"width", facts.width},
            {"height", facts.height},
            {"has_audio", facts.has_audio}};
  if (page.proxy_begin > 0) film["copy_begin"] = page.proxy_begin;
  Json written;
  if (GST_CLOCK_TIME_IS_VALID(facts.duration)) {
    film["duration"] = facts.duration;
    note_digits("duration", seconds(facts.duration), &written);
  }
  if (rate_n > 0) {
    film["first_frame"] = exported.first_frame();
    film["first_frame_edl"] = exported.first_frame("01:00:00:00");
    note_digits("rate", static_cast<double>(rate_n) / facts.rate_d, &written);
  }
  if (!written.empty()) film["written"] = written;
  return film;
}

Json hit_data(const Hit& hit) {
  Json data{{"query", hit.query}, {"label", hit.label}, {"start", hit.start}, {"stop", hit.stop}};
  Json printed, written;
  if (printable(hit.query) != hit.query) printed["query"] = printable(hit.query);
  if (printable(hit.label) != hit.label) printed["label"] = printable(hit.label);
  if (!printed.empty()) data["printed"] = printed;
  note_digits("start", seconds(hit.start), &written);
  note_digits("stop", seconds(hit.stop), &written);
  if (hit.confidence) {
    data["confidence"] = *hit.confidence;
    note_digits("confidence", *hit.confidence, &written);
  }
  if (!written.empty()) data["written"] = written;
  return data;
}

// Hits that begin together show one picture, which is in the page once.
Json hits_data(const std::vector<PageHit>& hits, Json* thumbnails) {
  std::map<std::string, size_t> known;
  Json all = Json::array();
  for (const PageHit& one : hits) {
    Json hit = hit_data(one.hit);
    if (!one.thumbnail.empty()) {
      const auto [place, is_new] = known.emplace(one.thumbnail, known.size());
      if (is_new) thumbnails->push_back(base64(one.thumbnail));
      hit["thumbnail"] = place->second;
    }
    all.push_back(std::move(hit));
  }
  return all;
}

std::string page_data(const Page& page) {
  Json data, thumbnails = Json::array();
  data["film"] = film_data(page);
  data["made_by"] = printable(page.made_by);
  data["notices"] = page.notices;
  data["questions"] = page.questions;
  data["hits"] = hits_data(page.hits, &thumbnails);
  data["thumbnails"] = std::move(thumbnails);
  return script_data(data);
}

}  // namespace

std::string html(const Page& page) {
  const std::map<std::string, std::string> filled{{"TITLE", escaped(printable(page.film))},
                                                  {"DATA", page_data(page)},
                                                  {"PROXY", base64(page.proxy)}};
  std::string text;
  for (const PagePiece& piece : kPageTemplate) {
    text += piece.text;
    if (*piece.then) text += filled.at(piece.then);
  }
  return text;
}

std::string relative_url(const std::string& film, const std::string& page) {
  std::error_code failed;
  const fs::path from = fs::weakly_canonical(fs::absolute(page).parent_path(), failed);
  const fs::path to = fs::weakly_canonical(fs::absolute(film), failed);
  const std::string path = to.lexically_relative(from).generic_string();
  gchar* url = g_uri_escape_bytes(reinterpret_cast<const guint8*>(path.data()), path.size(), "/");
  const std::string text = url;
  g_free(url);
  return text;
}
