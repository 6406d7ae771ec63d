// Writes a page of vidi-ask --html of hits that are made up: write-page PAGE FILM < hits.json
//
// {"name": "shown for FILM's own", "questions": [...], "duration": 0, "notices": [...], "rate_n":
// 25 ...,
//  "hits": [{"query", "label", "start", "stop", "confidence"}]}, all but "hits" optional; times in
// nanoseconds. FILM may be empty.
#include <cstdint>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "examples/page/page.h"

namespace {

using Json = nlohmann::json;

PageHit hit_of(const Json& json) {
  Hit hit;
  hit.query = json.value("query", "");
  hit.label = json.value("label", "");
  hit.start = json.at("start").get<uint64_t>();
  hit.stop = json.at("stop").get<uint64_t>();
  if (json.contains("confidence")) hit.confidence = json["confidence"].get<double>();
  return {hit, ""};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Json json = Json::parse(std::cin);
  const std::string film = argv[2];
  Page page;
  page.film = json.value("name", film.substr(film.rfind('/') + 1));
  if (!film.empty()) page.film_url = relative_url(film, argv[1]);
  page.facts.uri = "file://" + film;
  page.facts.duration = json.value("duration", GST_CLOCK_TIME_NONE);
  page.first_code = json.value("first_code", "");
  page.facts.width = json.value("width", 0), page.facts.height = json.value("height", 0);
  page.facts.has_audio = json.value("has_audio", false);
  page.facts.variable_rate = json.value("variable_rate", false);
  page.facts.rate_n = json.value("rate_n", 25), page.facts.rate_d = json.value("rate_d", 1);
  page.questions = json.value("questions", page.questions);
  page.notices = json.value("notices", page.notices);
  for (const Json& hit : json.at("hits")) page.hits.push_back(hit_of(hit));
  std::ofstream(argv[1]) << html(page);
}
