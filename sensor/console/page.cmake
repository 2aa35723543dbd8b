# Builds the page by npm where there is one, and writes the C file that compiles its files in.
#   cmake -DNODE=... -DWEB=... -DPAGE=... -DOUT=... -DMUST=ON|OFF -P page.cmake
# Without node, or when npm can't fetch its packages, the table is empty and the console says so; MUST forbids that.
if(NODE)
  execute_process(COMMAND ${NODE} ${WEB}/build.mjs ${PAGE} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
else()
  set(status "there is no node with npm")
endif()
if(NOT status EQUAL 0)
  if(MUST)
    message(FATAL_ERROR "the console's page can't be built (${status})\n${said}")
  endif()
  message(WARNING "the console is built without its page (${status})\n${said}")
  file(REMOVE_RECURSE ${PAGE})
endif()

set(type_html text/html)
set(type_js text/javascript)
set(type_css text/css)
set(type_txt text/plain)
set(utf8 "; charset=utf-8")
file(GLOB files RELATIVE ${PAGE} ${PAGE}/*)
set(bytes "")
set(names "")
set(rows "")
foreach(file ${files})
  string(REGEX REPLACE "^.*\\." "" suffix ${file})
  if(NOT DEFINED type_${suffix})
    continue()
  endif()
  string(MAKE_C_IDENTIFIER "page_${file}" name)
  file(SHA256 ${PAGE}/${file} hash) # so that this file changes when that one does
  string(APPEND bytes "__asm__(\".section .rodata\\n${name}:\\n.incbin \\\"${PAGE}/${file}\\\"\\n${name}_end:\\n.byte 0\\n.previous\"); /* ${hash} */\n")
  string(APPEND names "extern const unsigned char ${name}[], ${name}_end[];\n")
  string(APPEND rows "\t{ \"/${file}\", \"${type_${suffix}}${utf8}\", ${name}, ${name}_end },\n")
endforeach()
file(WRITE ${OUT} "/* Written by sensor/console/page.cmake: the files of the console's page. */
#include \"sensor/console/page.h\"

${bytes}
${names}
const struct page_file page_files[] = {
${rows}\t{ 0, 0, 0, 0 },
};
")
