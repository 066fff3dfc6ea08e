/** Checks a whole archive, or a copy of one, with nothing but the public key of its writer and checkpoints kept elsewhere. */
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../journal/fs.ts';
import { checkChain, type SignedPoint } from './check-chain.ts';
import { checkHeld } from './check-held.ts';
import { checkPlaces } from './check-places.ts';
import type { SegmentCheck } from './check-segment.ts';
import { checkSignedFile } from './check-signed.ts';
import { type Checkpoint, checkpointsOf, type SignedFile, tombstonesOf } from './checkpoint.ts';
import type { Finding, Note, VerifyReport } from './finding.ts';
import { checkpointsFile, publicKeyFile, segmentPath, tombstonesFile, writersIn } from './places.ts';
import { readLog } from './signed-log.ts';
import { publicKeyOf, writerOf } from './signing.ts';

export type VerifyOptions = {
  /** Of all writers. */
  directory: string;
  fileSystem: FileSystem;
  /** Of the writers that are to be checked; empty: what the archive itself says, which whoever forged it could change. */
  publicKeys: readonly KeyObject[];
  /** Texts of files of checkpoints that were given outside, by their names. */
  outside: ReadonlyMap<string, string>;
};

const publicKeyMaxBytes = 4096;

export async function verifyArchive(options: VerifyOptions): Promise<VerifyReport> {
  const report: VerifyReport = {
    findings: [],
    notes: [],
    counts: { writers: 0, segments: 0, frames: 0, exchanges: 0, metadata: 0, held: 0, checkpoints: 0, outside: 0 },
  };
  const given = new Map(options.publicKeys.map((key) => [writerOf(key), key]));
  const present = await writersIn(options.directory, options.fileSystem);
  for (const writer of new Set([...given.keys(), ...present])) {
    if (given.size > 0 && !given.has(writer)) {
      report.findings.push({ kind: 'swapped', file: writer, reason: 'no public key was given for this writer' });
      continue;
    }
    const key = given.get(writer) ?? (await ownKey(options, writer, report.findings));
    if (key === null) continue;
    await verifyWriter(options, writer, key, report);
  }
  return report;
}

/** A writer's name is the hash of its key, so a key in its directory is the right one or it is not. */
async function ownKey(
  { directory, fileSystem }: VerifyOptions,
  writer: string,
  findings: Finding[],
): Promise<KeyObject | null> {
  const file = join(writer, publicKeyFile);
  const found = await fileSystem.readSmall(join(directory, file), publicKeyMaxBytes);
  try {
    const key = found && publicKeyOf(found.bytes, file);
    if (key !== undefined && writerOf(key) === writer) return key;
  } catch {
    // Told below.
  }
  findings.push({
    kind: found === undefined ? 'deleted' : 'edited',
    file,
    reason: 'the public key of this writer is not here: give it',
  });
  return null;
}

async function verifyWriter(
  options: VerifyOptions,
  writer: string,
  key: KeyObject,
  report: VerifyReport,
): Promise<void> {
  const { directory, fileSystem } = options;
  const base = join(directory, writer);
  const { findings, counts } = report;
  const local = checkpointsOf(await readLog(join(base, checkpointsFile), fileSystem), key);
  const checkpoints = checkSignedFile(local, join(writer, checkpointsFile), findings);
  const stones = tombstonesOf(await readLog(join(base, tombstonesFile), fileSystem), key);
  const tombstones = checkSignedFile(stones, join(writer, tombstonesFile), findings);
  const outside = outsideOf(options, key, findings);
  counts.writers += 1;
  counts.checkpoints += checkpoints.size;
  counts.outside += outside.length;
  const lastLocal = Math.max(0, ...checkpoints.keys());
  for (const { value, hash } of outside) {
    const own = checkpoints.get(value.number);
    if (own !== undefined && own.hash !== hash)
      findings.push({
        kind: 'edited',
        file: join(writer, checkpointsFile),
        line: own.line,
        reason: `checkpoint ${value.number} is another one than was given outside`,
      });
  }
  const all = new Map(
    [
      ...outside.map(({ value }) => [value.number, value] as const),
      ...[...checkpoints].map(([number, { value }]) => [number, value] as const),
    ].sort(([a], [b]) => a - b),
  );
  checkTombstones([...all.values()], tombstones, join(writer, tombstonesFile), findings);
  const points = [...all.values()].flatMap(({ number, chains }) =>
    chains.map((point): SignedPoint => ({ ...point, number, isBeyond: number > lastLocal })),
  );
  const segments = await checkPlaces(options, writer, points, report);
  const beyond: Finding[] = [];
  const classes = new Set([
    ...segments.keys(),
    ...points.map(({ retentionClass }) => retentionClass),
    ...[...tombstones.values()].map(({ value }) => value.retentionClass),
  ]);
  for (const retentionClass of [...classes].sort()) {
    const verdict = checkChain({
      retentionClass,
      segments: segments.get(retentionClass) ?? new Map(),
      tombstones: new Map(
        [...tombstones.values()].flatMap(({ value }) =>
          value.retentionClass === retentionClass ? [[value.segment, value] as const] : [],
        ),
      ),
      points: points.filter((point) => point.retentionClass === retentionClass),
      writerFile: (day, sequence) => segmentPath(writer, { retentionClass, day, sequence }),
      tombstonesFile: join(writer, tombstonesFile),
    });
    findings.push(...verdict.findings);
    report.notes.push(...verdict.notes, ...restarts(segments.get(retentionClass) ?? new Map()));
    beyond.push(...verdict.beyond);
  }
  await checkHeld({
    ...{ directory, fileSystem, writer, publicKey: key, points, report },
    stones: [...tombstones.values()].map(({ value }) => value),
    isThere: (retentionClass, sequence) => segments.get(retentionClass)?.has(sequence) ?? false,
  });
  tellBeyond({ writer, lastLocal, lastOutside: outside.at(-1)?.value, beyond, findings });
}

function outsideOf({ outside }: VerifyOptions, key: KeyObject, findings: Finding[]): SignedFile<Checkpoint>['entries'] {
  const all = [...outside].flatMap(([name, text]) => {
    const { entries, bad } = checkpointsOf(text.endsWith('\n') ? text : `${text}\n`, key);
    if (bad.length === 0) return entries;
    const lines = text.split('\n');
    for (const { line, reason } of bad) {
      const written = lines[line - 1] ?? '';
      // A place that several writers give theirs to has lines that this key did not sign.
      const isOfAnother = ![undefined, writerOf(key)].includes(writerNamedBy(written));
      if (written !== '' && !isOfAnother) findings.push({ kind: 'edited', file: name, line, reason });
    }
    return entries;
  });
  return all.sort((a, b) => a.value.number - b.value.number);
}

/** Undefined where the line names none. */
function writerNamedBy(line: string): string | undefined {
  try {
    const { writer } = Object(JSON.parse(line.slice(0, Math.max(0, line.indexOf('\t'))))) as { writer?: unknown };
    return typeof writer === 'string' ? writer : undefined;
  } catch {
    return undefined;
  }
}

/** Each checkpoint says how many tombstones there were, and which was the last. */
function checkTombstones(
  checkpoints: readonly Checkpoint[],
  tombstones: ReadonlyMap<number, { hash: string; line: number }>,
  file: string,
  findings: Finding[],
): void {
  for (const { number, tombstones: promised } of checkpoints) {
    const own = tombstones.get(promised.count);
    if (promised.count === 0 || own?.hash === promised.last) continue;
    const isCut = own === undefined && Math.max(0, ...tombstones.keys()) < promised.count;
    if (isCut)
      findings.push({
        kind: 'cut',
        file,
        line: tombstones.size + 1,
        reason: `checkpoint ${number} signed ${promised.count} tombstones`,
      });
    else if (own !== undefined)
      findings.push({
        kind: 'edited',
        file,
        line: own.line,
        reason: `tombstone ${promised.count} is not the one that checkpoint ${number} signed`,
      });
    return;
  }
}

/** Positions of one journal only grow within a class. */
function restarts(segments: ReadonlyMap<number, SegmentCheck>): Note[] {
  const notes: Note[] = [];
  const last = new Map<number, { segment: number; offset: number }>();
  for (const [, { file, exchanges }] of [...segments].sort(([a], [b]) => a - b)) {
    for (const { place, offset } of exchanges) {
      const before = last.get(place.journal);
      const isBack =
        before !== undefined &&
        (place.segment < before.segment || (place.segment === before.segment && place.offset <= before.offset));
      if (isBack)
        notes.push({
          kind: 'journal_restarted',
          file,
          offset,
          reason: `journal ${place.journal} goes on at segment ${place.segment}, behind segment ${before.segment}`,
        });
      last.set(place.journal, place);
    }
  }
  return notes;
}

type BeyondParts = {
  writer: string;
  lastLocal: number;
  lastOutside: Checkpoint | undefined;
  beyond: readonly Finding[];
  findings: Finding[];
};

function tellBeyond({ writer, lastLocal, lastOutside, beyond, findings }: BeyondParts): void {
  if (lastOutside === undefined || lastOutside.number <= lastLocal) return;
  const file = join(writer, checkpointsFile);
  const when = new Date(lastOutside.timeMs).toISOString();
  const reason = `it ends with checkpoint ${lastLocal}, and checkpoint ${lastOutside.number} of ${when} was given outside`;
  if (beyond.length === 0) findings.push({ kind: 'cut', file, line: lastLocal + 1, reason });
  else
    findings.push({
      kind: 'restored_backup',
      file,
      reason: `${reason}; ${beyond.map(({ file: lacking }) => lacking).join(', ')} lack what it signed`,
    });
}
