# Compiles FILE, which must fail and say what its `// expect:` lines say; with CONTROL defined it must compile.
# Arguments: -DFILE= -DCOMPILER= -DINCLUDE=
file(STRINGS "${FILE}" expected REGEX "^// expect: ")
if(NOT expected)
  message(FATAL_ERROR "${FILE} has no line `// expect: text`")
endif()
set(compile "${COMPILER}" -std=c++20 -Wall -Wextra -fsyntax-only "-I${INCLUDE}")

execute_process(COMMAND ${compile} -DCONTROL "${FILE}" RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(failed OR said)
  message(FATAL_ERROR "the control does not compile cleanly:\n${said}")
endif()

execute_process(COMMAND ${compile} "${FILE}" RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT failed)
  message(FATAL_ERROR "${FILE} compiles")
endif()
foreach(line IN LISTS expected)
  string(REPLACE "// expect: " "" text "${line}")
  string(FIND "${said}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the compiler does not say: ${text}\n${said}")
  endif()
endforeach()
