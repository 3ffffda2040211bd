// Opens the system's PCRE2. RTLD_LOCAL: the library's names must not meet a plugin's.

#include "pcre2-library.h"

#include <dlfcn.h>

#include <string>

namespace pcre2 {
namespace {

constexpr const char* FILE_NAME = "libpcre2-8.so.0";

Library found;
std::string problem;

template <typename F>
void find(void* handle, const char* name, F& into) {
  into = reinterpret_cast<F>(dlsym(handle, name));
  if (into == nullptr && problem.empty()) problem = std::string(FILE_NAME) + " has no function " + name;
}

/** @returns whether every function was found. */
bool open() {
  void* handle = dlopen(FILE_NAME, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    problem = reason != nullptr ? reason : std::string(FILE_NAME) + " cannot be opened";
    return false;
  }
  find(handle, "pcre2_config_8", found.config);
  find(handle, "pcre2_compile_context_create_8", found.compileContextCreate);
  find(handle, "pcre2_set_compile_extra_options_8", found.setCompileExtraOptions);
  find(handle, "pcre2_compile_context_free_8", found.compileContextFree);
  find(handle, "pcre2_compile_8", found.compile);
  find(handle, "pcre2_code_free_8", found.codeFree);
  find(handle, "pcre2_jit_compile_8", found.jitCompile);
  find(handle, "pcre2_pattern_info_8", found.patternInfo);
  find(handle, "pcre2_get_error_message_8", found.getErrorMessage);
  find(handle, "pcre2_match_context_create_8", found.matchContextCreate);
  find(handle, "pcre2_match_context_free_8", found.matchContextFree);
  find(handle, "pcre2_set_match_limit_8", found.setMatchLimit);
  find(handle, "pcre2_set_depth_limit_8", found.setDepthLimit);
  find(handle, "pcre2_set_heap_limit_8", found.setHeapLimit);
  find(handle, "pcre2_set_callout_8", found.setCallout);
  find(handle, "pcre2_match_data_create_8", found.matchDataCreate);
  find(handle, "pcre2_match_data_free_8", found.matchDataFree);
  find(handle, "pcre2_get_ovector_pointer_8", found.getOvectorPointer);
  find(handle, "pcre2_match_8", found.match);
  return problem.empty();
}

}  // namespace

const Library* library() {
  static const bool usable = open();
  return usable ? &found : nullptr;
}

const char* libraryProblem() { return library() != nullptr ? "" : problem.c_str(); }

}  // namespace pcre2
