/*
 * arity.h - takes the arguments of a row of services.def apart. SVC_EACH_n(MACRO, kind, name, ...) gives MACRO(kind,
 * name) for each of n arguments, separated by commas;
 * SVC_EACH_0 gives what MACRO_NONE stands for.
 */
#pragma once

#define SVC_EACH_0(M, ...)        M##_NONE
#define SVC_EACH_1(M, k, n)       M(k, n)
#define SVC_EACH_2(M, k, n, ...)  M(k, n), SVC_EACH_1(M, __VA_ARGS__)
#define SVC_EACH_3(M, k, n, ...)  M(k, n), SVC_EACH_2(M, __VA_ARGS__)
#define SVC_EACH_4(M, k, n, ...)  M(k, n), SVC_EACH_3(M, __VA_ARGS__)
#define SVC_EACH_5(M, k, n, ...)  M(k, n), SVC_EACH_4(M, __VA_ARGS__)
#define SVC_EACH_6(M, k, n, ...)  M(k, n), SVC_EACH_5(M, __VA_ARGS__)
#define SVC_EACH_7(M, k, n, ...)  M(k, n), SVC_EACH_6(M, __VA_ARGS__)
#define SVC_EACH_8(M, k, n, ...)  M(k, n), SVC_EACH_7(M, __VA_ARGS__)
#define SVC_EACH_9(M, k, n, ...)  M(k, n), SVC_EACH_8(M, __VA_ARGS__)
#define SVC_EACH_10(M, k, n, ...) M(k, n), SVC_EACH_9(M, __VA_ARGS__)
#define SVC_EACH_11(M, k, n, ...) M(k, n), SVC_EACH_10(M, __VA_ARGS__)
