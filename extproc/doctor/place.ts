import type { Path } from './setting.ts';

/** A path as people read it: `static_resources.listeners[0].name`. */
export function dotted(path: Path): string {
  return path
    .map((part) =>
      typeof part === 'number' ? `[${part}]` : /^[\w-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`,
    )
    .join('')
    .replace(/^\./, '');
}
