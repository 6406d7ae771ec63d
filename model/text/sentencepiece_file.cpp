#include "model/text/sentencepiece_file.h"

#include <cstdint>

#include "model/result.h"

namespace vidi {
namespace {

// Field numbers of sentencepiece_model.proto.
constexpr uint32_t kPieces = 1, kTrainerSpec = 2;  // ModelProto
constexpr uint32_t kPieceType = 3;                 // SentencePiece
constexpr uint32_t kModelType = 3;                 // TrainerSpec
constexpr uint64_t kUnigram = 1, kBpe = 2;         // TrainerSpec.ModelType

// One field of a message: `value` for a varint, `content` for an embedded message or string,
// `whole` with its tag.
struct Field {
  uint32_t number = 0;
  uint64_t value = 0;
  std::string_view content, whole;
};

// Walks the fields of a protobuf message. Throws kDamaged where the bytes end too early or make no
// field.
class FieldReader {
 public:
  FieldReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  bool next(Field& field) {
    if (at_ == bytes_.size()) return false;
    const size_t begin = at_;
    const uint64_t tag = varint();
    field = {};
    field.number = static_cast<uint32_t>(tag >> 3);
    if (tag >> 32 != 0 || field.number == 0) fail();
    switch (tag & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        field.content = take(8);
        break;
      case 2:
        field.content = take(varint());
        break;
      case 5:
        field.content = take(4);
        break;
      default:
        fail();
    }
    field.whole = bytes_.substr(begin, at_ - begin);
    return true;
  }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail();
  }

  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) fail();
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  [[noreturn]] void fail() const {
    throw EngineError(ErrorCode::kDamaged,
                      name_ + " is not a SentencePiece model: expected a field at byte " +
                          std::to_string(at_) + ", found none that fits.");
  }

  std::string_view bytes_;
  const std::string& name_;
  size_t at_ = 0;
};

// The last value wins, as everywhere in protobuf.
uint64_t varint_in(std::string_view message, uint32_t number, uint64_t otherwise,
                   const std::string& name) {
  uint64_t value = otherwise;
  Field field;
  for (FieldReader reader(message, name); reader.next(field);) {
    if (field.number == number) value = field.value;
  }
  return value;
}

PieceType type_of_piece(std::string_view piece, size_t id, const std::string& name) {
  const uint64_t type = varint_in(piece, kPieceType, 1, name);
  if (type < 1 || type > 6) {
    throw EngineError(ErrorCode::kDamaged, name + ": piece " + std::to_string(id) +
                                               " should have a type from 1 to 6, found " +
                                               std::to_string(type) + ".");
  }
  return static_cast<PieceType>(type);
}

}  // namespace

SentencePieceFile read_sentencepiece_file(std::string_view bytes, const std::string& name) {
  SentencePieceFile file;
  uint64_t kind = kUnigram;  // the format's default
  Field field;
  for (FieldReader reader(bytes, name); reader.next(field);) {
    if (field.number == kPieces)
      file.types.push_back(type_of_piece(field.content, file.types.size(), name));
    if (field.number == kTrainerSpec) kind = varint_in(field.content, kModelType, kind, name);
    if (field.number == kPieces || field.number == kTrainerSpec)
      file.without_normalizer += field.whole;
  }
  if (file.types.empty()) {
    throw EngineError(ErrorCode::kDamaged,
                      name + " is not a SentencePiece model: it holds no pieces.");
  }
  if (kind != kBpe) {
    throw EngineError(ErrorCode::kDamaged,
                      name + " should hold a SentencePiece model of kind BPE (2), found kind " +
                          std::to_string(kind) + ".");
  }
  return file;
}

}  // namespace vidi
