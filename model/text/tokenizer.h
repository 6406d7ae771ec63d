// Text to ids and back, from a checkpoint's tokenizer.model. Torch-free.
//
// SentencePiece BPE with byte fallback, no normalisation. Const methods may run on several threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint/config.h"

namespace vidi {

class Tokenizer {
 public:
  // Reads <folder>/tokenizer.model. Throws EngineError: kNotFound, kUnreadable, kDamaged (not a
  // SentencePiece model, a kind other than BPE, more pieces than `vocab` embedding rows).
  static Tokenizer open(const std::string& folder, const PromptConfig& prompt, int vocab);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Ids of one part of a prompt: bos first, then the text. Special pieces found literally in `text`
  // count as such. Invalid UTF-8 in `text` is an error (kBadInput).
  std::vector<int> encode(std::string_view text) const;

  // Special tokens skipped, a run of byte pieces decoded as UTF-8 as a whole (each byte U+FFFD when
  // invalid), both ends trimmed. Always valid UTF-8. An id outside the vocabulary throws kInternal.
  std::string decode(const std::vector<int>& ids) const;

  const std::string& bos_text() const;  // "<bos>", "<s>"
  // The first turn, bos, eos, pad or unknown token that stands literally in `text`, or "".
  std::string reserved_text_in(std::string_view text) const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vidi
