// DIR/settings.json: the forms that the first run's `auto` came to. Later runs and shards, which
// may see other cards, take the same.
#pragma once

#include <optional>
#include <string>

#include "examples/batch/forms.h"

constexpr char kSettingsName[] = "settings.json";

// Empty where there is none yet, or with `error`: it cannot be understood.
std::optional<Forms> read_settings(const std::string& folder, std::string* error);

// Never replaces one that is there: of several first runs one wins, and `taken` is what it wrote.
// Returns an empty string, or why there is none now.
std::string write_settings(const std::string& folder, const Forms& forms, Forms* taken);

// What the command line asks for where that is not what the folder has; empty where it fits.
std::string contradiction(const std::string& folder, const Forms& kept, const Forms& asked);
