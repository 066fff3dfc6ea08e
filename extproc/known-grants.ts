import { existsSync } from 'node:fs';
import type { Config } from './config/config.ts';
import type { HeldGrants } from './exchange/held-grants.ts';
import { Grants } from './grants/grants.ts';
import { GrantsInForce } from './grants/in-force.ts';
import { grantsFile } from './grants/places.ts';
import type { Log } from './log.ts';
import { grantMetrics, watchBreakGlass } from './operations/grant-metrics.ts';
import type { Operations } from './operations/operations.ts';

type Parts = { config: Pick<Config, 'dataDirectory' | 'grants'>; log: Log };

const sweepIntervalMs = 1_000;
const remindIntervalMs = 60_000;

/** What people allowed for a time, for a process that judges. */
export type KnownGrants = { readonly grants: HeldGrants; close(): void };

export function knownGrants({ config, log, operations }: Parts & { operations: Operations }): KnownGrants {
  const { metrics, readiness } = operations;
  const inForce = new GrantsInForce(grantsFile(config.dataDirectory), (err) =>
    log.error({ err }, 'the grants cannot be read: none is in force until they can'),
  );
  const breakGlass = () => breakGlassIn(inForce);
  const counted = grantMetrics(metrics.registry, (kind) => {
    return inForce.all(Date.now()).filter(({ wanted }) => wanted.kind === kind).length;
  });
  watchBreakGlass(readiness, breakGlass);
  return {
    grants: {
      holding: (identity, connection, nowMs) => inForce.holding(identity, connection, nowMs),
      used(grants) {
        for (const kind of new Set(grants.map((grant) => grant.kind))) counted.letThrough(kind);
      },
    },
    close: () => inForce.close(),
  };
}

/**
 * In the process that was started: writes down what ended by its time, and says in the log when break-glass begins, once a
 * minute that it is in force, and when it ends.
 */
export function watchGrants({ config, log }: Parts): { close(): void } {
  const file = grantsFile(config.dataDirectory);
  const inForce = new GrantsInForce(file);
  let told = new Map<string, number>();
  let hasFault = false;
  const look = (): void => {
    try {
      sweep(file, inForce, config.grants);
      hasFault = false;
    } catch (err) {
      if (!hasFault) log.error({ err }, 'what became of grants could not be written down');
      hasFault = true;
    }
    told = tell(breakGlassIn(inForce), told, log);
  };
  const timer = setInterval(look, sweepIntervalMs).unref();
  look();
  return {
    close() {
      clearInterval(timer);
      inForce.close();
    },
  };
}

/** Opened only where something is due. */
function sweep(file: string, inForce: GrantsInForce, limits: Config['grants']): void {
  if (!existsSync(file) || !inForce.isDue(Date.now())) return;
  const grants = new Grants(file, limits);
  try {
    grants.sweep(Date.now());
  } finally {
    grants.close();
  }
}

type BreakGlass = { id: string; untilMs: number };

function breakGlassIn(inForce: GrantsInForce): BreakGlass[] {
  return inForce.all(Date.now()).flatMap(({ id, wanted, state }) => {
    return wanted.kind === 'break_glass' && state.kind === 'in_force' ? [{ id, untilMs: state.untilMs }] : [];
  });
}

/** @param told when what is in force was last told of */
function tell(now: readonly BreakGlass[], told: ReadonlyMap<string, number>, log: Log): Map<string, number> {
  const next = new Map<string, number>();
  for (const { id, untilMs } of now) {
    const last = told.get(id);
    const isDue = last === undefined || performance.now() - last >= remindIntervalMs;
    if (isDue) log.warn({ reason: `${id} until ${new Date(untilMs).toISOString()}` }, 'break-glass is in force');
    next.set(id, isDue ? performance.now() : last);
  }
  for (const id of told.keys()) if (!next.has(id)) log.warn({ reason: id }, 'break-glass has ended');
  return next;
}
