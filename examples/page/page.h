// What was found in a film as one file for a browser: the film, a timeline, the list of hits. It
// needs no server and no network, and its policy allows neither.
//
// The look and the behaviour are page.html, page.css and the .js files, put into the program when
// it is built (make_page.py). Whatever comes from a model or a file name goes into the page as data
// and is shown as text.
#pragma once

#include <string>
#include <vector>

#include "examples/common/hit.h"
#include "examples/export/media_facts.h"

struct PageHit {
  Hit hit;
  std::string thumbnail;  // JPEG data; empty: none
};

struct Page {
  std::string film;              // its name
  std::string film_url;          // relative to the page, percent-encoded; empty: not to be had
  GstClockTime proxy_begin = 0;  // the film's time at its 0
  std::string proxy;             // WebM data of the film, small; empty: none
  MediaFacts facts;
  std::string first_code;  // time code of its first frame in exports; empty: each one's own
  std::string made_by;     // the model, and where it ran
  std::vector<std::string> notices;    // sentences: what the reader must know
  std::string unplayable;              // why browsers do not play the film; empty: they may
  std::vector<std::string> questions;  // a lane each; empty: highlights
  std::vector<PageHit> hits;           // by time
};

std::string html(const Page& page);

// From the folder that `page` is written in to the file `film`. Both are paths.
std::string relative_url(const std::string& film, const std::string& page);
