/**
 * Judges what holds kept of segments that are gone: each excerpt must be the one that the segment's last tombstone names,
 * and each frame in it must stand in the tree whose root was signed while the segment was there.
 */
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../journal/fs.ts';
import { isOfMetadata } from './chain-name.ts';
import type { SignedPoint } from './check-chain.ts';
import { checkpointsOf, type Tombstone } from './checkpoint.ts';
import type { Finding, VerifyReport } from './finding.ts';
import { decodeSegmentHeader, headerHash } from './format.ts';
import { fileHash, stoneOf } from './held-family.ts';
import { scanHeldHeader, scanHeldItems } from './held-format.ts';
import { type HeldPlace, heldIn, heldPath } from './held-places.ts';
import { endIn } from './held-source.ts';
import { leafHash, rootOfPath } from './merkle.ts';
import { FileWindow } from './scan.ts';

export type CheckHeldParts = {
  /** Of all writers. */
  directory: string;
  fileSystem: FileSystem;
  writer: string;
  publicKey: KeyObject;
  points: readonly SignedPoint[];
  stones: readonly Tombstone[];
  /** Whether the segment itself is there still. */
  isThere: (retentionClass: string, sequence: number) => boolean;
  report: VerifyReport;
};

export async function checkHeld(parts: CheckHeldParts): Promise<void> {
  const { directory, fileSystem, writer, stones, report } = parts;
  const bySegment = new Map<string, HeldPlace[]>();
  for (const stone of stones) bySegment.set(`${stone.retentionClass}/${stone.segment}`, []);
  for (const place of await heldIn(join(directory, writer), fileSystem)) {
    const name = `${place.retentionClass}/${place.sequence}`;
    bySegment.set(name, [...(bySegment.get(name) ?? []), place]);
  }
  for (const [name, places] of bySegment) {
    const [retentionClass = '', sequence = ''] = name.split('/');
    const stone = stoneOf(stones, { retentionClass, sequence: Number(sequence) });
    const named = await checkNames(parts, places, stone);
    if (named === undefined || stone === undefined) continue;
    const { findings, exchanges } = await checkExcerpt(parts, named, stone);
    report.findings.push(...findings);
    report.counts[isOfMetadata(retentionClass) ? 'metadata' : 'held'] += exchanges;
  }
}

/** Which of the files is the one that counts. What an interrupted sweep left beside it is no fault. */
async function checkNames(
  parts: CheckHeldParts,
  places: readonly HeldPlace[],
  stone: Tombstone | undefined,
): Promise<HeldPlace | undefined> {
  const { fileSystem, writer, report } = parts;
  const hashed: Hashed[] = [];
  for (const place of places) hashed.push({ place, hash: await fileHash(fileSystem, place.path) });
  const named = hashed.find(({ hash }) => hash === stone?.held?.hash)?.place;
  for (const one of hashed) if (one.place !== named) await tellOther(parts, one, named, stone);
  if (hashed.length === 0 && stone?.held != null) {
    const { retentionClass, day, segment: sequence, held, number } = stone;
    report.findings.push({
      kind: 'missing_segment',
      file: heldPath(writer, { retentionClass, day, sequence, generation: held.generation }),
      reason: `tombstone ${number} says that ${held.exchanges} exchanges of it are kept by a hold`,
    });
  }
  return named;
}

type Hashed = { place: HeldPlace; hash: string };

/** A file that is not the one that counts. */
async function tellOther(
  parts: CheckHeldParts,
  { place, hash }: Hashed,
  named: HeldPlace | undefined,
  stone: Tombstone | undefined,
): Promise<void> {
  const { writer, stones, isThere, report } = parts;
  const { retentionClass, sequence } = place;
  const file = heldPath(writer, place);
  const wasNamed = stones.some(
    (one) => one.retentionClass === retentionClass && one.segment === sequence && one.held?.hash === hash,
  );
  const found = (kind: Finding['kind'], reason: string) => report.findings.push({ kind, file, reason });
  if (named !== undefined && hash === stone?.held?.hash) found('duplicated', 'it is the same excerpt once more');
  else if (wasNamed && (named !== undefined || stone?.held == null)) {
    const reason = 'a later tombstone says less than it has: the deletion broke off';
    report.notes.push({ kind: 'deletion_unfinished', file, reason });
  } else if (wasNamed) found('restored_backup', 'it is an earlier state than the last tombstone says');
  else if (isThere(retentionClass, sequence) || (named !== undefined && place.generation > named.generation))
    // Nobody reads an excerpt beside its segment, or beside an earlier one.
    report.notes.push({ kind: 'move_unfinished', file, reason: 'no tombstone names it yet: the move broke off' });
  else {
    const { findings } = stone === undefined ? { findings: [] } : await checkExcerpt(parts, place, stone);
    if (findings.length > 0) report.findings.push(...findings);
    else found('edited', 'it is not the excerpt that a tombstone names');
  }
}

/** What is in it, against what was signed of its segment. */
async function checkExcerpt(
  parts: CheckHeldParts,
  place: HeldPlace,
  stone: Tombstone,
): Promise<{ findings: Finding[]; exchanges: number }> {
  const file = heldPath(parts.writer, place);
  const opened = await parts.fileSystem.openRead(place.path);
  try {
    const window = new FileWindow(opened, await opened.size());
    const decoded = await scanHeldHeader(window);
    if (decoded.status !== 'header')
      return { findings: [{ kind: 'edited', file, offset: 0, reason: decoded.reason }], exchanges: 0 };
    const checked = await checkFrames(window, decoded, stone, file);
    const found = checkHeader(parts, decoded, place, stone);
    if (found !== null) checked.findings.unshift({ ...found, file, offset: 0 });
    return checked;
  } finally {
    await opened.close();
  }
}

type Decoded = Extract<Awaited<ReturnType<typeof scanHeldHeader>>, { status: 'header' }>;

function checkHeader(
  { writer, points, publicKey }: CheckHeldParts,
  { header, origin }: Decoded,
  place: HeldPlace,
  stone: Tombstone,
): Pick<Finding, 'kind' | 'reason'> | null {
  const isOf = (one: HeldPlaceName) =>
    one.retentionClass === place.retentionClass && one.day === place.day && one.sequence === place.sequence;
  const segment = decodeSegmentHeader(origin);
  if (segment.status !== 'header' || segment.header.id !== header.id || header.generation !== place.generation)
    return { kind: 'edited', reason: 'its header is not that of its segment' };
  if (header.writer !== writer) return { kind: 'swapped', reason: `it is of writer ${header.writer}` };
  if (!isOf(header) || !isOf(segment.header)) return { kind: 'swapped', reason: 'it stands in the place of another' };
  if (header.id !== stone.id || header.frames !== stone.frames || header.root !== stone.root)
    return { kind: 'edited', reason: 'it is of another segment than its tombstone says' };
  const other = points.find(({ id, isEnded, root }) => isEnded && id === header.id && root !== header.root);
  if (other !== undefined)
    return { kind: 'edited', reason: `its root is not the one that checkpoint ${other.number} signed` };
  const [own] = checkpointsOf(`${header.checkpoint}\n`, publicKey).entries;
  if (own === undefined || endIn(own.value, header) === undefined)
    return { kind: 'edited', reason: 'the checkpoint in it does not say its root' };
  return null;
}

type HeldPlaceName = Pick<HeldPlace, 'retentionClass' | 'day' | 'sequence'>;

async function checkFrames(
  window: FileWindow,
  { header, origin, bytes }: Decoded,
  stone: Tombstone,
  file: string,
): Promise<{ findings: Finding[]; exchanges: number }> {
  const findings: Finding[] = [];
  let [frames, exchanges, last] = [0, 0, -1];
  for await (const item of scanHeldItems(window, bytes)) {
    if (item.kind === 'bad') {
      findings.push({ kind: 'edited', file, offset: item.offset, reason: item.reason });
      return { findings, exchanges };
    }
    const { frameNumber: frame, exchangeId, chain } = item.frame.head;
    const whose = exchangeId === '' ? {} : { exchangeId };
    const found = (kind: Finding['kind'], reason: string) =>
      findings.push({ kind, file, offset: item.offset, frame, ...whose, reason });
    const leaf = leafHash([item.frame.headBytes, item.frame.content]);
    const root = rootOfPath(leaf, frame, header.frames, item.path);
    if (root?.toString('hex') !== stone.root) found('edited', `frame ${frame} does not stand in the signed tree`);
    else if (frame === last) found('duplicated', `frame ${frame} stands here once more`);
    else if (frame < last) found('swapped', `frame ${frame} stands behind frames that belong behind it`);
    else if (frame === 0 && !isHeaderOf(origin, chain))
      found('edited', 'the header of its segment is not the one that its first frame names');
    last = frame;
    frames += 1;
    if (item.isHeld) exchanges += 1;
  }
  const lacking = (stone.held?.frames ?? 0) - frames;
  if (findings.length === 0 && lacking > 0)
    findings.push({ kind: 'deleted', file, frames: lacking, reason: `${lacking} of its frames are missing` });
  return { findings, exchanges };
}

function isHeaderOf(origin: Buffer, chain: Uint8Array): boolean {
  return headerHash(origin).equals(chain);
}
