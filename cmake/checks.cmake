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
fmsb_check(headers COMMAND ${CMAKE_COMMAND} -E echo "headers: each compiles alone"
           DEPENDS all_verify_interface_header_sets)
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
  fmsb_check(docs COMMAND scripts/checks/docs --compiler ${CMAKE_CXX_COMPILER} --jobs ${cores}
    --system ${FmsbTorch_ROOT}/include --system ${FmsbTorch_ROOT}/include/torch/csrc/api/include
    --link=-Wl,-rpath,${FmsbTorch_ROOT}/lib --link=${FmsbTorch_torch_cpu} --link=${FmsbTorch_c10}
    --link=$<TARGET_FILE:fmt::fmt> --link=-lz
    --programs ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} --cache ${PROJECT_BINARY_DIR}/docs-passed)
  if(TARGET auto_ar)
    add_dependencies(check-docs auto_ar)
  endif()
endif()
