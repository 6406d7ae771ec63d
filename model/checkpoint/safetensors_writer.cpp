#include "model/checkpoint/safetensors_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "model/checkpoint/input_file.h"
#include "model/result.h"

namespace vidi {
namespace {

using Json = nlohmann::ordered_json;

// Length and JSON, padded with blanks so that the data begins at a multiple of 8.
std::string header_bytes(const Json& header) {
  std::string json = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(json.size() >> (8 * i) & 0xFF);
  return bytes + json;
}

uint64_t bytes_of(const TensorToWrite& tensor) {
  uint64_t bytes = dtype_size(tensor.dtype);
  for (int64_t side : tensor.shape) {
    if (side < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes)) {
      throw EngineError(ErrorCode::kBadInput, "cannot write tensor " + in_quotes(tensor.name) +
                                                  " of shape " + shape_text(tensor.shape));
    }
  }
  return bytes;
}

Json describe(const std::vector<TensorToWrite>& tensors,
              const std::map<std::string, std::string>& metadata, uint64_t& offset) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  for (const TensorToWrite& tensor : tensors) {
    if (header.contains(tensor.name) || tensor.name == "__metadata__") {
      throw EngineError(ErrorCode::kBadInput,
                        "cannot write two tensors called " + in_quotes(tensor.name));
    }
    const uint64_t end = offset + bytes_of(tensor);
    header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  return header;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::string& path, std::vector<TensorToWrite> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : path_(path), tensors_(std::move(tensors)) {
  std::stable_sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) {
    return dtype_size(a.dtype) > dtype_size(b.dtype);
  });
  const std::string header = header_bytes(describe(tensors_, metadata, data_left_));
  open();
  try {
    write_all(header.data(), header.size());
  } catch (...) {  // a constructor that throws gets no destructor
    ::close(descriptor_);
    if (written_path_ != path_) ::unlink(written_path_.c_str());
    throw;
  }
}

SafetensorsWriter::~SafetensorsWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (written_path_ != path_) ::unlink(written_path_.c_str());
}

// A device or pipe is written as it is: to put a file in its place would be a surprise.
void SafetensorsWriter::open() {
  struct stat status {};
  const bool special = ::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  written_path_ = special ? path_ : path_ + ".part-" + std::to_string(::getpid());
  descriptor_ = ::open(written_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
}

void SafetensorsWriter::append(const void* data, size_t size) {
  if (size > data_left_) {
    throw EngineError(ErrorCode::kInternal,
                      "more bytes than the header of " + path_in_quotes(path_) + " promises");
  }
  write_all(data, size);
  data_left_ -= size;
}

void SafetensorsWriter::finish() {
  if (data_left_ > 0) {
    throw EngineError(ErrorCode::kInternal,
                      "fewer bytes than the header of " + path_in_quotes(path_) + " promises");
  }
  const int descriptor = descriptor_;
  descriptor_ = -1;
  const bool closed = ::close(descriptor) == 0;  // some file systems report a full disk only now
  if (closed && (written_path_ == path_ || ::rename(written_path_.c_str(), path_.c_str()) == 0))
    return;
  const int reason = errno;
  if (written_path_ != path_) ::unlink(written_path_.c_str());
  fail(reason);
}

void SafetensorsWriter::write_all(const void* data, size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(descriptor_, next, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(n < 0 ? errno : ENOSPC);
    next += n;
    size -= static_cast<size_t>(n);
  }
}

void SafetensorsWriter::fail(int error_number) const {
  throw EngineError(ErrorCode::kUnreadable,
                    "cannot write " + path_in_quotes(path_) + ": " + system_reason(error_number));
}

void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  SafetensorsWriter writer(path, tensors, metadata);
  for (const TensorToWrite& tensor : writer.order()) {
    writer.append(tensor.data, static_cast<size_t>(tensor.numel()) * dtype_size(tensor.dtype));
  }
  writer.finish();
}

}  // namespace vidi
