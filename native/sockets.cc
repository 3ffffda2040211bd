// System calls on sockets that Node does not have.

#include <sys/socket.h>

#include "parts.h"
#include "script-calls.h"

namespace {

/** peerUser(fd): the user id of the process at the other end of a UNIX socket; undefined for other descriptors. */
napi_value peerUser(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1];
  int32_t fd = -1;
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_get_value_int32(env, args[0], &fd) != napi_ok)
    return script::undefinedValue(env);
  // The kernel answers for TCP too, with an id that means nothing.
  int domain = 0;
  socklen_t length = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_UNIX)
    return script::undefinedValue(env);
  struct ucred peer = {};
  length = sizeof peer;
  napi_value user = nullptr;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
      napi_create_uint32(env, peer.uid, &user) != napi_ok)
    return script::undefinedValue(env);
  return user;
}

}  // namespace

void addSockets(napi_env env, napi_value exports) {
  napi_value part = script::object(env);
  script::setFunction(env, part, "peerUser", peerUser);
  script::set(env, exports, "sockets", part);
}
