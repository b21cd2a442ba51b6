# The kinds of test, each one call. Those that do not see torch carry the label `torch-free` and are built by the
# target `torch_free_tests`.
add_custom_target(torch_free_tests)

# fmsb_unit_test(<name> [TORCH] SOURCES a.cpp b.cpp... [PLAIN c.cpp...] [LIBS ...])
# One program `unit_<name>`, one CTest test a doctest test case. With TORCH the SOURCES may see torch and share the
# precompiled header; those in PLAIN are built without it. A test is skipped when it says so through
# fmsb::test::skip, and fails when it checks nothing at all.
function(fmsb_unit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;PLAIN;LIBS")
  if(arg_TORCH AND NOT FMSB_HAS_TORCH)
    return()
  endif()
  set(target unit_${name})
  add_executable(${target} ${arg_SOURCES} ${arg_PLAIN})
  if(arg_TORCH)
    fmsb_link_half(${target} TORCH PLAIN ${arg_PLAIN})
  else()
    fmsb_link_half(${target})
  endif()
  target_link_libraries(${target} PRIVATE fmsb_test_support ${arg_LIBS})
  set(labels)
  if(NOT arg_TORCH)
    set(labels LABELS torch-free)
    add_dependencies(torch_free_tests ${target})
  endif()
  # A fixed seed keeps the drawn laws the same in every run; a program started by hand draws anew.
  doctest_discover_tests(${target} TEST_PREFIX "${name}:"
    PROPERTIES ${labels} TIMEOUT 300 ENVIRONMENT RC_PARAMS=seed=20 SKIP_REGULAR_EXPRESSION "(^|[^ -~])skipped: "
               FAIL_REGULAR_EXPRESSION "(test cases|assertions): +0 ")
endfunction()

# fmsb_static_test(<name> [TORCH] SOURCES ...): facts that hold if the sources compile. The CTest test asks whether
# the objects are there; a compiler that fails leaves none.
function(fmsb_static_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES")
  if(arg_TORCH AND NOT FMSB_HAS_TORCH)
    return()
  endif()
  set(target static_${name})
  add_library(${target} OBJECT ${arg_SOURCES})
  if(arg_TORCH)
    fmsb_link_half(${target} TORCH)
  else()
    fmsb_link_half(${target})
  endif()
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  add_test(NAME "static: ${name}" COMMAND ${CMAKE_COMMAND} -E sha1sum $<TARGET_OBJECTS:${target}> COMMAND_EXPAND_LISTS)
  if(NOT arg_TORCH)
    set_tests_properties("static: ${name}" PROPERTIES LABELS torch-free)
    add_dependencies(torch_free_tests ${target})
  endif()
endfunction()

# fmsb_compile_fail(<file> [TORCH]): the file compiles as it is, and with -DFAILS fails with the words of its first
# line, `// expected-error: "words"`.
function(fmsb_compile_fail file)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "")
  if(arg_TORCH AND NOT FMSB_HAS_TORCH)
    return()
  endif()
  if(arg_TORCH)
    set(flags fmsb_compile_fail_torch)
    set(half fmsb::fmsb)
  else()
    set(flags fmsb_compile_fail_space)
    set(half fmsb::space)
  endif()
  if(NOT TARGET ${flags})  # never built: it only gathers include folders and definitions
    add_library(${flags} OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
    target_link_libraries(${flags} PRIVATE ${half} fmsb_own)
  endif()
  # The precompiled header saves two thirds of the time; g++ ignores it where the flags differ from its own.
  set(precompiled)
  if(arg_TORCH AND TARGET fmsb_torch_pch AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
    separate_arguments(precompiled UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}}")
    list(APPEND precompiled -include ${PROJECT_BINARY_DIR}/CMakeFiles/fmsb_torch_pch.dir/cmake_pch.hxx)
  endif()
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(file ${file} ABSOLUTE)
  add_test(NAME "compile_fail: ${name}"
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/cmake/compile_fail.py --source ${file} --
      ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only ${precompiled}
      "-D$<JOIN:$<TARGET_PROPERTY:${flags},COMPILE_DEFINITIONS>,;-D>"
      "-I$<JOIN:$<TARGET_PROPERTY:${flags},INCLUDE_DIRECTORIES>,;-I>"
    COMMAND_EXPAND_LISTS)
  set_tests_properties("compile_fail: ${name}" PROPERTIES TIMEOUT 300)
  if(NOT arg_TORCH)
    set_tests_properties("compile_fail: ${name}" PROPERTIES LABELS torch-free)
  endif()
endfunction()

# fmsb_process_test(<name> PROGRAM <target> [ARGS ...] [EXIT n] [STDOUT regex...] [STDERR regex...]
#                   [CREATES file...] [LEAVES_NOTHING] [SKIP_WITHOUT file])
# Runs a program as its user would, in an empty folder, and looks at exit code, output and files. "{data}" in an
# argument stands for the shared data folder; the test is skipped where the file after SKIP_WITHOUT is not in it.
# "{source}" stands for the test's own source folder.
function(fmsb_process_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "LEAVES_NOTHING" "PROGRAM;EXIT;SKIP_WITHOUT" "ARGS;STDOUT;STDERR;CREATES")
  if(NOT TARGET ${arg_PROGRAM})
    return()
  endif()
  if(NOT DEFINED arg_EXIT)
    set(arg_EXIT 0)
  endif()
  set(expectations --exit ${arg_EXIT} --source ${CMAKE_CURRENT_SOURCE_DIR} --root ${PROJECT_SOURCE_DIR})
  foreach(pattern IN LISTS arg_STDOUT)
    list(APPEND expectations "--stdout=${pattern}")
  endforeach()
  foreach(pattern IN LISTS arg_STDERR)
    list(APPEND expectations "--stderr=${pattern}")
  endforeach()
  foreach(file IN LISTS arg_CREATES)
    list(APPEND expectations --creates ${file})
  endforeach()
  if(arg_LEAVES_NOTHING)
    list(APPEND expectations --leaves-nothing)
  endif()
  if(arg_SKIP_WITHOUT)
    list(APPEND expectations --skip-without ${arg_SKIP_WITHOUT})
  endif()
  add_test(NAME "process: ${name}"
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/cmake/run_process.py ${expectations} --
      $<TARGET_FILE:${arg_PROGRAM}> ${arg_ARGS})
  set_tests_properties("process: ${name}" PROPERTIES TIMEOUT 300 SKIP_REGULAR_EXPRESSION "(^|[^ -~])skipped: ")
endfunction()
