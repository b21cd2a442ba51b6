# The checks of .ci/run, each a target: cmake --build build/dev --target check-format. `check` is all of them.
find_package(Python3 3.9 COMPONENTS Interpreter)
include(ProcessorCount)

add_custom_target(check)

# fmsb_check(<name> COMMAND ... [DEPENDS ...])
function(fmsb_check name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;DEPENDS")
  add_custom_target(check-${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                    USES_TERMINAL COMMAND_EXPAND_LISTS VERBATIM)
  if(arg_DEPENDS)
    add_dependencies(check-${name} ${arg_DEPENDS})
  endif()
  add_dependencies(check check-${name})
endfunction()

fmsb_check(format COMMAND scripts/checks/format)
fmsb_check(include-order COMMAND scripts/checks/include_order)
fmsb_check(test-sources COMMAND scripts/checks/test_sources)
fmsb_check(changelog COMMAND scripts/checks/changelog)
set(module_headers_alone)
if(FMSB_HAS_TORCH)
  foreach(header IN LISTS FMSB_MODULE_HEADERS)
    string(REGEX REPLACE "^.*/include/(fmsb/.*)$" "\\1" header "${header}")
    string(REPLACE "/" "_" name "${header}")
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/headers_alone/${name}.cpp @ONLY
         CONTENT "#include \"@header@\"\n#include \"@header@\"  // a second time: it must guard itself\n")
    list(APPEND module_headers_alone ${PROJECT_BINARY_DIR}/headers_alone/${name}.cpp)
  endforeach()
  add_library(fmsb_module_headers_alone OBJECT EXCLUDE_FROM_ALL ${module_headers_alone})
  fmsb_link_half(fmsb_module_headers_alone TORCH)
  set(module_headers_alone fmsb_module_headers_alone)
endif()
fmsb_check(headers COMMAND ${CMAKE_COMMAND} -E echo "headers: each compiles alone"
           DEPENDS all_verify_interface_header_sets ${module_headers_alone})
fmsb_check(clang COMMAND scripts/checks/clang)
fmsb_check(sanitizers COMMAND scripts/checks/sanitizers)

if(TARGET odr_space)
  fmsb_check(odr COMMAND odr_space DEPENDS odr_space)
  if(TARGET odr_fmsb)
    add_custom_command(TARGET check-odr POST_BUILD COMMAND odr_fmsb)
    add_dependencies(check-odr odr_fmsb)
  endif()
endif()

if(TARGET bench_compile)
  fmsb_check(compile-cost COMMAND ${CMAKE_COMMAND} -E echo "compile cost: within budget" DEPENDS bench_compile)
endif()

# Blocks of the pages are compiled with every include folder of the library, and linked with all that it links.
if(FMSB_HAS_TORCH)
  ProcessorCount(cores)
  set(precompiled)
  if(TARGET fmsb_torch_pch AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}}")
    list(TRANSFORM flags PREPEND --flag=)
    set(precompiled --precompiled=${PROJECT_BINARY_DIR}/CMakeFiles/fmsb_torch_pch.dir/cmake_pch.hxx ${flags})
  endif()
  fmsb_check(docs COMMAND scripts/checks/docs --compiler ${CMAKE_CXX_COMPILER} --jobs ${cores} ${precompiled}
    "--flag=-D$<JOIN:$<TARGET_PROPERTY:fmsb_module_headers_alone,COMPILE_DEFINITIONS>,;--flag=-D>"
    --system ${FmsbTorch_ROOT}/include --system ${FmsbTorch_ROOT}/include/torch/csrc/api/include
    --link=-Wl,-rpath,${FmsbTorch_ROOT}/lib --link=${FmsbTorch_torch_cpu} --link=${FmsbTorch_c10}
    --link=$<TARGET_FILE:fmt::fmt> --link=-lz
    --programs ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} --cache ${PROJECT_BINARY_DIR}/docs-passed)
  if(TARGET auto_ar)
    add_dependencies(check-docs auto_ar)
  endif()
  if(precompiled)
    add_dependencies(check-docs fmsb_torch_pch)
  endif()
endif()
