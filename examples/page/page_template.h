// The page without what is found: page_template.cpp is made of page.html and its parts by
// make_page.py when the program is built.
#pragma once

#include <vector>

struct PagePiece {
  const char* text;
  const char* then;  // name of what follows the text; empty: nothing
};

extern const std::vector<PagePiece> kPageTemplate;
