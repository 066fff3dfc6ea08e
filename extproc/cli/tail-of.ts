import type { Config } from '../config/config.ts';
import { revealOf } from './reveal-of.ts';
import type { TailDependencies } from './tail.ts';

/** Policy of the configured data directory; ended by Ctrl-C, as a person ends it. */
export function tailOf(config: () => Config, environment: NodeJS.ProcessEnv): TailDependencies {
  const { groups, policy } = revealOf(config, environment);
  let interrupted: Promise<false> | undefined;
  return {
    groups,
    policy,
    pause(ms) {
      interrupted ??= new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(false));
      });
      return Promise.race([interrupted, new Promise<true>((resolve) => setTimeout(() => resolve(true), ms))]);
    },
  };
}
