# Finds LibTorch and offers it as `fmsb::torch`, with full paths only, so that a LibTorch in the
# system's library folders can never be picked up beside it.
#
# Looked for, first match wins; each may be a LibTorch folder, a Python `torch` package folder, or a
# prefix that holds one as `torch/`, `libtorch/` or `lib/python3*/site-packages/torch`:
#   1. FMSB_TORCH_ROOT, as a CMake variable or in the environment (nothing else is tried then);
#   2. a LibTorch that this project already found through find_package(Torch);
#   3. every entry of CMAKE_PREFIX_PATH;
#   4. the LibTorch that an installed fmsb was configured with;
#   5. the virtual environment `.venv` beside the project's CMakeLists.txt;
#   6. the torch package of `python3`.
#
# Why not find_package(Torch): a CUDA wheel's own package file demands the CUDA toolkit even where only
# CPU code is linked, and adds compile definitions of its own.
#
# Result: FmsbTorch_FOUND (if not, FmsbTorch_REASON), FmsbTorch_ROOT, FmsbTorch_VERSION, target fmsb::torch.
# FMSB_CUDA adds the CUDA half.

function(_fmsb_torch_version root result)
  set(${result} "" PARENT_SCOPE)
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(NOT EXISTS ${root}/include/${header})
      continue()
    endif()
    file(STRINGS ${root}/include/${header} lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    string(REGEX REPLACE "[^;]* ([0-9]+)" "\\1" numbers "${lines}")
    list(LENGTH numbers count)
    if(count EQUAL 3)
      list(JOIN numbers "." version)
      set(${result} ${version} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# Folders under `prefix` that look like a LibTorch, `prefix` itself included.
function(_fmsb_torch_below prefix result)
  file(GLOB in_python LIST_DIRECTORIES true ${prefix}/lib/python3*/site-packages/torch)
  set(found)
  foreach(folder ${prefix} ${prefix}/torch ${prefix}/libtorch ${in_python})
    if(EXISTS ${folder}/include/ATen/ATen.h AND IS_DIRECTORY ${folder}/lib)
      list(APPEND found ${folder})
    endif()
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

if(NOT FMSB_TORCH_ROOT AND DEFINED ENV{FMSB_TORCH_ROOT})
  set(_fmsb_torch_named "$ENV{FMSB_TORCH_ROOT}")
else()
  set(_fmsb_torch_named "${FMSB_TORCH_ROOT}")
endif()

set(_fmsb_torch_candidates)
if(_fmsb_torch_named)
  set(_fmsb_torch_places "${_fmsb_torch_named}")
else()
  set(_fmsb_torch_places ${TORCH_INSTALL_PREFIX} ${CMAKE_PREFIX_PATH})
  if(DEFINED ENV{CMAKE_PREFIX_PATH})
    string(REPLACE ":" ";" _fmsb_torch_environment "$ENV{CMAKE_PREFIX_PATH}")
    list(APPEND _fmsb_torch_places ${_fmsb_torch_environment})
  endif()
  list(APPEND _fmsb_torch_places ${FmsbTorch_CONFIGURED_ROOT} ${PROJECT_SOURCE_DIR}/.venv ${CMAKE_SOURCE_DIR}/.venv)
endif()
foreach(_fmsb_torch_place ${_fmsb_torch_places})
  _fmsb_torch_below("${_fmsb_torch_place}" _fmsb_torch_below)
  list(APPEND _fmsb_torch_candidates ${_fmsb_torch_below})
endforeach()
if(NOT _fmsb_torch_named AND NOT _fmsb_torch_candidates)
  find_program(FMSB_TORCH_PYTHON NAMES python3 DOC "The Python that is asked where its torch package lies")
  mark_as_advanced(FMSB_TORCH_PYTHON)
  if(FMSB_TORCH_PYTHON)
    execute_process(  # find_spec does not import torch
      COMMAND ${FMSB_TORCH_PYTHON} -c
        "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE _fmsb_torch_python OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(_fmsb_torch_python)
      _fmsb_torch_below("${_fmsb_torch_python}" _fmsb_torch_candidates)
    endif()
  endif()
endif()

set(FmsbTorch_ROOT "")
set(FmsbTorch_VERSION "")
set(_fmsb_torch_refused "")
foreach(_fmsb_torch_candidate ${_fmsb_torch_candidates})
  _fmsb_torch_version(${_fmsb_torch_candidate} _fmsb_torch_candidate_version)
  if(FmsbTorch_FIND_VERSION AND _fmsb_torch_candidate_version VERSION_LESS FmsbTorch_FIND_VERSION)
    string(APPEND _fmsb_torch_refused
      " ${_fmsb_torch_candidate} holds version ${_fmsb_torch_candidate_version}, which is older than "
      "${FmsbTorch_FIND_VERSION}.")
    continue()
  endif()
  set(FmsbTorch_ROOT ${_fmsb_torch_candidate})
  set(FmsbTorch_VERSION ${_fmsb_torch_candidate_version})
  break()
endforeach()

# Looked up afresh in every configure: a cached path would outlive a change of FMSB_TORCH_ROOT.
set(_fmsb_torch_parts torch_cpu c10)
if(FMSB_CUDA)
  list(APPEND _fmsb_torch_parts torch_cuda c10_cuda)
endif()
set(_fmsb_torch_required FmsbTorch_ROOT)
foreach(_fmsb_torch_part ${_fmsb_torch_parts})
  unset(FmsbTorch_${_fmsb_torch_part} CACHE)
  unset(FmsbTorch_${_fmsb_torch_part})
  if(FmsbTorch_ROOT)
    find_library(FmsbTorch_${_fmsb_torch_part} NAMES ${_fmsb_torch_part} PATHS ${FmsbTorch_ROOT}/lib
                 NO_DEFAULT_PATH NO_CACHE)
  endif()
  list(APPEND _fmsb_torch_required FmsbTorch_${_fmsb_torch_part})
endforeach()

string(CONCAT FmsbTorch_REASON  # no semicolons: the text passes through lists
  "fmsb needs LibTorch 2.11 or newer.${_fmsb_torch_refused} Looked at FMSB_TORCH_ROOT, CMAKE_PREFIX_PATH, the "
  "project's .venv and python3's torch package. scripts/setup installs one into .venv, -DFMSB_TORCH_ROOT=<folder "
  "with include/ and lib/> points at yours, -DFMSB_TORCH=OFF builds the torch-free half.")
if(_fmsb_torch_named AND NOT FmsbTorch_ROOT)
  string(CONCAT FmsbTorch_REASON
    "FMSB_TORCH_ROOT is ${_fmsb_torch_named}, and no LibTorch 2.11 or newer lies there."
    "${_fmsb_torch_refused} Give the folder that holds include/ and lib/.")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FmsbTorch REQUIRED_VARS ${_fmsb_torch_required}
  VERSION_VAR FmsbTorch_VERSION REASON_FAILURE_MESSAGE "${FmsbTorch_REASON}")

if(FmsbTorch_FOUND AND NOT TARGET fmsb::torch)
  foreach(_fmsb_torch_part ${_fmsb_torch_parts})
    add_library(fmsb::torch_${_fmsb_torch_part} SHARED IMPORTED GLOBAL)
    set_target_properties(fmsb::torch_${_fmsb_torch_part} PROPERTIES
      IMPORTED_LOCATION ${FmsbTorch_${_fmsb_torch_part}})
  endforeach()
  add_library(fmsb::torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(fmsb::torch SYSTEM INTERFACE
    ${FmsbTorch_ROOT}/include ${FmsbTorch_ROOT}/include/torch/csrc/api/include)
  target_compile_features(fmsb::torch INTERFACE cxx_std_20)
  target_link_libraries(fmsb::torch INTERFACE fmsb::torch_torch_cpu fmsb::torch_c10)
  if(FMSB_CUDA)
    find_package(CUDAToolkit REQUIRED)
    # The CUDA half registers itself when loaded: no symbol of it is named, so the linker must keep it.
    target_link_libraries(fmsb::torch INTERFACE -Wl,--no-as-needed fmsb::torch_torch_cuda fmsb::torch_c10_cuda
                          -Wl,--as-needed CUDA::cudart)
  endif()
endif()
