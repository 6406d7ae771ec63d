// From a query to the ids that the decoder reads. Torch-free.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/text/tokenizer.h"

namespace vidi {

// The question that a query becomes. `prompt_template` ("" = the checkpoint's vidi_prompts entry
// for `task`, else the family's published retrieval question) may hold {query} and {duration}
// (seconds, two decimals). One trailing full stop of the query is removed. Text other than these
// two placeholders is taken as it is. A task other than "retrieval" without a prompt of its own
// throws kUnsupported.
std::string make_question(const PromptConfig& config, std::string_view task,
                          std::string_view prompt_template, std::string_view query,
                          double duration_s);

// The whole conversation of one user turn as ids: chat form of the family, split at the image
// place, parts tokenised on their own. No id stands for the image.
std::vector<int> prompt_ids(const PromptConfig& config, const Tokenizer& tokenizer,
                            std::string_view question);

// Throws kBadInput with one sentence when the query holds "<image>", the text of a turn, bos, eos,
// pad or unknown token, or is not valid UTF-8.
void check_query(const Tokenizer& tokenizer, std::string_view query);

}  // namespace vidi
