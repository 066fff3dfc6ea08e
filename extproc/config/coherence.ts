import { resolve } from 'node:path';
import { checkConnections } from './connection-coherence.ts';
import { checkConsole } from './console-coherence.ts';
import { describeConfig } from './describe.ts';
import type { Fault } from './fault.ts';
import { checkIndex, elasticsearchFiles } from './index-coherence.ts';
import { checkNotify } from './notify-coherence.ts';
import { checkRetention } from './retention-coherence.ts';
import { workersMax } from './schema.ts';
import { isSection, valueAt } from './section.ts';

/** Room for a path in `sockaddr_un`, without the closing NUL: unix(7); macOS has four bytes less. */
const socketPathMaxBytes = process.platform === 'darwin' ? 103 : 107;

const portMax = 65_535;

/** The value of a key with its default; undefined where the file says nothing usable, which is another fault. */
type Read = (key: string) => unknown;

/** No file may be both of two of these; the processor writes each of them. */
const writtenFiles = [
  'listen.socket',
  'approvals.streamed.releaseSocket',
  'journal.keyFile',
  'archive.signingKeyFile',
  'archive.checkpointFile',
] as const;
const readFiles = [
  'listen.tcp.tls.certificateFile',
  'listen.tcp.tls.privateKeyFile',
  'listen.tcp.tls.clientCaFile',
  'coverage.accessLogFile',
  ...['console.clientSecretFile', 'console.tls.certificateFile', 'console.tls.privateKeyFile'],
  ...elasticsearchFiles.map((name) => `index.elasticsearch.${name}`),
] as const;

/**
 * What a schema cannot say: keys that must fit each other. Works on the data as written, so that these faults are found
 * beside those of the schema and not after them.
 */
export function findIncoherence(data: unknown, directory: string): Fault[] {
  const defaults = new Map(describeConfig().map((described) => [described.key, described.default]));
  const read: Read = (key) => valueAt(data, key) ?? written(defaults.get(key));
  const workers = workersOf(read);
  return [
    ...checkListen(data, directory, workers),
    ...checkConnections(data, read),
    ...checkAtLeast(read, 'refusals.recordsPerMinuteAllSources', 1, 'refusals.recordsPerMinute', 'one source must fit'),
    ...checkAtLeast(read, 'limits.spooledBodyMaxBytes', 1, 'limits.requestBodyMaxBytes', 'one request must fit'),
    ...checkAtLeast(read, 'limits.heldBodyPerCallerMaxBytes', 1, 'limits.requestBodyMaxBytes', 'one request must fit'),
    ...checkAtLeast(
      read,
      'journal.journalMaxBytes',
      2 * workers,
      'journal.segmentMaxBytes',
      'one segment of each worker is freed while the next is written',
    ),
    ...checkAtLeast(
      read,
      'journal.journalMaxBytes',
      workers,
      'limits.requestBodyMaxBytes',
      'the largest request must fit into the part of each worker',
    ),
    ...checkVolume(read),
    ...checkIndex(data),
    ...checkRetention(data),
    ...checkConsole(data),
    ...checkNotify(data),
    ...checkRelease(data, directory),
    ...checkFiles(data, directory),
  ];
}

/** A number that is another fault counts as 1. */
function workersOf(read: Read): number {
  const workers = read('workers');
  return isCount(workers) && workers <= workersMax ? workers : 1;
}

function checkListen(data: unknown, directory: string, workers: number): Fault[] {
  const listen = valueAt(data, 'listen');
  if (!isSection(listen)) return [];
  const ways = ['socket', 'tcp'].filter((way) => Object.hasOwn(listen, way));
  if (ways.length === 0) {
    return [
      {
        key: 'listen',
        message: 'says neither socket nor tcp',
        remedy: 'give exactly one of them',
      },
    ];
  }
  if (ways.length === 2) {
    return [
      {
        key: 'listen',
        message: 'says both socket and tcp',
        remedy: 'give exactly one of them',
      },
    ];
  }
  return [...checkSocket(valueAt(data, 'listen.socket'), directory, workers), ...checkPort(data, workers)];
}

function checkPort(data: unknown, workers: number): Fault[] {
  const port = valueAt(data, 'listen.tcp.port');
  if (!isCount(port) || port > portMax || port + workers - 1 <= portMax) return [];
  return [
    {
      key: 'listen.tcp.port',
      message: `is ${port}, but each of the ${workers} workers takes a port from there on, and the last one is ${portMax}`,
      remedy: `lower it to ${portMax - workers + 1}`,
    },
  ];
}

function checkSocket(socket: unknown, directory: string, workers: number): Fault[] {
  if (typeof socket !== 'string') return [];
  const suffixBytes = workers === 1 ? 0 : `-${workers}`.length;
  const bytes = Buffer.byteLength(resolve(directory, socket)) + suffixBytes;
  if (bytes <= socketPathMaxBytes) return [];
  return [
    {
      key: 'listen.socket',
      message: `is a path of ${bytes} bytes${suffixBytes === 0 ? '' : ' with the number of a worker'}, but the system takes at most ${socketPathMaxBytes} for a socket`,
      remedy: 'choose a shorter path, such as /run/skilltape/extproc.sock',
    },
  ];
}

function checkRelease(data: unknown, directory: string): Fault[] {
  const socket = valueAt(data, 'approvals.streamed.releaseSocket');
  if (typeof socket !== 'string') return [];
  const bytes = Buffer.byteLength(resolve(directory, socket));
  if (bytes <= socketPathMaxBytes) return [];
  return [
    {
      key: 'approvals.streamed.releaseSocket',
      message: `is a path of ${bytes} bytes, but the system takes at most ${socketPathMaxBytes} for a socket`,
      remedy: 'choose a shorter path, such as /run/skilltape/release.sock',
    },
  ];
}

function checkAtLeast(read: Read, key: string, factor: number, other: string, why: string): Fault[] {
  const value = read(key);
  const floor = read(other);
  if (!isCount(value) || !isCount(floor) || value >= factor * floor) return [];
  const times = factor === 1 ? '' : `${factor} times `;
  return [
    {
      key,
      message: `is ${value}, but must be at least ${times}${other} (${floor}): ${why}`,
      remedy: `raise it to ${factor * floor} or lower ${other}`,
    },
  ];
}

/** Requests are taken again 2 points below: where a sweep leaves more than that on the volume, they never are. */
const refusedAboveBudgetPoints = 3;

function checkVolume(read: Read): Fault[] {
  const [refuseAt, budget] = [read('journal.volumeRefuseAtPercent'), read('retention.diskBudgetPercent')];
  if (!isCount(refuseAt) || !isCount(budget) || refuseAt >= budget + refusedAboveBudgetPoints) return [];
  return [
    {
      key: 'journal.volumeRefuseAtPercent',
      message: `is ${refuseAt}, but must be at least ${refusedAboveBudgetPoints} more than retention.diskBudgetPercent (${budget}): requests that are refused are taken again 2 percent points below, and a sweep makes no more room than its budget`,
      remedy: 'raise it or lower retention.diskBudgetPercent',
    },
  ];
}

function checkFiles(data: unknown, directory: string): Fault[] {
  const seen = new Map<string, string>();
  const faults: Fault[] = [];
  for (const key of [...readFiles, ...writtenFiles]) {
    const value = valueAt(data, key);
    if (typeof value !== 'string' || value === '') continue;
    const file = resolve(directory, value);
    const first = seen.get(file);
    const overwrites = writtenFiles.some((written) => written === key);
    if (first !== undefined && overwrites) faults.push({ key, message: `names the same file as ${first}` });
    seen.set(file, first ?? key);
  }
  return faults;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function written(byDefault: string | null | undefined): unknown {
  return byDefault == null ? undefined : Number(byDefault);
}
