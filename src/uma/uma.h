/* uma.h - the accessors' own header under its short name, which include/uma.h has too: include uma_kernel.h. */
#pragma once
#include "uma_kernel.h"
