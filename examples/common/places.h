// Where the programs of this folder find the element and the small demo model.
#pragma once

#include <string>

// Makes `vidifilter` known: GStreamer's own plugin folders and GST_PLUGIN_PATH first, then the
// build tree or the installation that this program lies in. Call after gst_init(). Returns an empty
// string, or a sentence that says what is missing.
std::string make_element_known();

// Folder of the bundled demo checkpoint; empty when it is not there.
std::string demo_checkpoint();

// What VIDI_MODEL in the environment names, as the element reads it too; else empty.
std::string model_of_environment();

// Of a file, a URI, or "-" for what is piped in. Empty with `error`: why it is no film.
std::string uri_of(const std::string& file, std::string* error);

// Of a `file:` URI; empty: it is another one, or none.
std::string path_of(const std::string& uri);

// Whether this names a file that is there, or another place that media comes from: no question.
bool is_file(const std::string& text);
