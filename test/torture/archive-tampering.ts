import { basename, dirname } from 'node:path';
import { SegmentChain } from '../../extproc/archive/chain.ts';
import { classOfChain, isOfMetadata, metadataChainOf } from '../../extproc/archive/chain-name.ts';
import type { Finding, FindingKind } from '../../extproc/archive/finding.ts';
import {
  decodeFrame,
  decodeSegmentHeader,
  FRAME_HEAD_BYTES,
  finishFrameHead,
  headerHash,
} from '../../extproc/archive/format.ts';
import { seededRandom } from '../fakes/file-system.ts';
import { directory } from '../unit/archive/rig.ts';
import { ofHeldRecords } from './held-tampering.ts';
import type { Torture, TortureReport } from './torture.ts';
import { type Files, type Random, verified, type Written, writtenArchive } from './written-archive.ts';

/** What is to be found: one of `kinds`, in one of `files`; with `frames`, at one of these. */
type Expected = {
  kinds: readonly FindingKind[];
  files: readonly string[];
  frames?: readonly number[];
  lines?: readonly number[];
};

type Part = { start: number; end: number; number: number };

/** Frames with the end frame. */
function framesOf(bytes: Buffer): { headerBytes: number; frames: Part[] } {
  const header = decodeSegmentHeader(bytes);
  if (header.status !== 'header') throw new Error('no header');
  const frames: Part[] = [];
  for (let start = header.bytes; start < bytes.length; ) {
    const frame = decodeFrame(bytes.subarray(start));
    if (frame.status !== 'frame') throw new Error('no frame');
    frames.push({ start, end: start + frame.bytes, number: frames.length });
    start += frame.bytes;
  }
  return { headerBytes: header.bytes, frames };
}

type Place = { path: string; file: string; bytes: Buffer; frames: Part[]; headerBytes: number };

/** One manipulation; changes `files`. */
export type Manipulation = (files: Files, random: Random, written: Written) => Expected;

function pick<T>(random: Random, list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}

const fileOf = (path: string) => path.slice(directory.length + 1);

const chainOf = (path: string) => basename(dirname(dirname(path)));

function segmentPaths(files: Files): string[] {
  return [...files.keys()].filter((path) => path.endsWith('.segment'));
}

function somewhere(files: Files, random: Random): Place {
  const path = pick(random, segmentPaths(files));
  const bytes = Buffer.from(files.get(path) ?? Buffer.alloc(0));
  return { path, file: fileOf(path), bytes, ...framesOf(bytes) };
}

function withCrc(bytes: Buffer, { start, end }: Part): void {
  finishFrameHead(bytes.subarray(start, start + FRAME_HEAD_BYTES), [bytes.subarray(start + FRAME_HEAD_BYTES, end)]);
}

function flip(bytes: Buffer, at: number, random: Random): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 + Math.floor(random() * 255)), at);
}

function reordered({ bytes, headerBytes }: Place, parts: readonly Part[]): Buffer {
  return Buffer.concat([bytes.subarray(0, headerBytes), ...parts.map(({ start, end }) => bytes.subarray(start, end))]);
}

/** As whoever knows the format and has no key: chain, numbers, checksums and end come out right. */
function rechained({ bytes, headerBytes, frames }: Place): void {
  const chain = new SegmentChain(headerHash(bytes.subarray(0, headerBytes)));
  for (const part of frames) {
    const isEnd = part === frames.at(-1);
    chain.hash.copy(bytes, part.start + 16);
    if (isEnd) {
      const root = Buffer.from(chain.state().root.toString('hex'));
      root.copy(bytes, bytes.indexOf('"root":"', part.start) + '"root":"'.length);
    }
    withCrc(bytes, part);
    if (!isEnd) chain.add([bytes.subarray(part.start, part.end)]);
  }
}

const inSegments: Record<string, Manipulation> = {
  'a byte of a frame': (files, random) => {
    const place = somewhere(files, random);
    const frame = pick(random, place.frames);
    flip(place.bytes, frame.start + Math.floor(random() * (frame.end - frame.start)), random);
    files.set(place.path, place.bytes);
    return { kinds: ['edited'], files: [place.file], frames: [frame.number] };
  },
  'a byte of a header': (files, random) => {
    const place = somewhere(files, random);
    flip(place.bytes, Math.floor(random() * place.headerBytes), random);
    files.set(place.path, place.bytes);
    return { kinds: ['edited'], files: [place.file] };
  },
  'the content of a frame, with its checksum': (files, random) => {
    const place = somewhere(files, random);
    const frame = pick(random, place.frames);
    flip(
      place.bytes,
      frame.start + FRAME_HEAD_BYTES + Math.floor(random() * (frame.end - frame.start - FRAME_HEAD_BYTES)),
      random,
    );
    withCrc(place.bytes, frame);
    files.set(place.path, place.bytes);
    return { kinds: ['edited'], files: [place.file], frames: [frame.number] };
  },
  'the head of a frame, with its checksum': (files, random) => {
    const place = somewhere(files, random);
    const frame = pick(random, place.frames);
    flip(place.bytes, frame.start + 12 + Math.floor(random() * 68), random);
    withCrc(place.bytes, frame);
    files.set(place.path, place.bytes);
    return { kinds: ['edited'], files: [place.file], frames: [frame.number] };
  },
  'a frame rewritten, and everything behind it in its segment to fit': (files, random) => {
    const place = somewhere(files, random);
    const frame = pick(random, place.frames.slice(0, -1));
    flip(place.bytes, frame.end - 1, random);
    rechained(place);
    files.set(place.path, place.bytes);
    return { kinds: ['edited'], files: [place.file], frames: [frame.number] };
  },
  'frames taken out': (files, random) => {
    const place = somewhere(files, random);
    const first = Math.floor(random() * (place.frames.length - 1));
    const count = 1 + Math.floor(random() * (place.frames.length - 1 - first));
    files.set(
      place.path,
      reordered(
        place,
        place.frames.filter(({ number }) => number < first || number >= first + count),
      ),
    );
    return { kinds: ['deleted'], files: [place.file], frames: [first] };
  },
  'two frames swapped': (files, random) => {
    const place = somewhere(files, random);
    const a = Math.floor(random() * (place.frames.length - 2));
    const b = a + 1 + Math.floor(random() * (place.frames.length - 2 - a));
    const parts = [...place.frames];
    const [one, other] = [parts[a], parts[b]];
    if (one === undefined || other === undefined) throw new Error('too few frames');
    parts[a] = other;
    parts[b] = one;
    files.set(place.path, reordered(place, parts));
    return { kinds: ['swapped'], files: [place.file], frames: Array.from({ length: b - a + 1 }, (_, at) => a + at) };
  },
  'a frame twice': (files, random) => {
    const place = somewhere(files, random);
    const frame = pick(random, place.frames.slice(0, -1));
    const parts = [...place.frames];
    parts.splice(Math.floor(random() * parts.length), 0, frame);
    files.set(place.path, reordered(place, parts));
    return { kinds: ['duplicated'], files: [place.file], frames: [frame.number] };
  },
  'the end of a segment cut': (files, random) => {
    const place = somewhere(files, random);
    const to = Math.floor(random() * place.bytes.length);
    files.set(place.path, place.bytes.subarray(0, to));
    return { kinds: ['cut'], files: [place.file], frames: [place.frames.filter(({ end }) => end <= to).length] };
  },
};

const ofFiles: Record<string, Manipulation> = {
  'a segment removed': (files, random) => {
    const path = pick(random, segmentPaths(files));
    files.delete(path);
    return { kinds: ['missing_segment'], files: [fileOf(path)] };
  },
  'a family removed': (files, random) => {
    const family = dirname(pick(random, segmentPaths(files)));
    const gone = segmentPaths(files).filter((path) => dirname(path) === family);
    for (const path of gone) files.delete(path);
    return { kinds: ['missing_segment'], files: gone.map(fileOf) };
  },
  'all metadata of a class removed': (files, random) => {
    const ofMetadata = segmentPaths(files).filter((path) => isOfMetadata(chainOf(path)));
    const chain = dirname(dirname(pick(random, ofMetadata)));
    const gone = ofMetadata.filter((path) => path.startsWith(`${chain}/`));
    for (const path of gone) files.delete(path);
    return { kinds: ['missing_segment'], files: gone.map(fileOf) };
  },
  'metadata in the place of the exchanges of its class': (files, random) => {
    const path = pick(random, segmentPaths(files));
    const chain = isOfMetadata(chainOf(path)) ? classOfChain(chainOf(path)) : metadataChainOf(chainOf(path));
    const other = pick(
      random,
      segmentPaths(files).filter((one) => chainOf(one) === chain),
    );
    files.set(other, files.get(path) ?? Buffer.alloc(0));
    return { kinds: ['duplicated', 'swapped'], files: [fileOf(other)] };
  },
  'two segments swapped': (files, random) => {
    const paths = segmentPaths(files);
    const one = pick(random, paths);
    const other = pick(
      random,
      paths.filter((path) => path !== one),
    );
    const [a, b] = [files.get(one), files.get(other)];
    if (a === undefined || b === undefined) throw new Error('no such files');
    files.set(one, b);
    files.set(other, a);
    return { kinds: ['swapped'], files: [fileOf(one), fileOf(other)] };
  },
  'a segment copied to a new name': (files, random) => {
    const path = pick(random, segmentPaths(files));
    const copy = path.replace(/\d{8}\.segment$/, '00000077.segment');
    files.set(copy, files.get(path) ?? Buffer.alloc(0));
    return { kinds: ['duplicated'], files: [fileOf(copy)] };
  },
  'a segment put over another': (files, random) => {
    const paths = segmentPaths(files);
    const one = pick(random, paths);
    const other = pick(
      random,
      paths.filter((path) => path !== one),
    );
    files.set(other, files.get(one) ?? Buffer.alloc(0));
    return { kinds: ['duplicated'], files: [fileOf(other)] };
  },
  'all put back to an earlier state': (files, random, { before }) => {
    const earlier = pick(random, before);
    files.clear();
    for (const [path, bytes] of earlier) files.set(path, bytes);
    return { kinds: ['restored_backup'], files: [] };
  },
};

/** Of the checkpoints or the tombstones: `change` gives other lines, and where something is to be found. */
function ofLines(
  name: 'checkpoints.signed' | 'tombstones.signed',
  change: (lines: string[], random: Random) => { kinds: FindingKind[]; lines: number[] },
): Manipulation {
  return (files, random, { writer }) => {
    const path = `${directory}/${writer}/${name}`;
    const lines = (files.get(path) ?? Buffer.alloc(0)).toString().split('\n').slice(0, -1);
    const { kinds, lines: places } = change(lines, random);
    files.set(path, Buffer.from(lines.map((line) => `${line}\n`).join('')));
    return { kinds, files: [fileOf(path)], lines: places };
  };
}

const ofSignedFiles: Record<string, Manipulation> = Object.fromEntries(
  (['checkpoints.signed', 'tombstones.signed'] as const).flatMap((name): [string, Manipulation][] => [
    [
      `a line of ${name} changed`,
      ofLines(name, (lines, random) => {
        const at = Math.floor(random() * lines.length);
        const bytes = Buffer.from(lines[at] ?? '');
        // Another character of the same line, never a line end.
        const place = Math.floor(random() * bytes.length);
        bytes.writeUInt8(bytes.readUInt8(place) === 0x61 ? 0x62 : 0x61, place);
        const isSame = bytes.toString() === lines[at];
        lines[at] = isSame ? 'x' : bytes.toString();
        return { kinds: ['edited'], lines: [at + 1] };
      }),
    ],
    [
      `a signature in ${name} written in another way`,
      ofLines(name, (lines, random) => {
        const at = Math.floor(random() * lines.length);
        const line = lines[at] ?? '';
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        // Of its last character only two bits count.
        const other = alphabet[alphabet.indexOf(line.at(-1) ?? '') ^ (1 + Math.floor(random() * 15))] ?? '';
        lines[at] = random() < 0.5 ? `${line}=` : `${line.slice(0, -1)}${other}`;
        return { kinds: ['edited'], lines: [at + 1] };
      }),
    ],
    [
      `a line of ${name} taken out`,
      ofLines(name, (lines, random) => {
        const at = Math.floor(random() * (lines.length - 1));
        lines.splice(at, 1);
        return { kinds: ['deleted'], lines: [at + 1] };
      }),
    ],
    [
      `two lines of ${name} swapped`,
      ofLines(name, (lines, random) => {
        const at = Math.floor(random() * (lines.length - 1));
        [lines[at], lines[at + 1]] = [lines[at + 1] ?? '', lines[at] ?? ''];
        return { kinds: ['swapped'], lines: [at + 2] };
      }),
    ],
    [
      `a line of ${name} twice`,
      ofLines(name, (lines, random) => {
        const at = Math.floor(random() * lines.length);
        lines.splice(at, 0, lines[at] ?? '');
        return { kinds: ['duplicated'], lines: [at + 2] };
      }),
    ],
    [
      `the end of ${name} cut`,
      ofLines(name, (lines, random) => {
        const to = Math.floor(random() * lines.length);
        lines.splice(to);
        return { kinds: ['cut'], lines: [to + 1] };
      }),
    ],
  ]),
);

export const manipulations: Readonly<Record<string, Manipulation>> = {
  ...inSegments,
  ...ofFiles,
  ...ofSignedFiles,
  ...ofHeldRecords,
};

function isExpected(
  { kinds, files, frames, lines }: Expected,
  { kind, file, frame, frames: count = 1, line }: Finding,
): boolean {
  if (!kinds.includes(kind) || (files.length > 0 && !files.includes(file))) return false;
  if (lines !== undefined && line !== undefined) return lines.includes(line);
  if (frames === undefined || frame === undefined) return true;
  return frames.some((number) => number >= frame && number < frame + count);
}

/** A manipulation may find nothing to change where it looks, or leave all as it was: then it looks elsewhere. */
function changed(written: Written, name: string, seed: number): { files: Files; expected: Expected } {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const files: Files = new Map(written.files);
    const random = seededRandom(seed + attempt * 1_000_003);
    try {
      const expected = manipulations[name]?.(files, random, written);
      const isSame = [...new Set([...files.keys(), ...written.files.keys()])].every((path) => {
        return files.get(path)?.equals(written.files.get(path) ?? Buffer.alloc(0)) ?? false;
      });
      if (expected !== undefined && !isSame) return { files, expected };
    } catch {
      // Too few frames, lines or files there.
    }
  }
  throw new Error(`${name}, seed ${seed}: nothing was changed`);
}

const attemptsMax = 30;

/** Null when it was found as what it is, where it is; else what was found instead. */
export async function tampered(written: Written, name: string, seed: number): Promise<string | null> {
  const { files, expected } = changed(written, name, seed);
  const { findings } = await verified(written, files);
  const found = findings.some((finding) => isExpected(expected, finding));
  // Nothing else may be told of the same kind of place: what follows from it is of the kinds that it makes.
  return found
    ? null
    : `${name}, seed ${seed}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(findings)}`;
}

export const archiveTampering: Torture = {
  name: 'archive-tampering',
  description: 'changes an archive in every way that there is and verifies it; a round is one change',
  roundsDefault: 1_000,
  async run({ seed, rounds, progress }): Promise<TortureReport> {
    const violations: string[] = [];
    const names = Object.keys(manipulations);
    let written = await writtenArchive(seed);
    for (let round = 0; round < rounds; round += 1) {
      if (round % 50 === 0) {
        written = await writtenArchive(seed + round);
        const clean = await verified(written, written.files);
        if (clean.findings.length > 0)
          violations.push(`clean, seed ${seed + round}: ${JSON.stringify(clean.findings)}`);
        progress(`${round} of ${rounds} changes`);
      }
      const missed = await tampered(written, names[round % names.length] ?? '', seed + round);
      if (missed !== null) violations.push(missed);
    }
    return { counts: { changes: rounds, kinds: names.length }, violations };
  },
};
