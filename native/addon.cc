// The one native addon: each part adds an object of functions to the exports. A part never looks at another part.
// The file is loaded with RTLD_GLOBAL, so what is marked ARGONITE_EXPORT can be found by plugins that are opened later.

#include "parts.h"
#include "script-calls.h"

NAPI_MODULE_INIT() {
  addPatterns(env, exports);
  addPasswords(env, exports);
  addSockets(env, exports);
  addHost(env, exports);
  return exports;
}
