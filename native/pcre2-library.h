// The part of PCRE2's interface that we use, written down by hand: the library is opened at run time, so that building
// needs no -dev package and a machine without it still runs the daemon. Names and numbers as in pcre2api(3), 8-bit form.

#pragma once

#include <cstddef>
#include <cstdint>

namespace pcre2 {

struct Code;
struct CompileContext;
struct MatchContext;
struct MatchData;

constexpr size_t UNSET = ~static_cast<size_t>(0);

constexpr uint32_t UTF = 0x00080000u;
constexpr uint32_t NEVER_BACKSLASH_C = 0x00100000u;
constexpr uint32_t NO_UTF_CHECK = 0x40000000u;
constexpr uint32_t NO_JIT = 0x00002000u;
constexpr uint32_t JIT_COMPLETE = 0x00000001u;

constexpr int ERROR_NOMATCH = -1;
constexpr int ERROR_CALLOUT = -37;
constexpr int ERROR_JIT_STACKLIMIT = -46;
constexpr int ERROR_NOMEMORY = -48;

constexpr uint32_t INFO_ALLOPTIONS = 0;
constexpr uint32_t INFO_CAPTURECOUNT = 4;
constexpr uint32_t INFO_JITSIZE = 10;
constexpr uint32_t INFO_NAMECOUNT = 17;
constexpr uint32_t INFO_NAMEENTRYSIZE = 18;
constexpr uint32_t INFO_NAMETABLE = 19;
constexpr uint32_t INFO_SIZE = 22;

constexpr uint32_t CONFIG_VERSION = 11;

/** Called before the first item of a pattern, once for every place where a match may begin. The block is not read. */
using Callout = int (*)(void* block, void* data);

/** The functions, found once per process and never given back. */
struct Library {
  int (*config)(uint32_t what, void* where);
  CompileContext* (*compileContextCreate)(void* general);
  int (*setCompileExtraOptions)(CompileContext*, uint32_t options);
  void (*compileContextFree)(CompileContext*);
  Code* (*compile)(const uint8_t* pattern, size_t length, uint32_t options, int* error, size_t* offset,
                   CompileContext*);
  void (*codeFree)(Code*);
  int (*jitCompile)(Code*, uint32_t options);
  int (*patternInfo)(const Code*, uint32_t what, void* where);
  int (*getErrorMessage)(int error, uint8_t* buffer, size_t size);
  MatchContext* (*matchContextCreate)(void* general);
  void (*matchContextFree)(MatchContext*);
  int (*setMatchLimit)(MatchContext*, uint32_t);
  int (*setDepthLimit)(MatchContext*, uint32_t);
  int (*setHeapLimit)(MatchContext*, uint32_t kibibytes);
  int (*setCallout)(MatchContext*, Callout, void* data);
  MatchData* (*matchDataCreate)(uint32_t pairs, void* general);
  void (*matchDataFree)(MatchData*);
  size_t* (*getOvectorPointer)(MatchData*);
  int (*match)(const Code*, const uint8_t* subject, size_t length, size_t start, uint32_t options, MatchData*,
               MatchContext*);
};

/** Any thread. @returns the library, or nullptr when it cannot be used; `libraryProblem` then says why. */
const Library* library();
const char* libraryProblem();

}  // namespace pcre2
