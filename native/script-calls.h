// The few words of N-API that every part of the addon needs. A failed N-API call means a bug of ours or a dying
// environment: the function returns what it has, and JavaScript sees the pending exception or undefined.

#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>

/** Host functions that plugins look up by name carry this mark; everything else stays hidden (-fvisibility=hidden). */
#define ARGONITE_EXPORT extern "C" __attribute__((visibility("default")))

namespace script {

inline napi_value undefinedValue(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

inline napi_value number(napi_env env, double from) {
  napi_value value = nullptr;
  napi_create_double(env, from, &value);
  return value;
}

inline napi_value integer(napi_env env, int32_t from) {
  napi_value value = nullptr;
  napi_create_int32(env, from, &value);
  return value;
}

inline napi_value latin1(napi_env env, const char* text, size_t length = NAPI_AUTO_LENGTH) {
  napi_value value = nullptr;
  napi_create_string_latin1(env, text, length, &value);
  return value;
}

inline void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

inline napi_value object(napi_env env) {
  napi_value value = nullptr;
  napi_create_object(env, &value);
  return value;
}

inline void setFunction(napi_env env, napi_value object, const char* name, napi_callback run, void* data = nullptr) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, run, data, &function) == napi_ok)
    set(env, object, name, function);
}

/** The bytes of a script string (one character each). */
inline std::string bytes(napi_env env, napi_value from) {
  size_t length = 0;
  if (napi_get_value_string_latin1(env, from, nullptr, 0, &length) != napi_ok) return std::string();
  std::string text(length + 1, '\0');
  napi_get_value_string_latin1(env, from, &text[0], length + 1, &length);
  text.resize(length);
  return text;
}

}  // namespace script
