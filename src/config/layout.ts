import { existsSync } from 'node:fs';
import path from 'node:path';

/** Where things are in a configuration folder: packed beside each other, or a source tree (queue-and-config 8.2). */
export interface Layout {
  readonly yaml: string;
  readonly hooks: string;
  readonly files: string;
}

export function layoutOf(folder: string): Layout {
  const tree = path.join(folder, 'src');
  if (!existsSync(path.join(folder, 'smtpd.yaml')) && existsSync(path.join(tree, 'config', 'smtpd.yaml'))) {
    return {
      yaml: path.join(tree, 'config'),
      hooks: path.join(tree, 'hooks'),
      files: path.join(tree, 'files'),
    };
  }
  return { yaml: folder, hooks: path.join(folder, 'hooks'), files: path.join(folder, 'files') };
}
