#include "model/checkpoint/open_checkpoint.h"

#include <optional>
#include <utility>
#include <vector>

namespace vidi {

Checkpoint open_checkpoint(const std::string& folder) {
  const ConfigTexts texts = read_config_texts(folder);
  CheckpointFiles files = open_checkpoint_files(folder);
  ModelConfig config =
      parse_config(texts, [&](const std::string& name) -> std::optional<std::vector<int64_t>> {
        const CheckpointFiles::Place* place = files.find(name);
        if (!place) return std::nullopt;
        return place->entry.shape;
      });
  return {std::move(config), std::move(files)};
}

}  // namespace vidi
