# umaccess.lib for Windows drivers: x64 release and debug (DBG), ARM64, and the opt-in load configuration.
set(UMA_LIBRARY_C copy.c fill.c filter.c interlocked.c string.c structs.c unicode.c)
# -ffreestanding alone would drop the unwind tables, and an exception could not pass through these functions.
set(UMA_LIBRARY_FLAGS -O2 -g -gcodeview -ffreestanding -fasynchronous-unwind-tables -fno-strict-aliasing -fno-stack-protector -mno-stack-arg-probe
  -Wall -Wextra -Werror -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/src/arch -I${CMAKE_SOURCE_DIR}/src/uma)

# uma_windows_library(FOLDER NAME TARGET_TRIPLE FLAGS ... ASSEMBLY ... C ...): out/lib/FOLDER/NAME.lib
function(uma_windows_library folder name triple)
  cmake_parse_arguments(L "" "" "FLAGS;ASSEMBLY;C" ${ARGN})
  uma_pe_objects(assembled ${folder}-${name} FLAGS --target=${triple} -DUMA_PE ${L_FLAGS} SOURCES ${L_ASSEMBLY})
  uma_pe_objects(compiled ${folder}-${name} FLAGS --target=${triple} ${UMA_LIBRARY_FLAGS} ${L_FLAGS} SOURCES ${L_C})
  # Members by their file names: the archive does not tell where it was built.
  set(members)
  foreach(object ${assembled} ${compiled})
    get_filename_component(member ${object} NAME)
    list(APPEND members ${member})
  endforeach()
  set(library ${UMA_OUT}/lib/${folder}/${name}.lib)
  add_custom_command(OUTPUT ${library}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${UMA_OUT}/lib/${folder}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${library}
    COMMAND ${UMA_PE_LIB} /nologo /out:${name}.lib ${members}
    COMMAND ${CMAKE_COMMAND} -E copy ${name}.lib ${library}
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${folder}-${name}.pe
    DEPENDS ${assembled} ${compiled} VERBATIM COMMENT "${folder}/${name}.lib")
  add_custom_target(${folder}-${name} ALL DEPENDS ${library})
endfunction()

set(x64 ${CMAKE_SOURCE_DIR}/src/arch/x86_64)
set(x64_primitives ${x64}/scalar.S ${x64}/mode.S ${x64}/copy.S ${x64}/fill.S ${x64}/string.S ${x64}/interlocked.S
  ${x64}/direct.S ${x64}/pe_rep.S ${x64}/pe_table.S)
uma_windows_library(windows-x64 umaccess x86_64-w64-windows-gnu
  ASSEMBLY ${x64_primitives} C ${UMA_LIBRARY_C})
uma_windows_library(windows-x64 umaccess_dbg x86_64-w64-windows-gnu FLAGS -DDBG=1
  ASSEMBLY ${x64_primitives} C ${UMA_LIBRARY_C})
# The load configuration alone: linking it is opting in.
uma_windows_library(windows-x64 umaccess_loadcfg x86_64-w64-windows-gnu ASSEMBLY ${CMAKE_SOURCE_DIR}/src/arch/pe_loadcfg.S)

set(arm64 ${CMAKE_SOURCE_DIR}/src/arch/aarch64)
set(arm64_primitives ${arm64}/scalar.S ${arm64}/mode.S ${arm64}/copy.S ${arm64}/fill.S ${arm64}/string.S
  ${arm64}/interlocked.S ${arm64}/pe_table.S)
uma_windows_library(windows-arm64 umaccess aarch64-w64-windows-gnu ASSEMBLY ${arm64_primitives} C ${UMA_LIBRARY_C})
uma_windows_library(windows-arm64 umaccess_dbg aarch64-w64-windows-gnu FLAGS -DDBG=1
  ASSEMBLY ${arm64_primitives} C ${UMA_LIBRARY_C})
uma_windows_library(windows-arm64 umaccess_loadcfg aarch64-w64-windows-gnu
  ASSEMBLY ${CMAKE_SOURCE_DIR}/src/arch/pe_loadcfg.S)
