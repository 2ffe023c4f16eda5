# Run at each build: which commit is being built. The header changes only when the answer does.
#   cmake -D SOURCE_DIR=... -D OUTPUT=... -D PROJECT_VERSION=... -D CMAKE_BUILD_TYPE=... -P version.cmake
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE git_revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT git_revision)
  set(git_revision unknown)  # not a clone, or no git here
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.h.in ${OUTPUT} @ONLY)
