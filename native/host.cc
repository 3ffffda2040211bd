// System calls for a daemon on its host that Node does not have: sockets that are bound and do not listen yet, limits, and
// datagrams to the service manager.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "parts.h"
#include "script-calls.h"

namespace {

/** Binds a new socket. Returns its descriptor, or an errno below 0. */
int boundTo(const sockaddr* address, socklen_t length) {
  const int family = address->sa_family;
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  const int off = 0;
  // As libuv does: the connections of a daemon that has just ended are no obstacle.
  if (family != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "::" means IPv4, too, whatever the system's default.
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd, address, length) != 0) {
    const int problem = errno;
    close(fd);
    return -problem;
  }
  return fd;
}

/** Puts a path into an address; "@" at its begin is an abstract one. Returns the length, 0 when it is too long. */
socklen_t unixAddress(const std::string& path, sockaddr_un* address) {
  address->sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address->sun_path) return 0;
  memcpy(address->sun_path, path.data(), path.size());
  // An abstract name is exactly as long as it is said to be; zeros would be part of it.
  if (path[0] != '@') return sizeof *address;
  address->sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
}

/** bindSocket(ip, port): a TCP socket that is bound; "" is every address of IPv6 and IPv4. A descriptor, or an errno below 0. */
napi_value bindSocket(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  uint32_t port = 0;
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count < 2 ||
      napi_get_value_uint32(env, args[1], &port) != napi_ok || port > 65535)
    return script::integer(env, -EINVAL);
  const std::string ip = script::bytes(env, args[0]);
  sockaddr_in four = {};
  four.sin_family = AF_INET;
  four.sin_port = htons(static_cast<uint16_t>(port));
  sockaddr_in6 six = {};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(static_cast<uint16_t>(port));
  if (ip.empty()) {
    const int fd = boundTo(reinterpret_cast<const sockaddr*>(&six), sizeof six);
    if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL) return script::integer(env, fd);
  }
  if (ip.empty() || inet_pton(AF_INET, ip.c_str(), &four.sin_addr) == 1)
    return script::integer(env, boundTo(reinterpret_cast<const sockaddr*>(&four), sizeof four));
  if (inet_pton(AF_INET6, ip.c_str(), &six.sin6_addr) != 1) return script::integer(env, -EINVAL);
  return script::integer(env, boundTo(reinterpret_cast<const sockaddr*>(&six), sizeof six));
}

/** bindPath(path): a UNIX stream socket that is bound to a path. A descriptor, or an errno below 0. */
napi_value bindPath(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1];
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count < 1)
    return script::integer(env, -EINVAL);
  sockaddr_un address = {};
  const socklen_t length = unixAddress(script::bytes(env, args[0]), &address);
  if (length == 0) return script::integer(env, -ENAMETOOLONG);
  return script::integer(env, boundTo(reinterpret_cast<const sockaddr*>(&address), length));
}

/** raiseOpenFiles(count): lets the process have that many files open. 0, or an errno below 0. */
napi_value raiseOpenFiles(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1];
  int64_t wanted = 0;
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_get_value_int64(env, args[0], &wanted) != napi_ok || wanted < 1)
    return script::integer(env, -EINVAL);
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return script::integer(env, -errno);
  const rlim_t files = static_cast<rlim_t>(wanted);
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= files) return script::integer(env, 0);
  limit.rlim_cur = files;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < files) limit.rlim_max = files;
  return script::integer(env, setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno);
}

/**
 * sendDatagram(path, bytes): one datagram to a UNIX socket, "@" at the begin of an abstract one's name. Never waits. 0, or an
 * errno below 0.
 */
napi_value sendDatagram(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  if (napi_get_cb_info(env, info, &count, args, nullptr, nullptr) != napi_ok || count < 2)
    return script::integer(env, -EINVAL);
  sockaddr_un address = {};
  const socklen_t length = unixAddress(script::bytes(env, args[0]), &address);
  if (length == 0) return script::integer(env, -ENAMETOOLONG);
  const std::string text = script::bytes(env, args[1]);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return script::integer(env, -errno);
  const ssize_t sent = sendto(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), length);
  const int problem = sent < 0 ? errno : 0;
  close(fd);
  return script::integer(env, -problem);
}

}  // namespace

void addHost(napi_env env, napi_value exports) {
  napi_value part = script::object(env);
  script::setFunction(env, part, "bindSocket", bindSocket);
  script::setFunction(env, part, "bindPath", bindPath);
  script::setFunction(env, part, "raiseOpenFiles", raiseOpenFiles);
  script::setFunction(env, part, "sendDatagram", sendDatagram);
  script::set(env, exports, "host", part);
}
