# Windows console programs of the tests, run under Wine with the library of out/lib/windows-x64.
include_guard()
find_program(UMA_WINE NAMES wine64 PATHS /usr/lib/wine)

# uma_wine_program(NAME SOURCES ... [DRIVER_SOURCES ...] [FLAGS ...] [INCLUDES ...] [DEPENDS ...] [LIBRARY umaccess.lib]):
# NAME.exe in the current binary folder. DRIVER_SOURCES are compiled as driver code (ntddk.h), SOURCES as Windows code (windows.h).
function(uma_wine_program name)
  cmake_parse_arguments(W "" "LIBRARY" "SOURCES;DRIVER_SOURCES;FLAGS;INCLUDES;DEPENDS" ${ARGN})
  if(NOT W_LIBRARY)
    set(W_LIBRARY ${UMA_OUT}/lib/windows-x64/umaccess.lib)
  endif()
  set(includes)
  foreach(folder ${W_INCLUDES})
    list(APPEND includes -I${folder})
  endforeach()
  uma_pe_objects(plain ${name} FLAGS ${UMA_PE_FLAGS} -D__USE_MINGW_ANSI_STDIO=0 ${includes} ${W_FLAGS}
    SOURCES ${W_SOURCES} DEPENDS ${W_DEPENDS})
  uma_pe_objects(driver ${name}_driver FLAGS ${UMA_PE_DRIVER_FLAGS} -D__USE_MINGW_ANSI_STDIO=0 ${includes} ${W_FLAGS}
    SOURCES ${W_DRIVER_SOURCES} DEPENDS ${W_DEPENDS})
  set(program ${CMAKE_CURRENT_BINARY_DIR}/${name}.exe)
  add_custom_command(OUTPUT ${program}
    COMMAND ${UMA_PE_LINK} /nologo /subsystem:console /entry:mainCRTStartup /machine:x64 /nodefaultlib /out:${program}
      ${plain} ${driver} ${W_LIBRARY} ${UMA_MINGW}/lib/libmsvcrt.a ${UMA_MINGW}/lib/libkernel32.a
    DEPENDS ${plain} ${driver} ${W_LIBRARY} VERBATIM COMMAND_EXPAND_LISTS COMMENT "PE link ${name}.exe")
  add_custom_target(wine_${name} ALL DEPENDS ${program})
endfunction()

# uma_wine_test(NAME [ARGS ...] and all that uma_wine_program takes): the program as a test with label wine.
function(uma_wine_test name)
  cmake_parse_arguments(W "" "" "ARGS" ${ARGN})
  uma_wine_program(${name} ${W_UNPARSED_ARGUMENTS})
  set(program ${CMAKE_CURRENT_BINARY_DIR}/${name}.exe)
  if(UMA_WINE)
    add_test(NAME ${name} COMMAND ${UMA_WINE} ${program} ${W_ARGS})
  else()
    add_test(NAME ${name} COMMAND sh -c "echo 'not run: wine64 is not installed'; exit 77")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS wine SKIP_RETURN_CODE 77 TIMEOUT 300 RESOURCE_LOCK wine
    ENVIRONMENT "WINEPREFIX=${CMAKE_BINARY_DIR}/wine;WINEDEBUG=-all;DISPLAY=")
endfunction()
