// Precompiled for the engine's sources: what takes them longest to read.
#ifndef VIDI_MODEL_PCH_ENGINE_H_
#define VIDI_MODEL_PCH_ENGINE_H_

#include "kernels/aten.h"

#endif
