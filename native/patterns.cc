// Regular expressions by PCRE2, for the scripting host. Three bounds hold on every match:
//
//   steps    PCRE2's match limit (and depth and heap limits where its interpreter runs); counted by PCRE2 anew at every
//            place where a match may begin, so alone it does not bound a search through a long subject
//   time     a callout before the first item, that is once per such place, looks at the clock
//   memory   the heap limit
//
// A match runs by PCRE2's JIT first. Its stack is 32 KiB; a match that needs more runs again without it.
// Everything here is called on the thread of its environment and returns before anything else runs there.

#include <ctime>

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "parts.h"
#include "pcre2-library.h"
#include "script-calls.h"

namespace {

/** Subject buffers up to this size are kept for the next match. */
constexpr size_t KEPT_BUFFER = 1 << 20;
/** A subject longer than this is worth the JIT at once, and an interpreter's memory for it is not kept. */
constexpr size_t LONG_SUBJECT = 4096;
/** Steps allowed for each byte of the subject, beside the pattern's own number: a long text may take longer. */
constexpr uint32_t STEPS_PER_BYTE = 10;
/** Bytes that a subject buffer holds beyond the subject: the terminator N-API writes. */
constexpr size_t TERMINATOR = 1;

enum class Utf8 { unknown, valid, invalid };

int64_t nanoseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/**
 * A match's time. The coarse clock is a few nanoseconds to read; only when it says that time is up is the thread's own
 * clock asked, since waiting for a processor is not the pattern's fault.
 */
struct Deadline {
  int64_t allowed = 0;
  int64_t coarseEnd = 0;
  int64_t cpuStart = -1;

  void start(int64_t nanos) {
    allowed = nanos;
    coarseEnd = 0;
    cpuStart = -1;
  }

  bool passed() {
    int64_t now = nanoseconds(CLOCK_MONOTONIC_COARSE);
    if (coarseEnd == 0) {
      coarseEnd = now + allowed;
      cpuStart = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
      return false;
    }
    if (now < coarseEnd) return false;
    int64_t left = allowed - (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpuStart);
    if (left <= 0) return true;
    coarseEnd = now + left;
    return false;
  }
};

/** What the patterns of one environment share. */
struct Workshop {
  explicit Workshop(const pcre2::Library* pcre) : pcre(pcre) {}
  ~Workshop() {
    if (data != nullptr) pcre->matchDataFree(data);
    if (context != nullptr) pcre->matchContextFree(context);
    if (compileContext != nullptr) pcre->compileContextFree(compileContext);
  }

  const pcre2::Library* pcre;
  pcre2::CompileContext* compileContext = nullptr;
  pcre2::MatchContext* context = nullptr;
  pcre2::MatchData* data = nullptr;
  uint32_t dataPairs = 0;
  /** Whether the match at hand had to do without the JIT. */
  bool interpreted = false;
  Deadline deadline;
  /** Places tried in this match. */
  uint32_t starts = 0;
  std::vector<char> subject;
  size_t subjectLength = 0;
  Utf8 subjectUtf8 = Utf8::unknown;
};

/** A compiled pattern: owned by the external value that JavaScript holds, freed by its finalizer. */
struct Pattern {
  static constexpr uint32_t MARK = 0x70637265;  // "pcre"
  const uint32_t mark = MARK;
  Workshop* shop;
  pcre2::Code* code;
  bool utf;
  /** Matches without the JIT so far; -1 once it was tried. */
  int runs;
  uint32_t groups;
  uint32_t matchLimit;
  uint32_t heapLimit;
  int64_t time;
  /** Where `exec` writes its result; memory of an Int32Array that `result` keeps alive. */
  int32_t* offsets;
  napi_ref result;
  int64_t accounted;
};

int onStart(void*, void* data) {
  Workshop* shop = static_cast<Workshop*>(data);
  // The first few starts of a match cost nothing: most matches have no more.
  if (++shop->starts < 16) return 0;
  return shop->deadline.passed() ? pcre2::ERROR_CALLOUT : 0;
}

bool isUtf8(const uint8_t* at, size_t length) {
  const uint8_t* end = at + length;
  while (at < end) {
    if (end - at >= 8) {
      uint64_t eight;
      memcpy(&eight, at, 8);
      if ((eight & UINT64_C(0x8080808080808080)) == 0) {
        at += 8;
        continue;
      }
    }
    uint8_t first = *at++;
    if (first < 0x80) continue;
    // RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
    int more;
    uint8_t low = 0x80, high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
      more = 1;
    } else if (first >= 0xe0 && first <= 0xef) {
      more = 2;
      if (first == 0xe0) low = 0xa0;
      if (first == 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      more = 3;
      if (first == 0xf0) low = 0x90;
      if (first == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (end - at < more || *at < low || *at > high) return false;
    for (at++; --more > 0; at++)
      if ((*at & 0xc0) != 0x80) return false;
  }
  return true;
}

uint32_t infoNumber(const Pattern& pattern, uint32_t what) {
  uint32_t value = 0;
  pattern.shop->pcre->patternInfo(pattern.code, what, &value);
  return value;
}

int64_t memoryOf(const Pattern& pattern) {
  size_t size = 0, jitSize = 0;
  pattern.shop->pcre->patternInfo(pattern.code, pcre2::INFO_SIZE, &size);
  pattern.shop->pcre->patternInfo(pattern.code, pcre2::INFO_JITSIZE, &jitSize);
  return static_cast<int64_t>(size + jitSize + sizeof(Pattern));
}

/** Tells V8 what hangs on the small object it sees, so that it collects in time. */
void account(napi_env env, Pattern& pattern) {
  int64_t now = memoryOf(pattern), total = 0;
  napi_adjust_external_memory(env, now - pattern.accounted, &total);
  pattern.accounted = now;
}

void freePattern(napi_env env, void* data, void*) {
  Pattern* pattern = static_cast<Pattern*>(data);
  int64_t total = 0;
  napi_adjust_external_memory(env, -pattern->accounted, &total);
  if (pattern->result != nullptr) napi_delete_reference(env, pattern->result);
  // Not through the workshop: at the environment's end that is gone first.
  pcre2::library()->codeFree(pattern->code);
  delete pattern;
}

void freeWorkshop(void* data) { delete static_cast<Workshop*>(data); }

struct Failure {
  int error = 0;
  size_t offset = 0;
};

pcre2::Code* compileText(Workshop& shop, const std::string& text, uint32_t options, Failure& failure) {
  return shop.pcre->compile(reinterpret_cast<const uint8_t*>(text.data()), text.size(), options, &failure.error,
                            &failure.offset, shop.compileContext);
}

/**
 * The same pattern with the clock's callout in front. A pattern that begins with a setting like `(*CRLF)` does not
 * compile this way and goes without (its steps are still limited). `\E` ends a `\Q` left open, the line end a comment.
 */
pcre2::Code* compileTimed(Workshop& shop, const std::string& source, uint32_t options) {
  Failure ignored;
  pcre2::Code* code = compileText(shop, "(?C1)(?:" + source + "\\E)", options, ignored);
  if (code == nullptr) code = compileText(shop, "(?C1)(?:" + source + "\\E\n)", options, ignored);
  return code;
}

/** With `timed` the clock is looked at; a pattern that is known to end in time searches much faster without. */
pcre2::Code* compileSource(Workshop& shop, const std::string& source, uint32_t options, bool timed, Failure& failure) {
  pcre2::Code* plain = compileText(shop, source, options, failure);
  if (plain == nullptr) return nullptr;
  uint32_t all = 0;
  shop.pcre->patternInfo(plain, pcre2::INFO_ALLOPTIONS, &all);
  if ((all & pcre2::UTF) != 0 && (options & pcre2::NEVER_BACKSLASH_C) == 0) {
    // `(*UTF)` in the pattern itself: again, without `\C`, which could end a match inside a character.
    shop.pcre->codeFree(plain);
    options |= pcre2::NEVER_BACKSLASH_C;
    plain = compileText(shop, source, options, failure);
    if (plain == nullptr) return nullptr;
  }
  pcre2::Code* watched = timed ? compileTimed(shop, source, options) : nullptr;
  if (watched == nullptr) return plain;
  shop.pcre->codeFree(plain);
  return watched;
}

napi_value failureObject(napi_env env, const Workshop& shop, const Failure& failure) {
  uint8_t text[256];
  int length = shop.pcre->getErrorMessage(failure.error, text, sizeof text);
  napi_value result = script::object(env);
  script::set(env, result, "message",
              script::latin1(env, reinterpret_cast<char*>(text), length < 0 ? 0 : static_cast<size_t>(length)));
  script::set(env, result, "offset", script::number(env, static_cast<double>(failure.offset)));
  return result;
}

napi_value namesOf(napi_env env, const Pattern& pattern) {
  uint32_t count = infoNumber(pattern, pcre2::INFO_NAMECOUNT);
  uint32_t size = infoNumber(pattern, pcre2::INFO_NAMEENTRYSIZE);
  const uint8_t* table = nullptr;
  if (count > 0) pattern.shop->pcre->patternInfo(pattern.code, pcre2::INFO_NAMETABLE, &table);
  napi_value list = nullptr;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < count; i++) {
    // Two bytes of group number, then the name with its zero; sorted by name.
    const uint8_t* entry = table + static_cast<size_t>(i) * size;
    napi_value item = script::object(env);
    script::set(env, item, "name", script::latin1(env, reinterpret_cast<const char*>(entry + 2)));
    script::set(env, item, "group", script::integer(env, entry[0] << 8 | entry[1]));
    napi_set_element(env, list, i, item);
  }
  return list;
}

/**
 * compile(source, options, extraOptions, matchLimit, heapKibibytes, milliseconds); without a clock for 0 milliseconds
 * @returns { handle, groupCount, names, offsets } or { message, offset }
 */
napi_value compile(napi_env env, napi_callback_info info) {
  size_t count = 6;
  napi_value args[6];
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, args, nullptr, &data);
  Workshop& shop = *static_cast<Workshop*>(data);
  std::string source = script::bytes(env, args[0]);
  uint32_t options = 0, extra = 0, matchLimit = 0, heapLimit = 0, milliseconds = 0;
  napi_get_value_uint32(env, args[1], &options);
  napi_get_value_uint32(env, args[2], &extra);
  napi_get_value_uint32(env, args[3], &matchLimit);
  napi_get_value_uint32(env, args[4], &heapLimit);
  napi_get_value_uint32(env, args[5], &milliseconds);
  if ((options & pcre2::UTF) != 0) options |= pcre2::NEVER_BACKSLASH_C;
  shop.pcre->setCompileExtraOptions(shop.compileContext, extra);

  Failure failure;
  pcre2::Code* code = compileSource(shop, source, options, milliseconds > 0, failure);
  if (code == nullptr) return failureObject(env, shop, failure);

  Pattern* pattern = new (std::nothrow) Pattern();
  if (pattern == nullptr) {
    shop.pcre->codeFree(code);
    return script::undefinedValue(env);
  }
  pattern->shop = &shop;
  pattern->code = code;
  pattern->utf = (infoNumber(*pattern, pcre2::INFO_ALLOPTIONS) & pcre2::UTF) != 0;
  pattern->groups = infoNumber(*pattern, pcre2::INFO_CAPTURECOUNT);
  pattern->matchLimit = matchLimit;
  pattern->heapLimit = heapLimit;
  pattern->time = static_cast<int64_t>(milliseconds) * 1000000;

  size_t pairs = pattern->groups + 1;
  napi_value buffer = nullptr, offsets = nullptr, handle = nullptr;
  void* memory = nullptr;
  bool made = napi_create_arraybuffer(env, pairs * 2 * sizeof(int32_t), &memory, &buffer) == napi_ok &&
              napi_create_typedarray(env, napi_int32_array, pairs * 2, buffer, 0, &offsets) == napi_ok &&
              napi_create_reference(env, offsets, 1, &pattern->result) == napi_ok &&
              napi_create_external(env, pattern, freePattern, nullptr, &handle) == napi_ok;
  if (!made) {
    freePattern(env, pattern, nullptr);
    return script::undefinedValue(env);
  }
  pattern->offsets = static_cast<int32_t*>(memory);
  account(env, *pattern);

  napi_value result = script::object(env);
  script::set(env, result, "handle", handle);
  script::set(env, result, "groupCount", script::integer(env, static_cast<int32_t>(pattern->groups)));
  script::set(env, result, "names", namesOf(env, *pattern));
  script::set(env, result, "offsets", offsets);
  return result;
}

/** Copies the subject's bytes into the workshop. False when there is no memory or `from` is no string. */
bool takeSubject(napi_env env, Workshop& shop, napi_value from) {
  if (shop.subject.size() > KEPT_BUFFER) std::vector<char>(4096).swap(shop.subject);
  size_t length = 0;
  if (napi_get_value_string_latin1(env, from, shop.subject.data(), shop.subject.size(), &length) != napi_ok)
    return false;
  if (length + TERMINATOR >= shop.subject.size()) {
    // It filled the buffer: it may have been cut.
    if (napi_get_value_string_latin1(env, from, nullptr, 0, &length) != napi_ok) return false;
    try {
      shop.subject.resize(std::max<size_t>(4096, length + length / 4 + 2 * TERMINATOR));
    } catch (const std::bad_alloc&) {
      return false;
    }
    if (napi_get_value_string_latin1(env, from, shop.subject.data(), shop.subject.size(), &length) != napi_ok)
      return false;
  }
  shop.subjectLength = length;
  shop.subjectUtf8 = Utf8::unknown;
  return true;
}

/** Room for the pattern's groups in the shared match data. */
bool takeMatchData(Workshop& shop, uint32_t pairs) {
  if (shop.data != nullptr && shop.dataPairs >= pairs) return true;
  if (shop.data != nullptr) shop.pcre->matchDataFree(shop.data);
  shop.dataPairs = std::max<uint32_t>(pairs, 16);
  shop.data = shop.pcre->matchDataCreate(shop.dataPairs, nullptr);
  return shop.data != nullptr;
}

int runMatch(Pattern& pattern, size_t start, uint32_t options) {
  Workshop& shop = *pattern.shop;
  const pcre2::Library& pcre = *shop.pcre;
  const uint8_t* subject = reinterpret_cast<const uint8_t*>(shop.subject.data());
  uint64_t limit = pattern.matchLimit + static_cast<uint64_t>(STEPS_PER_BYTE) * shop.subjectLength;
  pcre.setMatchLimit(shop.context, static_cast<uint32_t>(std::min<uint64_t>(limit, UINT32_MAX)));
  pcre.setHeapLimit(shop.context, pattern.heapLimit);
  shop.starts = 0;
  shop.deadline.start(pattern.time);
  int result = pcre.match(pattern.code, subject, shop.subjectLength, start, options, shop.data, shop.context);
  if (result != pcre2::ERROR_JIT_STACKLIMIT) return result;
  shop.interpreted = true;
  return pcre.match(pattern.code, subject, shop.subjectLength, start, options | pcre2::NO_JIT, shop.data,
                    shop.context);
}

/** The interpreter leaves its frames in the match data, up to the heap limit: not for longer than this match. */
void dropMatchData(Workshop& shop) {
  shop.pcre->matchDataFree(shop.data);
  shop.data = nullptr;
}

/** A pattern used once is not worth a translation to machine code; its second match pays for it. */
void translate(napi_env env, Pattern& pattern) {
  if (pattern.runs < 0) return;
  if (pattern.runs++ == 0 && pattern.shop->subjectLength <= LONG_SUBJECT) return;
  pattern.runs = -1;
  // Without machine code (a platform that has none, `(*NO_JIT)`) the interpreter goes on.
  pattern.shop->pcre->jitCompile(pattern.code, pcre2::JIT_COMPLETE);
  account(env, pattern);
}

void writeOffsets(Pattern& pattern, int pairs) {
  const size_t* from = pattern.shop->pcre->getOvectorPointer(pattern.shop->data);
  int32_t* to = pattern.offsets;
  for (uint32_t group = 0; group <= pattern.groups; group++) {
    bool set = static_cast<int>(group) < pairs && from[group * 2] != pcre2::UNSET;
    to[group * 2] = set ? static_cast<int32_t>(from[group * 2]) : -1;
    to[group * 2 + 1] = set ? static_cast<int32_t>(from[group * 2 + 1]) : -1;
  }
  // `\K` behind a look-ahead can set the start after the end; scripts get the empty match there.
  if (to[0] > to[1]) to[0] = to[1];
}

/**
 * exec(handle, subject, start, options, sameSubject): the first match at or after `start`; its offsets are in the
 * pattern's Int32Array until its next match. With `sameSubject` the subject of the last exec is used again, uncopied.
 * @returns 1 match, 0 no match, else PCRE2's (negative) error
 */
napi_value exec(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value args[5];
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, args, nullptr, &data);
  Workshop& shop = *static_cast<Workshop*>(data);
  void* held = nullptr;
  int32_t startGiven = 0;
  uint32_t options = 0;
  bool same = false;
  if (count < 5 || napi_get_value_external(env, args[0], &held) != napi_ok || held == nullptr ||
      static_cast<Pattern*>(held)->mark != Pattern::MARK ||
      napi_get_value_int32(env, args[2], &startGiven) != napi_ok ||
      napi_get_value_uint32(env, args[3], &options) != napi_ok || napi_get_value_bool(env, args[4], &same) != napi_ok) {
    napi_throw_type_error(env, nullptr, "exec needs a pattern, a subject, a start, options and whether it is the same");
    return nullptr;
  }
  Pattern& pattern = *static_cast<Pattern*>(held);
  if (!same && !takeSubject(env, shop, args[1])) {
    napi_throw_type_error(env, nullptr, "the subject is not a string, or memory is short");
    return nullptr;
  }
  size_t start = startGiven < 0 ? 0 : static_cast<size_t>(startGiven);
  if (start > shop.subjectLength) return script::integer(env, 0);

  if (pattern.utf) {
    // A subject that is not UTF-8 matches no UTF-8 pattern: this is the one place that says so.
    if (shop.subjectUtf8 == Utf8::unknown)
      shop.subjectUtf8 =
          isUtf8(reinterpret_cast<const uint8_t*>(shop.subject.data()), shop.subjectLength) ? Utf8::valid
                                                                                           : Utf8::invalid;
    if (shop.subjectUtf8 == Utf8::invalid) return script::integer(env, 0);
    // A match begins at a character, never inside one.
    while (start < shop.subjectLength && (shop.subject[start] & 0xc0) == 0x80) start++;
    options |= pcre2::NO_UTF_CHECK;
  }
  if (!takeMatchData(shop, pattern.groups + 1)) return script::integer(env, pcre2::ERROR_NOMEMORY);

  translate(env, pattern);
  shop.interpreted = false;
  int result = runMatch(pattern, start, options);
  if (result > 0) writeOffsets(pattern, result);
  if (shop.interpreted || result < pcre2::ERROR_NOMATCH) dropMatchData(shop);
  if (result > 0) return script::integer(env, 1);
  return script::integer(env, result == pcre2::ERROR_NOMATCH ? 0 : result);
}

}  // namespace

void addPatterns(napi_env env, napi_value exports) {
  napi_value part = script::object(env);
  script::set(env, exports, "patterns", part);
  const pcre2::Library* pcre = pcre2::library();
  if (pcre == nullptr) {
    script::set(env, part, "problem", script::latin1(env, pcre2::libraryProblem()));
    return;
  }
  Workshop* shop = new Workshop(pcre);
  shop->subject.resize(4096);
  shop->compileContext = pcre->compileContextCreate(nullptr);
  shop->context = pcre->matchContextCreate(nullptr);
  if (shop->compileContext == nullptr || shop->context == nullptr) {
    delete shop;
    script::set(env, part, "problem", script::latin1(env, "there is no memory for PCRE2"));
    return;
  }
  pcre->setCallout(shop->context, onStart, shop);
  napi_add_env_cleanup_hook(env, freeWorkshop, shop);

  char version[64] = "";
  pcre->config(pcre2::CONFIG_VERSION, version);
  script::set(env, part, "version", script::latin1(env, version));
  script::setFunction(env, part, "compile", compile, shop);
  script::setFunction(env, part, "exec", exec, shop);
}
