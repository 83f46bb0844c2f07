# Warnings and the settings that every target of the project shares.
function(espalier_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<BOOL:${ESPALIER_WERROR}>:-Werror>)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()
