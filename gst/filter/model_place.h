// Which checkpoint is loaded where no property names one.
#pragma once

#include <string>

namespace vidi {

struct ModelPlace {
  std::string folder;  // empty: there is none
  std::string from;    // who names it: "model-path", "VIDI_MODEL" (the environment), "installed"
};

// `model_path`: the property; else $VIDI_MODEL (set to nothing: none), else the model that is
// installed with the plugin.
ModelPlace find_model(const std::string& model_path);

}  // namespace vidi
