# Host (ELF) modules. Public include directories travel only along USES, so an upward include does not compile.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(UMA_OUT ${CMAKE_SOURCE_DIR}/out CACHE PATH "where the products go: uma, drivers, libraries")
option(UMA_SANITIZE "build the host parts with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(UMA_SANITIZE_THREADS "build the host parts with ThreadSanitizer, in an address space that leaves room for it" OFF)
option(UMA_WERROR "warnings are errors" ON)

include(CheckPIESupported)
check_pie_supported()

add_library(uma_flags INTERFACE)
target_include_directories(uma_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)
# No red zone: a fault in kernel code is reported on its own stack. 16-bit wide characters, as drivers have.
target_compile_options(uma_flags INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wshadow;-Wmissing-prototypes;-Wstrict-prototypes;-fshort-wchar;-fno-strict-aliasing;-fvisibility=hidden>
  $<$<BOOL:${UMA_WERROR}>:-Werror> -mno-red-zone -fno-omit-frame-pointer -g)
if(UMA_SANITIZE)
  target_compile_options(uma_flags INTERFACE -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined
    $<$<C_COMPILER_ID:Clang>:-fno-sanitize=function>) # that check reads before a driver's entry points
  target_link_options(uma_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(uma_flags INTERFACE UMA_SANITIZE=1)
endif()
# Exceptions leave functions without their ends, so there is no shadow call stack: a report names the two accesses.
if(UMA_SANITIZE_THREADS)
  target_compile_options(uma_flags INTERFACE -fsanitize=thread -mllvm -tsan-instrument-func-entry-exit=0)
  target_link_options(uma_flags INTERFACE -fsanitize=thread)
  target_compile_definitions(uma_flags INTERFACE UMA_SANITIZE_THREADS=1)
endif()

# uma_module(NAME SOURCES a.c ... [USES module ...] [LIBS library ...]): static library uma_NAME.
function(uma_module name)
  cmake_parse_arguments(M "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_library(uma_${name} STATIC ${M_SOURCES})
  set_property(GLOBAL APPEND PROPERTY UMA_MODULES uma_${name}) # packaging/ puts all of them into one archive
  target_include_directories(uma_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(uma_${name} PUBLIC uma_flags)
  foreach(used ${M_USES})
    target_link_libraries(uma_${name} PUBLIC uma_${used})
  endforeach()
  target_link_libraries(uma_${name} PRIVATE ${M_LIBS})
endfunction()

# uma_test(NAME SOURCES a.c ... USES module ... [ARGS ...] [MODES]): a cmocka program test_NAME, run by CTest with label LABEL (default quick).
# MODES: run once per protection (pku, mprotect, none) with UMA_PROTECT in the environment.
function(uma_test name)
  cmake_parse_arguments(T "MODES" "LABEL" "SOURCES;USES;LIBS;ARGS" ${ARGN})
  add_executable(test_${name} ${T_SOURCES} ${CMAKE_SOURCE_DIR}/tests/keep_signals.c)
  foreach(used ${T_USES})
    target_link_libraries(test_${name} PRIVATE uma_${used})
  endforeach()
  target_link_libraries(test_${name} PRIVATE uma_flags ${T_LIBS} cmocka)
  if(NOT T_LABEL)
    set(T_LABEL quick)
  endif()
  if(T_MODES)
    foreach(mode pku mprotect none)
      add_test(NAME ${name}.${mode} COMMAND test_${name} ${T_ARGS})
      set_tests_properties(${name}.${mode} PROPERTIES ENVIRONMENT "UMA_PROTECT=${mode}" LABELS ${T_LABEL}
        SKIP_RETURN_CODE 77 TIMEOUT 300)
    endforeach()
  else()
    add_test(NAME ${name} COMMAND test_${name} ${T_ARGS})
    set_tests_properties(${name} PROPERTIES LABELS ${T_LABEL} TIMEOUT 300)
  endif()
endfunction()
