#include "examples/page/page.h"

#include <glib.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "examples/common/text.h"
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

Json film_data(const Page& page) {
  const MediaFacts& facts = page.facts;
  Json film{{"name", printable(page.film)}, {"url", page.film_url}, {"uri", facts.uri}};
  if (GST_CLOCK_TIME_IS_VALID(facts.duration)) film["duration"] = facts.duration;
  film["rate"] = {facts.rate_n, facts.rate_d};
  film["variable_rate"] = facts.variable_rate;
  film["width"] = facts.width;
  film["height"] = facts.height;
  film["has_audio"] = facts.has_audio;
  film["unplayable"] = page.unplayable;
  return film;
}

// Hits that begin together show one picture, which is in the page once.
Json hit_data(const std::vector<PageHit>& hits, Json* thumbnails) {
  std::map<std::string, size_t> known;
  Json all = Json::array();
  for (const PageHit& one : hits) {
    Json hit{{"query", one.hit.query},
             {"label", one.hit.label},
             {"start", one.hit.start},
             {"stop", one.hit.stop}};
    if (one.hit.confidence) hit["confidence"] = *one.hit.confidence;
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
  data["hits"] = hit_data(page.hits, &thumbnails);
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
