import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ticketsFile } from './approvals/places.ts';
import type { Config } from './config/config.ts';
import { grantsFile } from './grants/places.ts';
import type { Log } from './log.ts';
import { noticesFile } from './notify/places.ts';
import type { FromWatch, WatchStart } from './notify/protocol.ts';
import type { Target } from './notify/target.ts';
import { approvalMetrics } from './operations/approval-metrics.ts';
import type { Operations } from './operations/operations.ts';
import { Seldom } from './operations/seldom.ts';

const threadFile = new URL('./notify/worker.ts', import.meta.url);
/** Until something is held or asked for for the first time there is nothing to follow, and no thread. */
const firstTicketIntervalMs = 1_000;
const restartDelayMs = 5_000;

/** Follows the tickets of the data directory, in the one process that does: counts them, and tells people of them. Returns what ends it. */
export function startTicketWatching({
  config,
  log,
  operations,
}: {
  config: Config;
  log: Log;
  operations: Operations;
}): () => Promise<void> {
  const file = ticketsFile(config.dataDirectory);
  const grants = grantsFile(config.dataDirectory);
  const isAnybodyTold = Object.keys(config.approvals.notify.targets).length > 0;
  const heed = heedWith({ log, operations });
  const deaths = new Seldom();
  let isStopping = false;
  let thread: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  const later = (run: () => void, ms: number) => {
    timer = setTimeout(run, ms);
    timer.unref();
  };
  const start = (): void => {
    if (![file, ...(isAnybodyTold ? [grants] : [])].some((one) => existsSync(one))) {
      later(start, firstTicketIntervalMs);
      return;
    }
    const own = new Worker(threadFile, { workerData: startOf(config, { file, grants }) });
    own.unref();
    thread = own;
    own.on('message', heed);
    own.on('error', (err) => {
      const due = deaths.take(err instanceof Error ? err.message : '');
      if (due !== null)
        log.error({ err, unsaid: due.unsaid }, 'the thread that follows tickets died and is started again');
    });
    own.on('exit', () => {
      if (!isStopping) later(start, restartDelayMs);
    });
  };
  start();
  return async () => {
    isStopping = true;
    clearTimeout(timer);
    // What it was delivering is delivered again, under the same id.
    await thread?.terminate();
  };
}

function startOf(
  { dataDirectory, approvals, grants: grantLimits }: Config,
  { file, grants }: { file: string; grants: string },
): WatchStart {
  const { notify, ticketsMax, ticketsPerCallerMax } = approvals;
  const targets = Object.entries(notify.targets).map(([name, target]) => targetOf(name, target));
  return {
    ticketsFile: file,
    limits: { ticketsMax, ticketsPerCallerMax },
    ...{ grantsFile: grants, grantLimits },
    outboxFile: targets.length === 0 ? null : noticesFile(dataDirectory),
    targets,
    linkBase: notify.linkBase ?? null,
    ...{ expiringMs: notify.expiringMs, giveUpMs: notify.giveUpMs, requestTimeoutMs: notify.requestTimeoutMs },
  };
}

type Written = Config['approvals']['notify']['targets'][string];

/** Which keys a kind has was checked with the configuration. */
function targetOf(name: string, written: Written): Target {
  const { kind, subjects, occasions, namesPerson, allowPlainHttp, urlFile = '', secretFile = '' } = written;
  const common = { name, subjects: [...subjects], occasions: [...occasions], namesPerson };
  switch (kind) {
    case 'slack':
    case 'teams':
      return { ...common, kind, urlFile, allowPlainHttp };
    case 'webhook':
      return { ...common, kind, urlFile, secretFile, allowPlainHttp };
    case 'email': {
      const { smtpHost: host = '', smtpPort: port, smtpTls: tls, smtpUserFile: userFile, from = '', to = [] } = written;
      const { smtpPasswordFile: passwordFile } = written;
      const login = userFile === undefined || passwordFile === undefined ? null : { userFile, passwordFile };
      return { ...common, kind, smtp: { host, port, tls, login }, from, to: [...to] };
    }
    default:
      return kind satisfies never;
  }
}

/** Failures are said in the log now and then, and in each ticket. */
function heedWith({ log, operations }: { log: Log; operations: Operations }): (message: FromWatch) => void {
  const metrics = approvalMetrics(operations.metrics.registry, Date.now);
  let failing: readonly string[] = [];
  operations.readiness.watch('notifications', () =>
    failing.length === 0
      ? null
      : {
          state: 'degraded',
          reason: `people are not told of held requests by ${failing.join(', ')}: the log says why`,
        },
  );
  const said = new Seldom();
  return (message) => {
    switch (message.kind) {
      case 'counted':
        for (const counted of message.counted) {
          if (counted.kind === 'opened') metrics.opened(counted.rules);
          else metrics.ended(counted);
        }
        return;
      case 'live':
        metrics.live(message.live.byRule, message.live.oldestPendingMs, message.waiting);
        return;
      case 'failing':
        failing = message.targets;
        return;
      case 'attempt': {
        const { target, ticket, result, why } = message;
        metrics.attempted(target, result);
        if (result === 'given_up') log.error({ target, ticket, reason: why }, 'nobody could be told of a held request');
        const due = result === 'failed' ? said.take(`${target} ${why}`) : null;
        if (due !== null)
          log.warn({ target, reason: why, unsaid: due.unsaid }, 'a message about a held request failed');
        return;
      }
      default:
        message satisfies never;
    }
  };
}
