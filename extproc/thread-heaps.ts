import { setFlagsFromString } from 'node:v8';

/** Of one half of the young generation, in MiB. */
const threadSemiSpaceMax = 4;

/**
 * The thread that answers Envoy has a young generation in which an exchange lives and dies (tools/runtime.json); what is
 * moved out of it is what the collection of the whole heap costs. Threads that are started from now on do with less.
 */
export function keepThreadHeapsSmall(): void {
  setFlagsFromString(`--max-semi-space-size=${threadSemiSpaceMax}`);
}
