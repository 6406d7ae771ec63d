// What a tokenizer.model says that libsentencepiece does not tell: its kind and the type of each
// piece. Torch-free.
//
// The bytes are untrusted (a protobuf message, ModelProto): every length is checked before use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vidi {

enum class PieceType { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

struct SentencePieceFile {
  std::vector<PieceType> types;  // by id
  // The file without its normaliser and self-test: neither is used here, and a damaged normaliser
  // table is not safe to load with the library.
  std::string without_normalizer;
};

// `name` is for messages. Throws EngineError kDamaged: not such a message, a kind other than BPE,
// an unknown piece type.
SentencePieceFile read_sentencepiece_file(std::string_view bytes, const std::string& name);

}  // namespace vidi
