// The door of src/native: the only place of the daemon that touches the addon.

export { loadNative, type Missing, type Native, native, type Part } from './addon.js';
export { assetPath, packageRoot, packageVersion } from './asset.js';
export type { HostLibrary } from './host-library.js';
export type { PasswordLibrary } from './password-library.js';
export {
  badEscapeIsLiteral,
  compileOption,
  type MatchLimits,
  type MatchResult,
  type NativePattern,
  type PatternLibrary,
} from './pattern-library.js';
export type { SocketLibrary } from './socket-library.js';
