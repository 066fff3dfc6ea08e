import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from '../../builders/directory.ts';

/** A machine of one's own for a test: a PATH, a home and a tool cache with nothing in them but what the test puts there. */
export type Machine = {
  readonly root: string;
  readonly bin: string;
  readonly cache: string;
  readonly env: Record<string, string>;
  /** Puts a shell script with this body on PATH. */
  command(name: string, body: string): string;
  /** Makes a command of the real machine available under the same name. */
  borrow(name: string): void;
};

export function emptyMachine(test: TestContext): Machine {
  const root = temporaryDirectory(test);
  const bin = join(root, 'bin');
  mkdirSync(bin);
  return {
    root,
    bin,
    cache: join(root, 'cache', 'skilltape'),
    env: { PATH: bin, HOME: join(root, 'home'), XDG_CACHE_HOME: join(root, 'cache') },
    command: (name, body) => script(join(bin, name), body),
    borrow: (name) => symlinkSync(findCommand(name), join(bin, name)),
  };
}

/** An executable shell script; its folder is made too. */
export function script(path: string, body: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Prints what the real tool prints for its version. */
export const versionScripts = {
  envoy: (version: string): string => `echo "envoy  version: 9e55809337/${version}/Clean/RELEASE/BoringSSL"`,
  opa: (version: string): string => `printf 'Version: %s\\nRego Version: v1\\n' ${version}`,
};

/** Prints what Java prints of itself, on standard error as it does. */
export function javaScript(home: string, version: number): string {
  return `printf '    java.home = %s\\n    java.specification.version = %s\\n' '${home}' ${version} >&2`;
}

/** Where a command lies on this machine, passing over what npm puts on PATH; a wrapper that needs PATH would not work. */
export function findCommand(name: string): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (!folder.includes('node_modules') && existsSync(path) && !isScript(path)) return path;
  }
  throw new Error(`this test needs ${name} on PATH`);
}

function isScript(path: string): boolean {
  return readFileSync(path).subarray(0, 2).toString('latin1') === '#!';
}
