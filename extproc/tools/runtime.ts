import { fileURLToPath } from 'node:url';
import own from './runtime.json' with { type: 'json' };

const compiledDirectory = fileURLToPath(new URL(`../../${own.compiled}`, import.meta.url));

/** How skilltape itself is run: as `extproc/bootstrap.mjs` has it, for who starts a process of ours without it. */
export const runtime: { arguments: readonly string[]; environment: Readonly<Record<string, string>> } = {
  arguments: own.arguments,
  environment: { ...own.environment, NODE_COMPILE_CACHE: compiledDirectory },
};
