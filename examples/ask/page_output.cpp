#include "examples/ask/page_output.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "examples/common/output_file.h"
#include "examples/common/places.h"
#include "examples/common/text.h"
#include "examples/page/page.h"
#include "examples/page/playable.h"
#include "examples/page/proxy.h"

namespace {

std::string name_of(const std::string& uri) {
  const std::string path = path_of(uri);
  if (!path.empty()) return std::filesystem::path(path).filename().string();
  return uri.starts_with("fd:") ? "stdin" : uri;
}

std::vector<PageHit> hits_of(const Asker& asker) {
  std::vector<PageHit> hits;
  for (const Hit& hit : by_start(asker.hits())) {
    const Thumbnails* thumbnails = asker.thumbnails();
    hits.push_back({hit, thumbnails ? thumbnails->of(hit.start, hit.stop) : ""});
  }
  return hits;
}

std::string made_by(const Arguments& arguments, const Mode& mode) {
  if (mode.device.empty()) return "";
  const auto folder = std::filesystem::path(arguments.model).lexically_normal();
  const auto name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  const std::string model = arguments.model.empty() ? "the small demo model" : name.string();
  return model + " (" + mode.name() + ")";
}

// Of a question that was refused it is not known that nothing is there.
std::vector<std::string> questions_of(const Arguments& arguments, const Asker& asker) {
  std::vector<std::string> asked;
  if (arguments.highlights()) return asked;
  for (const std::string& query : arguments.queries) {
    if (!asker.refused().contains(query)) asked.push_back(query);
  }
  return asked;
}

std::string sentence(const std::string& text) {
  const std::string words = printable(text);
  return words + (words.ends_with('.') ? "" : ".");
}

Page page_of(const Arguments& arguments, const MediaFacts& facts, const Asker& asker) {
  Page page;
  const std::string film = path_of(facts.uri);
  page.film = name_of(facts.uri);
  if (!film.empty()) page.film_url = relative_url(film, arguments.html);
  page.facts = facts;
  page.first_code = arguments.exports.first_code;
  page.made_by = made_by(arguments, asker.pass().mode);
  if (!asker.error().empty()) page.notices.push_back(sentence(asker.error()));
  const std::string unplayable = why_unplayable(asker.pipeline().bin());
  if (!unplayable.empty()) page.unplayable = sentence(unplayable);
  page.questions = questions_of(arguments, asker);
  page.hits = hits_of(asker);
  return page;
}

// Returns an empty string, or why there is no copy in the page.
std::string add_proxy(const Arguments& arguments, const MediaFacts& facts, Asker& asker,
                      const std::atomic<bool>& interrupted, Page* page) {
  const TrackWishes tracks{arguments.video_track, arguments.audio_track};
  const ProxyWish wish{facts.uri, tracks, facts.duration, facts.width, facts.height};
  const auto show = [&](double done) { asker.bar().show("Copying", done, "the film, small"); };
  const std::string error = make_proxy(wish, interrupted, show, &page->proxy, &page->proxy_begin);
  asker.bar().clear();
  if (error.empty()) return "";
  page->notices.push_back(sentence("There is no copy of the film in this page: " + error));
  return "--html-embed: the page has no copy of the film: " + error;
}

void say_what_plays(const Arguments& arguments, const Page& page, Asker& asker) {
  if (page.proxy.empty() && !page.unplayable.empty())
    asker.bar().say(printable(arguments.html) + ": " + page.unplayable +
                    " --html-embed puts a small copy into the page");
  if (!asker.thumbnails()->error().empty())
    asker.bar().say(printable(arguments.html) +
                    " has no pictures of the hits: " + asker.thumbnails()->error());
}

}  // namespace

std::string write_page(const Arguments& arguments, const MediaFacts& film, Asker& asker,
                       const std::atomic<bool>& interrupted) {
  Page page = page_of(arguments, film, asker);
  std::string error;
  if (arguments.embeds_film && !interrupted)
    error = add_proxy(arguments, film, asker, interrupted, &page);
  say_what_plays(arguments, page, asker);
  const std::string unwritten = write_file(arguments.html, html(page));
  return unwritten.empty() ? error : unwritten;
}
