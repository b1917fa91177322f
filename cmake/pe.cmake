# Windows (PE/COFF) builds with clang and lld, inside a native configuration: objects, drivers, console programs.
find_program(UMA_PE_CLANG NAMES clang-19 REQUIRED)
find_program(UMA_PE_LINK NAMES lld-link-19 REQUIRED)
find_program(UMA_PE_LIB NAMES llvm-lib-19 REQUIRED)
find_program(UMA_PE_DLLTOOL NAMES llvm-dlltool-19 REQUIRED)
set(UMA_MINGW /usr/x86_64-w64-mingw32 CACHE PATH "mingw-w64 headers and libraries")

set(UMA_PE_FLAGS --target=x86_64-w64-windows-gnu -fms-extensions -fms-compatibility
  -fms-compatibility-version=19.40 -fgnuc-version=12.2 -Xclang -fasync-exceptions -O2 -g -gcodeview
  -Wall -Wextra -Wno-unused-parameter -Wno-\#warnings -Wno-unknown-pragmas -Wno-ignored-attributes
  -mno-stack-arg-probe -isystem ${UMA_MINGW}/include)
# -ffreestanding alone would drop the unwind tables (.pdata) of every function without a __try of its own.
set(UMA_PE_DRIVER_FLAGS ${UMA_PE_FLAGS} -ffreestanding -fasynchronous-unwind-tables -fno-stack-protector -isystem ${UMA_MINGW}/include/ddk
  -I${CMAKE_SOURCE_DIR}/include)

# uma_pe_objects(OUT NAME FLAGS ... SOURCES ... [DEPENDS ...]): compiles each source; OUT gets the object files.
function(uma_pe_objects out name)
  cmake_parse_arguments(P "" "" "FLAGS;SOURCES;DEPENDS" ${ARGN})
  set(objects)
  foreach(source ${P_SOURCES})
    get_filename_component(full ${source} ABSOLUTE)
    get_filename_component(stem ${source} NAME)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.pe/${stem}.obj)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/${name}.pe
      COMMAND ${UMA_PE_CLANG} ${P_FLAGS} -MD -MF ${object}.d -c ${full} -o ${object}
      DEPENDS ${full} ${P_DEPENDS} DEPFILE ${object}.d
      COMMENT "PE ${name}: ${stem}" VERBATIM COMMAND_EXPAND_LISTS)
    list(APPEND objects ${object})
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()

# uma_driver(NAME SOURCES ... [FLAGS ...] [KMDF] [UMACCESS] [NO_LOADCFG] [NO_ALL] [LINK ...] [OUTPUT folder] [DEPENDS ...]): out/drivers/NAME.sys and NAME.pdb.
# UMACCESS links umaccess.lib and its load configuration, so that our loader redirects the accessors; NO_LOADCFG leaves
# that out (the driver then keeps the library's own accessors). Drivers link with the ntoskrnl import library made from src/ldr/exports.def.
# NO_ALL keeps it out of the default build. KMDF makes it a framework driver: it may include <wdf.h>, and is entered through the framework's entry library.
function(uma_driver name)
  cmake_parse_arguments(D "KMDF;UMACCESS;NO_LOADCFG;NO_ALL" "OUTPUT" "SOURCES;FLAGS;LINK;DEPENDS" ${ARGN})
  if(NOT D_OUTPUT)
    set(D_OUTPUT ${UMA_OUT}/drivers)
  endif()
  set(entry DriverEntry)
  if(D_KMDF)
    set(entry FxDriverEntry)
    list(APPEND D_FLAGS -I${CMAKE_SOURCE_DIR}/include/wdf)
  endif()
  uma_pe_objects(objects ${name} FLAGS ${UMA_PE_DRIVER_FLAGS} ${D_FLAGS} SOURCES ${D_SOURCES}
    DEPENDS ${D_DEPENDS})
  set(libraries ${UMA_OUT}/lib/windows-x64/ntoskrnl.lib)
  if(D_KMDF)
    list(APPEND libraries ${UMA_OUT}/lib/windows-x64/wdfdriverentry.lib ${UMA_OUT}/lib/windows-x64/wdfldr.lib)
  endif()
  if(D_UMACCESS)
    list(APPEND libraries ${UMA_OUT}/lib/windows-x64/umaccess.lib)
    if(NOT D_NO_LOADCFG)
      list(APPEND libraries ${UMA_OUT}/lib/windows-x64/umaccess_loadcfg.lib)
      list(APPEND D_LINK /include:_load_config_used)
    endif()
  endif()
  set(sys ${D_OUTPUT}/${name}.sys)
  add_custom_command(OUTPUT ${sys}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${D_OUTPUT}
    COMMAND ${UMA_PE_LINK} /nologo /driver /subsystem:native /entry:${entry} /machine:x64 /nodefaultlib /debug /Brepro
      /pdb:${D_OUTPUT}/${name}.pdb /out:${sys} ${D_LINK} ${objects} ${libraries}
    DEPENDS ${objects} ${libraries} VERBATIM COMMAND_EXPAND_LISTS COMMENT "PE link ${name}.sys")
  set(all ALL)
  if(D_NO_ALL)
    set(all)
  endif()
  add_custom_target(driver_${name} ${all} DEPENDS ${sys})
endfunction()
