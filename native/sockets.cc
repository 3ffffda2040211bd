// System calls on sockets that Node does not have.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

// The system's headers have it under its name only since Linux 4.15.
constexpr int kIpv6Freebind = 78;

/** Binds a socket to an address, whoever has it. Returns 0 or an errno. */
int bindAnywhere(int fd, int family, const sockaddr* address, socklen_t length) {
  const int on = 1;
  const int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  const int freebind = family == AF_INET ? IP_FREEBIND : kIpv6Freebind;
  if (setsockopt(fd, level, freebind, &on, sizeof on) != 0) return errno;
  // Only with this do packets leave from an address that no route calls local; it takes CAP_NET_ADMIN or CAP_NET_RAW. Where
  // there is such a route nothing else is needed, so a refusal is not the last word: connecting tells.
  setsockopt(fd, level, family == AF_INET ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on, sizeof on);
  return bind(fd, address, length) == 0 ? 0 : errno;
}

/**
 * nonlocalSocket(ip): a TCP socket that comes from an address which need not be of this machine, not connected yet: its descriptor,
 * or an errno below 0.
 */
napi_value nonlocalSocket(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1];
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count < 1)
    return script::integer(env, -EINVAL);
  const std::string ip = script::bytes(env, args[0]);
  sockaddr_in four = {};
  sockaddr_in6 six = {};
  const bool isFour = inet_pton(AF_INET, ip.c_str(), &four.sin_addr) == 1;
  if (!isFour && inet_pton(AF_INET6, ip.c_str(), &six.sin6_addr) != 1) return script::integer(env, -EINVAL);
  const int family = isFour ? AF_INET : AF_INET6;
  four.sin_family = AF_INET;
  six.sin6_family = AF_INET6;
  const sockaddr* address =
      isFour ? reinterpret_cast<const sockaddr*>(&four) : reinterpret_cast<const sockaddr*>(&six);
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return script::integer(env, -errno);
  const int problem = bindAnywhere(fd, family, address, isFour ? sizeof four : sizeof six);
  if (problem != 0) {
    close(fd);
    return script::integer(env, -problem);
  }
  return script::integer(env, fd);
}

}  // namespace

void addSockets(napi_env env, napi_value exports) {
  napi_value part = script::object(env);
  script::setFunction(env, part, "peerUser", peerUser);
  script::setFunction(env, part, "nonlocalSocket", nonlocalSocket);
  script::set(env, exports, "sockets", part);
}
