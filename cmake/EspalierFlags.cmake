# Warnings and the settings that every target of the project shares. GCC 12 warns wrongly of overlapping copies where
# strings are joined (its bug 105329).
function(espalier_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<BOOL:${ESPALIER_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# On most processors but x86-64 a product and a sum may be fused by default. Outside of the kernels, which say otherwise,
# results have the same bits everywhere.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-ffp-contract=off)
endif()
