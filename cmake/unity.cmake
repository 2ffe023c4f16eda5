# A folder of a library is compiled as one: g++ spends most of its time on headers and templates that every file of it
# shares. So a name in an anonymous namespace is one of its folder. WALSTORM_UNITY=OFF compiles file by file, as `./dev
# lint` does: there each file has to include what it needs.
option(WALSTORM_UNITY "Compile a library's folders each as one" ON)

function(walstorm_unity target)
  if(NOT WALSTORM_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    get_filename_component(folder ${source} DIRECTORY)
    if(IS_ABSOLUTE ${source} OR NOT source MATCHES "\\.cpp$")
      continue()  # generated
    endif()
    if(folder STREQUAL "")
      set(folder top)
    endif()
    string(REPLACE "/" "_" folder ${folder})
    set_property(SOURCE ${source} PROPERTY UNITY_GROUP ${folder})
  endforeach()
endfunction()
