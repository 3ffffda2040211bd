// What addon.cc puts together. Every part is safe to add once per environment: worker threads load the addon, too.

#pragma once

#include <node_api.h>

/** `patterns`: PCRE2. */
void addPatterns(napi_env env, napi_value exports);

/** `passwords`: crypt(3). */
void addPasswords(napi_env env, napi_value exports);

/** `sockets`: system calls that Node lacks. */
void addSockets(napi_env env, napi_value exports);

/** `host`: what a daemon needs of the system it runs on. */
void addHost(napi_env env, napi_value exports);
