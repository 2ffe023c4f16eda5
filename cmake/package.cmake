# `cpack -G DEB` in a build folder: a package for the distribution it was built on. Which libraries it needs is read
# from the programs (dpkg-shlibdeps); a private server needs PostgreSQL's own package, so that one is recommended.
set(CPACK_PACKAGE_NAME walstorm)
set(CPACK_PACKAGE_CONTACT "walstorm maintainers <maintainers@walstorm.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES OFF)  # 3 MB of symbols: profiles would have no names
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql, libgoogle-perftools4t64 | libgoogle-perftools4")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS clickhouse-server)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
include(CPack)
