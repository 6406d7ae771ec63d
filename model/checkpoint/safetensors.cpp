#include "model/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/interruption.h"
#include "model/checkpoint/input_file.h"
#include "model/result.h"

namespace vidi {
namespace {

constexpr size_t kMaxRank = 16;

struct DtypeRow {
  Dtype dtype;
  const char* name;
  size_t size;
};
constexpr DtypeRow kDtypes[] = {{Dtype::kF32, "F32", 4},   {Dtype::kF16, "F16", 2},
                                {Dtype::kBF16, "BF16", 2}, {Dtype::kF64, "F64", 8},
                                {Dtype::kU8, "U8", 1},     {Dtype::kI8, "I8", 1},
                                {Dtype::kI16, "I16", 2},   {Dtype::kI32, "I32", 4},
                                {Dtype::kI64, "I64", 8},   {Dtype::kBool, "BOOL", 1}};

const DtypeRow& row_of(Dtype dtype) {
  for (const DtypeRow& row : kDtypes) {
    if (row.dtype == dtype) return row;
  }
  throw EngineError(ErrorCode::kInternal, "a dtype has no row in kDtypes");
}

// Takes the header's JSON piece by piece (nlohmann's SAX interface), so that a hostile one never
// becomes a tree. Depth 1 is the table of tensors, 2 one tensor or the metadata, 3 a list of
// numbers. Offsets stay relative to the data.
class HeaderReader {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& path) : header_(header), path_(path) {}

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a boolean"); }
  bool number_integer(int64_t value) { return unexpected(std::to_string(value)); }
  bool number_float(double, const std::string& text) { return unexpected(in_quotes(text)); }
  bool binary(std::vector<uint8_t>&) { return unexpected("binary data"); }
  bool number_unsigned(uint64_t value);
  bool string(std::string& text);
  bool start_object(size_t);
  bool key(std::string& text);
  bool end_object();
  bool start_array(size_t);
  bool end_array();
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    fail("its header is not valid JSON at byte " + std::to_string(position));
  }

 private:
  [[noreturn]] void fail(const std::string& what, ErrorCode code = ErrorCode::kDamaged) const {
    throw EngineError(code, path_in_quotes(path_) + " is not a usable safetensors file: " + what);
  }
  bool unexpected(const std::string& found) const;  // throws, always
  void set_dtype(const std::string& text);
  void finish_tensor();

  SafetensorsHeader& header_;
  const std::string& path_;
  int depth_ = 0;
  bool in_metadata_ = false;
  std::string name_, field_;
  std::set<std::string> fields_seen_;
  TensorEntry entry_;
  std::vector<uint64_t> offsets_;
};

bool HeaderReader::unexpected(const std::string& found) const {
  if (depth_ == 0) fail("its header must be a JSON object, found " + found);
  if (depth_ == 1) fail("the entry " + in_quotes(name_) + " must be a JSON object, found " + found);
  if (in_metadata_) fail("metadata " + in_quotes(field_) + " must be a string, found " + found);
  const char* expected = field_ == "dtype" ? "a name" : "a list of whole numbers from 0 on";
  fail("tensor " + in_quotes(name_) + ", field " + in_quotes(field_) + ": expected " + expected +
       ", found " + found);
}

bool HeaderReader::number_unsigned(uint64_t value) {
  if (depth_ != 3) unexpected(std::to_string(value));
  if (field_ == "data_offsets") {
    if (offsets_.size() == 2)
      fail("tensor " + in_quotes(name_) + " has more than two data_offsets");
    offsets_.push_back(value);
    return true;
  }
  if (value > INT64_MAX) unexpected(std::to_string(value));
  if (entry_.shape.size() == kMaxRank) {
    fail("tensor " + in_quotes(name_) + " has more than " + std::to_string(kMaxRank) +
         " dimensions");
  }
  entry_.shape.push_back(static_cast<int64_t>(value));
  return true;
}

bool HeaderReader::string(std::string& text) {
  if (depth_ != 2) unexpected(in_quotes(text));
  if (in_metadata_) {
    header_.metadata[field_] = std::move(text);
  } else if (field_ == "dtype") {
    set_dtype(text);
  } else {
    unexpected(in_quotes(text));
  }
  return true;
}

void HeaderReader::set_dtype(const std::string& text) {
  std::string known;
  for (const DtypeRow& row : kDtypes) {
    if (text == row.name) {
      entry_.dtype = row.dtype;
      return;
    }
    known += std::string(known.empty() ? "" : ", ") + row.name;
  }
  fail(
      "tensor " + in_quotes(name_) + " has dtype " + in_quotes(text) + ", expected one of " + known,
      ErrorCode::kUnsupported);
}

bool HeaderReader::start_object(size_t) {
  if (depth_ >= 2) unexpected("an object");
  ++depth_;
  if (depth_ == 2) {
    in_metadata_ = name_ == "__metadata__";
    fields_seen_.clear();
    entry_ = {};
    offsets_.clear();
  }
  return true;
}

bool HeaderReader::key(std::string& text) {
  interruption_point();
  if (depth_ == 1) {
    name_ = std::move(text);
    if (header_.tensors.count(name_) != 0) fail("two tensors are called " + in_quotes(name_));
    return true;
  }
  field_ = std::move(text);
  if (in_metadata_) return true;
  if (field_ != "dtype" && field_ != "shape" && field_ != "data_offsets") {
    fail("tensor " + in_quotes(name_) + " has an unknown field " + in_quotes(field_));
  }
  if (!fields_seen_.insert(field_).second) {
    fail("tensor " + in_quotes(name_) + " has the field " + in_quotes(field_) + " twice");
  }
  return true;
}

bool HeaderReader::end_object() {
  if (depth_ == 2 && !in_metadata_) finish_tensor();
  in_metadata_ = false;
  --depth_;
  return true;
}

bool HeaderReader::start_array(size_t) {
  if (depth_ != 2 || in_metadata_ || field_ == "dtype") unexpected("a list");
  ++depth_;
  return true;
}

bool HeaderReader::end_array() {
  --depth_;
  return true;
}

// The byte range must be exactly what shape and dtype need, and that product must not overflow.
void HeaderReader::finish_tensor() {
  if (fields_seen_.size() != 3) {
    fail("tensor " + in_quotes(name_) + " lacks one of the fields dtype, shape, data_offsets");
  }
  if (offsets_.size() != 2 || offsets_[0] > offsets_[1]) {
    fail("tensor " + in_quotes(name_) + " needs two data_offsets, the first not above the second");
  }
  uint64_t bytes = dtype_size(entry_.dtype);
  for (int64_t side : entry_.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes) || bytes > INT64_MAX) {
      fail("tensor " + in_quotes(name_) + " has the absurd shape " + shape_text(entry_.shape));
    }
  }
  if (offsets_[1] - offsets_[0] != bytes) {
    fail("tensor " + in_quotes(name_) + " of shape " + shape_text(entry_.shape) + " and dtype " +
         dtype_name(entry_.dtype) + " needs " + std::to_string(bytes) +
         " bytes, its data_offsets hold " + std::to_string(offsets_[1] - offsets_[0]));
  }
  entry_.begin = offsets_[0];
  entry_.end = offsets_[1];
  header_.tensors.emplace(name_, entry_);
}

using Named = std::pair<const std::string, TensorEntry>;

// Tensors follow each other without holes or overlap, from the first byte of the data to the last
// of the file.
void check_layout(const SafetensorsHeader& header, uint64_t data_size, const std::string& path) {
  std::vector<const Named*> order;
  for (const Named& named : header.tensors) order.push_back(&named);
  std::sort(order.begin(), order.end(), [](const Named* a, const Named* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  uint64_t expected = 0;
  for (const Named* named : order) {
    if (named->second.begin != expected) {
      const bool overlap = named->second.begin < expected;
      throw_damaged(path, "is damaged: tensor " + in_quotes(named->first) +
                              (overlap ? " overlaps the one" : " leaves a hole") +
                              " before it: expected offset " + std::to_string(expected) +
                              ", found " + std::to_string(named->second.begin));
    }
    expected = named->second.end;
  }
  if (expected == data_size) return;
  const bool truncated = expected > data_size;
  const uint64_t difference = truncated ? expected - data_size : data_size - expected;
  throw_damaged(path, (truncated ? "is truncated: expected " : "is damaged: expected ") +
                          std::to_string(expected) + " bytes of data, found " +
                          std::to_string(data_size) + ", " + std::to_string(difference) +
                          (truncated ? " are missing" : " too many"));
}

// The header's length, checked against the file.
uint64_t header_length(std::string_view head, uint64_t file_size, const std::string& path) {
  refuse_lfs_pointer(head, path);
  if (file_size == 0) throw_damaged(path, "is empty, expected a safetensors file");
  if (file_size < 8 || head.size() < 8) {
    throw_damaged(path, "is truncated: expected a header length of 8 bytes, found " +
                            std::to_string(file_size) + " bytes in all");
  }
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(head[i]);
  if (length > kMaxHeaderBytes) {
    throw_damaged(path, "is not a safetensors file of these models: expected a header of at most " +
                            std::to_string(kMaxHeaderBytes) + " bytes, found a length of " +
                            std::to_string(length));
  }
  if (length > file_size - 8) {
    throw_damaged(path, "is truncated: expected a header of " + std::to_string(length) +
                            " bytes, found " + std::to_string(file_size - 8) + ", " +
                            std::to_string(length - (file_size - 8)) + " are missing");
  }
  return length;
}

int64_t product(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (int64_t side : shape) n *= side;
  return n;
}

}  // namespace

size_t dtype_size(Dtype dtype) { return row_of(dtype).size; }

const char* dtype_name(Dtype dtype) { return row_of(dtype).name; }

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

int64_t TensorEntry::numel() const { return product(shape); }

int64_t TensorToWrite::numel() const { return product(shape); }

SafetensorsHeader parse_safetensors_header(std::string_view head, uint64_t file_size,
                                           const std::string& path) {
  const uint64_t length = header_length(head, file_size, path);
  if (head.size() < 8 + length) throw_damaged(path, "gave fewer bytes than its header needs");
  SafetensorsHeader header;
  HeaderReader reader(header, path);
  nlohmann::json::sax_parse(head.substr(8, length), &reader);
  header.bytes = length;
  const uint64_t data_begin = 8 + length;
  check_layout(header, file_size - data_begin, path);
  for (auto& [name, entry] : header.tensors) {
    entry.begin += data_begin;
    entry.end += data_begin;
  }
  return header;
}

SafetensorsHeader read_safetensors_header(const std::string& path) {
  const InputFile file(path);
  std::array<char, 64> start{};  // holds the length, and enough of a Git LFS pointer to know it
  const size_t n = std::min<uint64_t>(start.size(), file.size());
  file.read(0, start.data(), n);
  const uint64_t length = header_length({start.data(), n}, file.size(), path);
  std::string head(8 + length, '\0');
  file.read(0, head.data(), head.size());
  return parse_safetensors_header(head, file.size(), path);
}

void read_file_range(const std::string& path, uint64_t begin, void* out, size_t size) {
  InputFile(path).read(begin, out, size);
}

}  // namespace vidi
