// Products with weights of 8 bits for few rows, as in a step of the decoder: bound by the weights'
// way from memory, so each warp has some groups of 128 columns of its 16 rows under way at any
// time, into a ring in shared memory. The weights are the A of mma.m16n8k16 and the rows its B, so
// up to 8 rows cost what one does. A group's sum is made of whole numbers times x, in fp32, and
// then scaled.
#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/cuda/bytes.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/layers/packed_linear_launch.h"

namespace vidi {
namespace {

constexpr int kGroup = 128, kTileColumns = 32, kTilesInGroup = kGroup / kTileColumns;
constexpr int kStrip = 16;  // rows of the matrix that a warp has
constexpr int kWarps = 8, kThreads = 32 * kWarps;
constexpr int kPaddedBytes = 64;  // behind a row of x in shared memory: no two lanes in one bank

// Of x in shared memory at a time: kPiece<NT> groups of NT * 8 rows, twice.
template <int NT>
constexpr int kPiece = NT == 1   ? 8
                       : NT == 2 ? 4
                       : NT == 4 ? 2
                                 : 1;
template <int NT>
constexpr int kRowBytes = kPiece<NT>* kGroup * 2 + kPaddedBytes;
template <int NT>
constexpr int kPieceBytes = NT * 8 * kRowBytes<NT>;

// Four numbers q + 128, a byte each, as q in T: two registers of two.
template <typename T>
__device__ __forceinline__ void widen(uint32_t (&out)[2], uint32_t bytes) {
  out[0] = two_of<T, 0, 1>(bytes);
  out[1] = two_of<T, 2, 3>(bytes);
}

// A warp's ring: slots of a group's tiles, of which each lane copies and reads its own part, and of
// the group's scales, which all lanes read.
template <int NT>
constexpr int kSlots = NT <= 2 ? 4 : 3;
constexpr int kSlotBytes = kTilesInGroup * 512, kScaleBytes = kStrip * 2;
template <int NT>
constexpr int kRingBytes = kWarps* kSlots<NT>*(kSlotBytes + kScaleBytes);
template <int NT>
constexpr int kSharedBytes = kRingBytes<NT> + 2 * kPieceBytes<NT>;

struct Place {  // of a thread
  int lane, warp;
  int64_t strip;              // of the matrix
  int first_group, n_groups;  // of K
};

template <typename T, int NT>
struct Product {
  const PackedProductTask& task;
  const Place at;
  char* const tiles;  // of the warp's ring
  char* const scales;
  float sum[NT][4] = {};

  __device__ Product(const PackedProductTask& product, const Place& place, char* ring)
      : task(product),
        at(place),
        tiles(ring + place.warp * kSlots<NT> * kSlotBytes),
        scales(ring + kWarps * kSlots<NT> * kSlotBytes + place.warp * kSlots<NT> * kScaleBytes) {}

  // Of the block's groups the one with this number, if there is one. Behind the matrix's last
  // columns there is something, which meets zeros of x.
  __device__ void fetch(int number) const {
    if (number >= at.n_groups) return;
    const int n_tiles = task.n_in / kTileColumns, n_all = (task.n_in + kGroup - 1) / kGroup;
    const int group = at.first_group + number, tile = group * kTilesInGroup;
    const char* from =
        static_cast<const char*>(task.weight) + (at.strip * n_tiles + tile) * 512 + at.lane * 16;
    char* to = tiles + number % kSlots<NT> * kSlotBytes + at.lane * 16;
#pragma unroll
    for (int i = 0; i < kTilesInGroup; ++i) {
      const bool real = tile + i < n_tiles;
      copy16(to + i * 512, from + (real ? i * 512 : 0), real);
    }
    if (at.lane < 2)
      copy16(scales + number % kSlots<NT> * kScaleBytes + at.lane * 16,
             static_cast<const char*>(task.scales) + (at.strip * n_all + group) * kScaleBytes +
                 at.lane * 16,
             true);
  }

  // `x`: the group's columns of the first row, in shared memory.
  __device__ void add(int number, const char* x) {
    float own[NT][4] = {};
    const char* row = x + (at.lane / 4) * kRowBytes<NT> + (at.lane % 4) * 16;
    const char* tile = tiles + number % kSlots<NT> * kSlotBytes + at.lane * 16;
#pragma unroll
    for (int i = 0; i < kTilesInGroup; ++i) {
      const uint4 w = *reinterpret_cast<const uint4*>(tile + i * 512);
      uint32_t low[2], high[2], low2[2], high2[2];  // rows l / 4 and l / 4 + 8
      widen<T>(low, w.x), widen<T>(low2, w.y), widen<T>(high, w.z), widen<T>(high2, w.w);
      const uint32_t first[4] = {low[0], high[0], low[1], high[1]};
      const uint32_t second[4] = {low2[0], high2[0], low2[1], high2[1]};
#pragma unroll
      for (int n = 0; n < NT; ++n) {
        const uint4 b =
            *reinterpret_cast<const uint4*>(row + n * 8 * kRowBytes<NT> + i * kTileColumns * 2);
        multiply_add<T>(own[n], first, b.x, b.y);
        multiply_add<T>(own[n], second, b.z, b.w);
      }
    }
    const auto* scale =
        reinterpret_cast<const __half*>(scales + number % kSlots<NT> * kScaleBytes) + at.lane / 4;
    const float s0 = __half2float(scale[0]), s1 = __half2float(scale[8]);
#pragma unroll
    for (int n = 0; n < NT; ++n) {
      sum[n][0] += s0 * own[n][0], sum[n][1] += s0 * own[n][1];
      sum[n][2] += s1 * own[n][2], sum[n][3] += s1 * own[n][3];
    }
  }
};

// Columns of groups [first, first + kPiece) of rows [first_row, ...) into `shared`, zeros where
// there are none.
template <int NT>
__device__ void fetch_rows(char* shared, const PackedProductTask& task, int first_row,
                           int first_group) {
  constexpr int kCopies = kPiece<NT> * kGroup * 2 / 16;  // a row
  const int first = first_group * kGroup;
  for (int i = threadIdx.x; i < NT * 8 * kCopies; i += kThreads) {
    const int row = i / kCopies, column = first + i % kCopies * 8;
    const bool real = first_row + row < task.rows && column < task.n_in;
    const char* from = static_cast<const char*>(task.x) +
                       (real ? (int64_t{first_row + row} * task.n_in + column) * 2 : 0);
    copy16(shared + row * kRowBytes<NT> + i % kCopies * 16, from, real);
  }
}

// Adds up, in order, what the blocks of one place made of their parts of K; the last one to come
// does it. True for that one. Parts lie as the lanes have them, [part][block][warp][NT][lane].
template <typename T, int NT>
__device__ bool add_parts(const PackedProductTask& task, Product<T, NT>& p, int* last) {
  const int64_t block = int64_t{blockIdx.x} * gridDim.z + blockIdx.z;
  const int64_t part = int64_t{gridDim.x} * gridDim.z * kWarps * NT * 32;
  float4* own =
      reinterpret_cast<float4*>(task.partial) + (block * kWarps + p.at.warp) * NT * 32 + p.at.lane;
#pragma unroll
  for (int n = 0; n < NT; ++n)
    own[blockIdx.y * part + n * 32] =
        make_float4(p.sum[n][0], p.sum[n][1], p.sum[n][2], p.sum[n][3]);
  __threadfence();
  __syncthreads();
  unsigned* counter = task.counters + block;
  if (threadIdx.x == 0) *last = atomicAdd(counter, 1u) == gridDim.y - 1;
  __syncthreads();
  if (!*last) return false;
  __threadfence();
  if (threadIdx.x == 0) *counter = 0;
#pragma unroll
  for (int n = 0; n < NT; ++n) {
    float4 total = make_float4(0, 0, 0, 0);
#pragma unroll 8
    for (unsigned y = 0; y < gridDim.y; ++y) {
      const float4 some = __ldcg(own + y * part + n * 32);
      total.x += some.x, total.y += some.y, total.z += some.z, total.w += some.w;
    }
    p.sum[n][0] = total.x, p.sum[n][1] = total.y, p.sum[n][2] = total.z, p.sum[n][3] = total.w;
  }
  return true;
}

// Every number of a group is a round: it asks for what comes later, in one group of copies, and
// waits for its own.
template <typename T, int NT>
__device__ void multiply(Product<T, NT>& p, char* x, int first_row) {
  constexpr int kAhead = kSlots<NT> - 1;
  const int n = p.at.n_groups, n_pieces = (n + kPiece<NT> - 1) / kPiece<NT>;
  const auto fetch_piece = [&](int piece) {
    if (piece < n_pieces)
      fetch_rows<NT>(x + piece % 2 * kPieceBytes<NT>, p.task, first_row,
                     p.at.first_group + piece * kPiece<NT>);
  };
  for (int i = 0; i < kAhead; ++i) {  // the weights were there before the rows
    if (i + 1 == kAhead) wait_for_previous(), fetch_piece(0);
    p.fetch(i), commit_copies();
  }
  for (int number = 0; number < n; ++number) {
    const int piece = number / kPiece<NT>, within = number % kPiece<NT>;
    if (within == 0) {
      // The piece's own rows were asked for kPiece rounds ago, the first one's with the last group.
      if (number == 0) wait_copies<0>();
      wait_copies<(kPiece<NT> < kAhead ? kPiece<NT> : kAhead) - 1>();
      __syncthreads();  // all have them, and have read the piece before, which is written over now
      fetch_piece(piece + 1);
    } else {
      wait_copies<kAhead - 1>();
      __syncwarp();
    }
    p.fetch(number + kAhead);  // into the slot that was read a round ago
    commit_copies();
    p.add(number, x + piece % 2 * kPieceBytes<NT> + within * kGroup * 2);
  }
  wait_copies<0>();
}

template <typename T, int NT>
__global__ void __launch_bounds__(kThreads, 2)
    packed_product(const __grid_constant__ PackedProductTask task) {
  extern __shared__ __align__(128) char shared[];
  let_next_start();
  const int n_strips = static_cast<int>(task.n_out / kStrip);
  const int n_all_groups = (task.n_in + kGroup - 1) / kGroup;
  const int per_split = (n_all_groups + gridDim.y - 1) / gridDim.y;
  const int first_row = blockIdx.z * NT * 8;
  Place at;
  at.lane = threadIdx.x % 32, at.warp = threadIdx.x / 32;
  const int64_t strip = int64_t{blockIdx.x} * kWarps + at.warp;
  at.strip = strip < n_strips ? strip : n_strips - 1;  // it has nothing to do, and joins in
  at.first_group = blockIdx.y * per_split;
  at.n_groups = max(0, min(per_split, n_all_groups - at.first_group));
  Product<T, NT> p(task, at, shared);
  multiply(p, shared + kRingBytes<NT>, first_row);
  if (gridDim.y > 1 && !add_parts<T, NT>(task, p, reinterpret_cast<int*>(shared))) return;
  if (strip >= n_strips) return;
#pragma unroll
  for (int n = 0; n < NT; ++n) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int row = first_row + n * 8 + (at.lane % 4) * 2 + j % 2;
      const int64_t out = strip * kStrip + at.lane / 4 + j / 2 * 8;
      if (row < task.rows)
        static_cast<T*>(task.out)[row * task.n_out + out] = from_float<T>(p.sum[n][j]);
    }
  }
}

// ---- Packing and unpacking: a block has 16 rows of a group, a thread 8 columns of a row ----

struct Eight {      // numbers of one row
  int row, column;  // in the strip; in the matrix
  bool is_there;

  __device__ explicit Eight(int n_in)
      : row(threadIdx.x / 16),
        column(blockIdx.y * kGroup + threadIdx.x % 16 * 8),
        is_there(column < n_in) {}
};

// Where 8 numbers of a row lie.
__device__ __forceinline__ int64_t place_of(int64_t strip, int row, int column, int n_in) {
  const int lane = row % 8 * 4 + column % kTileColumns / 8;
  const int64_t tile = strip * (n_in / kTileColumns) + column / kTileColumns;
  return tile * 512 + lane * 16 + row / 8 * 8;
}

__device__ __forceinline__ int64_t scale_of(int64_t strip, int row, int column, int n_in) {
  return (strip * ((n_in + kGroup - 1) / kGroup) + column / kGroup) * kStrip + row;
}

template <typename T>
__global__ void pack_rows(const T* rows, int64_t first, const __grid_constant__ PackedTask to) {
  const Eight own(to.n_in);
  const int64_t strip = first / kStrip + blockIdx.x;
  float w[8] = {};
  if (own.is_there)
    load8(w, rows + (int64_t{blockIdx.x} * kStrip + own.row) * to.n_in + own.column);
  float largest = 0;
#pragma unroll
  for (int i = 0; i < 8; ++i) largest = fmaxf(largest, isfinite(w[i]) ? fabsf(w[i]) : INFINITY);
  for (int step = 8; step > 0; step /= 2)
    largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
  const __half scale = __float2half_rn(largest / 127);
  const float s = __half2float(scale);
  if (!own.is_there) return;
  uint2 bytes;
  auto* q = reinterpret_cast<uint8_t*>(&bytes);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const float x = s > 0 ? rintf(w[i] / s) : 0;
    q[i] = static_cast<uint8_t>(fminf(fmaxf(x, -127), 127) + 128);
  }
  char* matrix = static_cast<char*>(const_cast<void*>(to.weight));
  *reinterpret_cast<uint2*>(matrix + place_of(strip, own.row, own.column, to.n_in)) = bytes;
  if (threadIdx.x % 16 == 0) {
    auto* scales = static_cast<__half*>(const_cast<void*>(to.scales));
    scales[scale_of(strip, own.row, own.column, to.n_in)] = scale;
  }
}

__device__ __forceinline__ void unpack8(float (&w)[8], const PackedTask& task, int64_t strip,
                                        int row, int column) {
  const char* matrix = static_cast<const char*>(task.weight);
  const uint2 bytes =
      *reinterpret_cast<const uint2*>(matrix + place_of(strip, row, column, task.n_in));
  const auto* q = reinterpret_cast<const uint8_t*>(&bytes);
  const auto* scales = static_cast<const __half*>(task.scales);
  const float s = __half2float(scales[scale_of(strip, row, column, task.n_in)]);
#pragma unroll
  for (int i = 0; i < 8; ++i) w[i] = (static_cast<int>(q[i]) - 128) * s;
}

template <typename T>
__device__ __forceinline__ void unpack8(T* out, const PackedTask& task, int64_t strip, int row,
                                        int column) {
  float w[8];
  unpack8(w, task, strip, row, column);
  store8(out, w);
}

template <typename T>
__global__ void unpack(const __grid_constant__ PackedTask task, int64_t first, T* out) {
  const Eight own(task.n_in);
  if (!own.is_there) return;
  const int64_t row = int64_t{blockIdx.x} * kStrip + own.row;
  unpack8(out + row * task.n_in + own.column, task, first / kStrip + blockIdx.x, own.row,
          own.column);
}

// out [n_out, n_in / group]: of each `width` columns those of the group's heads added up, in fp32.
template <typename T>
__global__ void unpack_folded(const __grid_constant__ PackedTask task, int group, int width,
                              T* out) {
  const int own = blockIdx.y * kGroup + threadIdx.x % 16 * 8, n_columns = task.n_in / group;
  if (own >= n_columns) return;
  const int row = threadIdx.x / 16;
  const int first = own / width * width * group + own % width;
  float sum[8] = {};
  for (int i = 0; i < group; ++i) {
    float w[8];
    unpack8(w, task, blockIdx.x, row, first + i * width);
#pragma unroll
    for (int j = 0; j < 8; ++j) sum[j] += w[j];
  }
  store8(out + (int64_t{blockIdx.x} * kStrip + row) * n_columns + own, sum);
}

template <typename T>
__global__ void unpack_chosen(const __grid_constant__ PackedTask task, const int64_t* ids, T* out) {
  const int64_t id = ids[blockIdx.x];
  for (int column = threadIdx.x * 8; column < task.n_in; column += blockDim.x * 8)
    unpack8(out + int64_t{blockIdx.x} * task.n_in + column, task, id / kStrip,
            static_cast<int>(id % kStrip), column);
}

dim3 grid_of(int64_t rows, int n_in) {
  return dim3(static_cast<unsigned>(rows / kStrip), (n_in + kGroup - 1) / kGroup);
}

template <typename T, int NT>
void launch_tiles(const PackedProductTask& task, void* stream) {
  static std::atomic<uint64_t> done{0};
  const auto kernel = packed_product<T, NT>;
  allow_shared_memory("packed_product", kernel, kSharedBytes<NT>, done);
  const int n_passes = (task.rows + NT * 8 - 1) / (NT * 8);
  const dim3 grid(static_cast<unsigned>((task.n_out / kStrip + kWarps - 1) / kWarps), task.splits,
                  n_passes);
  start_early("packed_product", kernel, grid, kThreads, kSharedBytes<NT>, stream, task);
}

template <typename T>
void launch_product(const PackedProductTask& task, void* stream) {
  if (task.rows <= 8) return launch_tiles<T, 1>(task, stream);
  if (task.rows <= 16) return launch_tiles<T, 2>(task, stream);
  if (task.rows <= 32) return launch_tiles<T, 4>(task, stream);
  launch_tiles<T, 8>(task, stream);
}

}  // namespace

// Rows of x that a block takes.
static int rows_of_block(int rows) {
  return rows <= 8 ? 8 : rows <= 16 ? 16 : rows <= 32 ? 32 : 64;
}

static int64_t blocks_without_splits(int64_t n_out, int rows) {
  const int at_once = rows_of_block(rows);
  return (n_out / kStrip + kWarps - 1) / kWarps * ((rows + at_once - 1) / at_once);
}

// As many blocks as fit on the device at once, two a multiprocessor, with two groups or more each.
int packed_splits(int64_t n_out, int n_in, int rows, int multiprocessors) {
  const int groups = (n_in + kGroup - 1) / kGroup;
  const int64_t fit = int64_t{2} * multiprocessors / blocks_without_splits(n_out, rows);
  const int64_t splits = std::clamp<int64_t>(fit, 1, std::max(1, groups / 2));
  const int64_t per_split = (groups + splits - 1) / splits;
  return static_cast<int>((groups + per_split - 1) / per_split);
}

int64_t packed_workspace(int64_t n_out, int rows, int splits) {
  if (splits == 1) return 0;
  return splits * blocks_without_splits(n_out, rows) * kWarps * kStrip * rows_of_block(rows);
}

int64_t packed_counters(int64_t n_out) {
  return (n_out / kStrip + kWarps - 1) / kWarps * (kMostPackedRows / 64);
}

void launch_packed_product(const PackedProductTask& task, ElementType type, void* stream) {
  if (type == ElementType::kHalf) return launch_product<__half>(task, stream);
  launch_product<__nv_bfloat16>(task, stream);
}

void launch_unpack(const PackedTask& task, int64_t first, int64_t rows, void* out, ElementType type,
                   void* stream) {
  const auto go = [&](auto kernel, auto* to) {
    start("unpack", kernel, grid_of(rows, task.n_in), kThreads, 0, stream, task, first, to);
  };
  if (type == ElementType::kHalf) return go(unpack<__half>, static_cast<__half*>(out));
  go(unpack<__nv_bfloat16>, static_cast<__nv_bfloat16*>(out));
}

void launch_unpack_folded(const PackedTask& task, int group, int width, void* out, ElementType type,
                          void* stream) {
  const auto go = [&](auto kernel, auto* to) {
    start("unpack_folded", kernel, grid_of(task.n_out, task.n_in / group), kThreads, 0, stream,
          task, group, width, to);
  };
  if (type == ElementType::kHalf) return go(unpack_folded<__half>, static_cast<__half*>(out));
  go(unpack_folded<__nv_bfloat16>, static_cast<__nv_bfloat16*>(out));
}

void launch_unpack_rows(const PackedTask& task, const int64_t* ids, int64_t n, void* out,
                        ElementType type, void* stream) {
  const auto go = [&](auto kernel, auto* to) {
    start("unpack_rows", kernel, dim3(static_cast<unsigned>(n)), kThreads, 0, stream, task, ids,
          to);
  };
  if (type == ElementType::kHalf) return go(unpack_chosen<__half>, static_cast<__half*>(out));
  go(unpack_chosen<__nv_bfloat16>, static_cast<__nv_bfloat16*>(out));
}

void launch_pack(const void* rows, int64_t n, int64_t first, const PackedTask& to, ElementType type,
                 void* stream) {
  const auto go = [&](auto kernel, const auto* from) {
    start("pack", kernel, grid_of(n, to.n_in), kThreads, 0, stream, from, first, to);
  };
  if (type == ElementType::kHalf) return go(pack_rows<__half>, static_cast<const __half*>(rows));
  go(pack_rows<__nv_bfloat16>, static_cast<const __nv_bfloat16*>(rows));
}

}  // namespace vidi
