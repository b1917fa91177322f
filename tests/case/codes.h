/* codes.h - the control codes of the driver codes.c, which test and driver agree on. */
#pragma once

#define CODES_TYPE                 0x8337u
#define CODES_OF(function, method) ((CODES_TYPE << 16) | ((function) << 2) | (method))
/* far apart; one behind the other, with gaps of access and method; looked up; compared one by one */
#define CODES_SPARSE(X) X(0x801, 0) X(0x8F3, 3) X(0xA20, 0) X(0xFFF, 2) X(0x802, 1) X(0x900, 0) X(0xB00, 3)
#define CODES_DENSE(X)                                                                                                 \
    X(0x840, 0)                                                                                                        \
    X(0x841, 0) X(0x842, 0) X(0x843, 0) X(0x844, 0) X(0x845, 0) X(0x846, 0) X(0x847, 0) X(0x849, 0) X(0x84A, 0)
#define CODES_TABLE(X) X(0xC01, 3) X(0xC55, 3) X(0xC02, 0) X(0xD00, 1)
#define CODES_CHAIN(X) X(0x810, 3) X(0x811, 3) X(0x812, 3)
#define CODES_ALL(X)   CODES_SPARSE(X) CODES_DENSE(X) CODES_TABLE(X) CODES_CHAIN(X)
