// crypt(3) of the system, for the library function of that name. It is slow on purpose (tens of milliseconds, more when the
// salt asks for it), so it runs on a thread of libuv's pool. The library is opened at run time, as PCRE2 is: libxcrypt on
// Debian, with the old functions of glibc as its subset.
//
// Password and working memory are wiped when they are done with.

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "parts.h"
#include "script-calls.h"

namespace {

constexpr const char* FILE_NAME = "libcrypt.so.1";
/** CRYPT_MAX_PASSPHRASE_SIZE and CRYPT_OUTPUT_SIZE of libxcrypt; longer ones have no result there. */
constexpr size_t LONGEST_KEY = 512;
constexpr size_t LONGEST_SALT = 384;
/** Room for a struct crypt_data: 32,768 bytes in libxcrypt, 131,232 in glibc. */
constexpr size_t WORKING_BYTES = 256 * 1024;

using CryptFunction = char* (*)(const char* key, const char* salt, void* data);

struct Library {
  CryptFunction crypt = nullptr;
  std::string problem;
};

Library open() {
  Library found;
  void* handle = dlopen(FILE_NAME, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    found.problem = reason != nullptr ? reason : std::string(FILE_NAME) + " cannot be opened";
    return found;
  }
  found.crypt = reinterpret_cast<CryptFunction>(dlsym(handle, "crypt_r"));
  if (found.crypt == nullptr) found.problem = std::string(FILE_NAME) + " has no function crypt_r";
  return found;
}

const Library& library() {
  static const Library opened = open();
  return opened;
}

/** One call on its way through the pool. */
struct Job {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  std::string key;
  std::string salt;
  std::string hash;

  ~Job() { explicit_bzero(&key[0], key.size()); }
};

void runJob(napi_env, void* data) {
  Job* job = static_cast<Job*>(data);
  void* working = calloc(1, WORKING_BYTES);
  if (working == nullptr) return;
  const char* hash = library().crypt(job->key.c_str(), job->salt.c_str(), working);
  // libxcrypt says "no" with a text that is no hash: "*0", or "*1" where the salt was "*0".
  if (hash != nullptr && hash[0] != '*') job->hash.assign(hash, strnlen(hash, LONGEST_SALT));
  explicit_bzero(working, WORKING_BYTES);
  free(working);
}

void finishJob(napi_env env, napi_status, void* data) {
  Job* job = static_cast<Job*>(data);
  napi_value result = job->hash.empty() ? script::undefinedValue(env)
                                        : script::latin1(env, job->hash.data(), job->hash.size());
  napi_resolve_deferred(env, job->deferred, result);
  napi_delete_async_work(env, job->work);
  delete job;
}

bool fits(const std::string& text, size_t longest) {
  return text.size() <= longest && text.find('\0') == std::string::npos;
}

/** crypt(key, salt): a promise of the hash, or of undefined when the library has none for these. */
napi_value cryptText(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count < 2)
    return script::undefinedValue(env);
  Job* job = new Job;
  job->key = script::bytes(env, args[0]);
  job->salt = script::bytes(env, args[1]);
  napi_value promise = nullptr, name = script::latin1(env, "argonite:crypt");
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok) {
    delete job;
    return script::undefinedValue(env);
  }
  bool started = fits(job->key, LONGEST_KEY) && fits(job->salt, LONGEST_SALT) &&
                 napi_create_async_work(env, nullptr, name, runJob, finishJob, job, &job->work) == napi_ok &&
                 napi_queue_async_work(env, job->work) == napi_ok;
  if (!started) {
    napi_resolve_deferred(env, job->deferred, script::undefinedValue(env));
    if (job->work != nullptr) napi_delete_async_work(env, job->work);
    delete job;
  }
  return promise;
}

}  // namespace

void addPasswords(napi_env env, napi_value exports) {
  napi_value part = script::object(env);
  if (library().crypt == nullptr)
    script::set(env, part, "problem", script::latin1(env, library().problem.c_str()));
  else
    script::setFunction(env, part, "crypt", cryptText);
  script::set(env, exports, "passwords", part);
}
