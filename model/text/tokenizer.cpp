#include "model/text/tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "kernels/interruption.h"
#include "model/checkpoint/input_file.h"
#include "model/result.h"
#include "model/text/bpe.h"
#include "model/text/sentencepiece_file.h"
#include "model/text/utf8.h"

namespace vidi {
namespace {

constexpr std::string_view kBlank =
    "\xE2\x96\x81";  // U+2581, what SentencePiece writes for a blank
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
// The published ones have 4 MB. The library reads a file in one go, which nothing can end.
constexpr uint64_t kMaxFileBytes = 8u << 20;

std::string read_file(const std::string& path) {
  std::optional<std::string> bytes = read_text_file(path, kMaxFileBytes);
  if (bytes) return *std::move(bytes);
  throw EngineError(ErrorCode::kNotFound,
                    path + " is not there; a checkpoint needs it for its text.");
}

std::vector<std::string> turn_texts(Family family) {
  if (family == Family::kVidi15) return {"<start_of_turn>", "<end_of_turn>"};
  return {"[INST]", "[/INST]"};
}

// The byte of a piece "<0x41>", or -1.
int byte_of_piece(std::string_view text) {
  unsigned value = 0;
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  const auto parsed = std::from_chars(text.data() + 3, text.data() + 5, value, 16);
  return parsed.ptr == text.data() + 5 ? static_cast<int>(value) : -1;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (size_t at = 0;;) {
    const size_t found = text.find(from, at);
    result += text.substr(at, found == std::string_view::npos ? found : found - at);
    if (found == std::string_view::npos) return result;
    result += to;
    at = found + from.size();
  }
}

void append_bytes(std::string& text, std::string& run) {
  if (is_utf8(run)) {
    text += run;
  } else {
    for (size_t i = 0; i < run.size(); ++i) text += kReplacement;
  }
  run.clear();
}

using Library = sentencepiece::SentencePieceProcessor;

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw EngineError(ErrorCode::kDamaged, name + " " + what);
}

std::unique_ptr<Library> load_library(const SentencePieceFile& file, const std::string& name) {
  auto library = std::make_unique<Library>();
  const auto status = library->LoadFromSerializedProto(file.without_normalizer);
  if (!status.ok()) {
    fail(name, "is refused by the SentencePiece library (" + status.ToString() + ").");
  }
  if (library->GetPieceSize() != static_cast<int>(file.types.size())) {
    fail(name, "should have " + std::to_string(file.types.size()) + " pieces, found " +
                   std::to_string(library->GetPieceSize()) + ".");
  }
  if (library->bos_id() < 0)
    fail(name, "should name a piece for the beginning of a text, found none.");
  return library;
}

struct Piece {
  std::string text;
  PieceType type = PieceType::kNormal;
  int byte = -1;         // of a byte piece
  bool skipped = false;  // when decoding: control, unknown and turn pieces
};

Piece checked_piece(const Library& library, int id, PieceType type, const std::string& name) {
  Piece piece = {library.IdToPiece(id), type};
  if (type == PieceType::kByte) piece.byte = byte_of_piece(piece.text);
  const bool fits =
      !piece.text.empty() && is_utf8(piece.text) && std::isfinite(library.GetScore(id));
  if (!fits || (type == PieceType::kByte && piece.byte < 0)) {
    fail(name, "should have a text in UTF-8 and a finite score for each piece, piece " +
                   std::to_string(id) + " has not.");
  }
  return piece;
}

}  // namespace

struct Tokenizer::Impl {
  std::vector<Piece> pieces;
  Bpe bpe;
  std::array<std::vector<int>, 256> cut_by_first_byte;  // pieces cut out of raw text, longest first
  std::vector<std::string> reserved;                    // texts that a query must not hold
  int vocab = 0, bos_id = 0;
  // Whether a text gets a U+2581 of its own: at the start of a part, after a special piece.
  bool blank_in_front = false, blank_after_special = false;

  void add_pieces(const SentencePieceFile& file, const Library& library, Family family,
                  const std::string& name);
  void add_piece(Piece piece, float score, const std::vector<std::string>& turns);
  int longest_cut_at(std::string_view text, size_t at) const;
  void encode_between(std::string_view text, bool after_special, std::vector<int>& ids) const;
};

void Tokenizer::Impl::add_pieces(const SentencePieceFile& file, const Library& library,
                                 Family family, const std::string& name) {
  const std::vector<std::string> turns = turn_texts(family);
  reserved = turns;
  std::set<int> bytes;
  for (size_t id = 0; id < file.types.size(); ++id) {
    interruption_point();
    const Piece piece = checked_piece(library, static_cast<int>(id), file.types[id], name);
    if (piece.byte >= 0) bytes.insert(piece.byte);
    add_piece(piece, library.GetScore(static_cast<int>(id)), turns);
  }
  if (bytes.size() != 256) {
    fail(name,
         "should have a piece for each of 256 bytes, found " + std::to_string(bytes.size()) + ".");
  }
  for (auto& ids : cut_by_first_byte) {
    std::stable_sort(ids.begin(), ids.end(),
                     [&](int a, int b) { return pieces[a].text.size() > pieces[b].text.size(); });
  }
}

void Tokenizer::Impl::add_piece(Piece piece, float score, const std::vector<std::string>& turns) {
  const int id = static_cast<int>(pieces.size());
  const bool is_turn = std::find(turns.begin(), turns.end(), piece.text) != turns.end();
  const bool is_special = piece.type == PieceType::kControl || piece.type == PieceType::kUnknown;
  const bool is_user_defined = piece.type == PieceType::kUserDefined;
  if (piece.byte >= 0) bpe.set_byte_piece(static_cast<unsigned char>(piece.byte), id);
  if (piece.type == PieceType::kNormal || is_user_defined) bpe.add_piece(piece.text, score, id);
  if (is_special || is_user_defined) {
    cut_by_first_byte[static_cast<unsigned char>(piece.text[0])].push_back(id);
  }
  if (is_special && !is_turn) reserved.push_back(piece.text);
  piece.skipped = is_special || is_turn;
  pieces.push_back(std::move(piece));
}

// The id of the longest special piece that starts at `at`, or -1.
int Tokenizer::Impl::longest_cut_at(std::string_view text, size_t at) const {
  for (const int id : cut_by_first_byte[static_cast<uint8_t>(text[at])]) {
    if (text.substr(at).starts_with(pieces[id].text)) return id;
  }
  return -1;
}

// Encodes text that holds no special piece.
void Tokenizer::Impl::encode_between(std::string_view text, bool after_special,
                                     std::vector<int>& ids) const {
  if (text.empty()) return;
  std::string blanked = replace_all(text, " ", kBlank);
  const bool wanted = after_special ? blank_after_special : blank_in_front;
  if (wanted && !blanked.starts_with(kBlank)) blanked.insert(0, kBlank);
  bpe.encode(blanked, ids);
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::open(const std::string& folder, const PromptConfig& prompt, int vocab) {
  const std::string name = folder + "/tokenizer.model";
  const SentencePieceFile file = read_sentencepiece_file(read_file(name), name);
  if (file.types.size() > static_cast<size_t>(std::max(vocab, 0))) {
    fail(name, "should have at most as many pieces as the model has embedding rows, " +
                   std::to_string(vocab) + ", found " + std::to_string(file.types.size()) + ".");
  }
  const auto library = load_library(file, name);
  auto impl = std::make_unique<Impl>();
  impl->vocab = vocab;
  impl->bos_id = library->bos_id();
  impl->blank_in_front = prompt.family == Family::kVidi7b;
  impl->blank_after_special = impl->blank_in_front && prompt.legacy_prefix;
  impl->add_pieces(file, *library, prompt.family, name);
  return Tokenizer(std::move(impl));
}

std::vector<int> Tokenizer::encode(std::string_view text) const {
  if (!is_utf8(text))
    throw EngineError(ErrorCode::kBadInput,
                      "A text for the model should be UTF-8, found other bytes.");
  std::vector<int> ids = {impl_->bos_id};
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    interruption_point();
    const int special = impl_->longest_cut_at(text, at);
    if (special < 0) {
      ++at;
      continue;
    }
    impl_->encode_between(text.substr(begin, at - begin), begin > 0, ids);
    ids.push_back(special);
    begin = at += impl_->pieces[special].text.size();
  }
  impl_->encode_between(text.substr(begin), begin > 0, ids);
  return ids;
}

std::string Tokenizer::decode(const std::vector<int>& ids) const {
  std::string text, byte_run;
  for (const int id : ids) {
    if (id < 0 || id >= impl_->vocab) {
      throw EngineError(ErrorCode::kInternal, "A token id should be below " +
                                                  std::to_string(impl_->vocab) + ", found " +
                                                  std::to_string(id) + ".");
    }
    // Embedding rows beyond the pieces (padding) have no text. A skipped token does not end a run
    // of bytes.
    if (id >= static_cast<int>(impl_->pieces.size()) || impl_->pieces[id].skipped) continue;
    const Piece& piece = impl_->pieces[id];
    if (piece.byte >= 0) {
      byte_run += static_cast<char>(piece.byte);
      continue;
    }
    append_bytes(text, byte_run);
    text += replace_all(piece.text, kBlank, " ");
  }
  append_bytes(text, byte_run);
  return std::string(trim(text));
}

const std::string& Tokenizer::bos_text() const { return impl_->pieces[impl_->bos_id].text; }

std::string Tokenizer::reserved_text_in(std::string_view text) const {
  size_t first = std::string_view::npos;
  std::string_view found;
  for (const std::string& reserved : impl_->reserved) {
    const size_t at = text.find(reserved);
    if (at < first || (at == first && at != text.npos && reserved.size() > found.size())) {
      first = at;
      found = reserved;
    }
  }
  return std::string(found);
}

}  // namespace vidi
