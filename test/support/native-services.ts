// The native work that the library asks of the process, as far as the addon of this machine does it.

import { native } from '../../src/native/index.js';
import type { NativeServices } from '../../stdlib/services.js';

/** crypt(3); undefined where the addon is not built. */
export function nativeServices(): NativeServices | undefined {
  const { passwords } = native();
  return passwords.kind === 'available' ? passwords.part : undefined;
}
