/** What can be done to records that a hold kept when their segments went. */
import { FRAME_HEAD_BYTES, finishFrameHead } from '../../extproc/archive/format.ts';
import { directory } from '../unit/archive/rig.ts';
import type { Manipulation } from './archive-tampering.ts';
import type { Files, Random } from './written-archive.ts';

const fileOf = (path: string) => path.slice(directory.length + 1);
const heldPaths = (files: Files) => [...files.keys()].filter((path) => path.endsWith('.held'));

type Item = { start: number; frame: number; end: number };
type Excerpt = { path: string; file: string; bytes: Buffer; first: number; items: Item[] };

/** The places of its items, found by the lengths that it says, as README.md draws them. */
function itemsOf(bytes: Buffer): { first: number; items: Item[] } {
  const originAt = 12 + bytes.readUInt32LE(8) + 4;
  const first = originAt + bytes.readUInt32LE(originAt - 4) + 4;
  const items: Item[] = [];
  for (let start = first; start < bytes.length; ) {
    const frame = start + 12 + 32 * bytes.readUInt16LE(start + 6);
    const end = frame + bytes.readUInt32LE(start + 8);
    items.push({ start, frame, end });
    start = end;
  }
  return { first, items };
}

function pick<T>(random: Random, list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}

function excerptOf(files: Files, random: Random, itemsMin = 1): Excerpt {
  const all = heldPaths(files).map((path) => {
    const bytes = Buffer.from(files.get(path) ?? Buffer.alloc(0));
    return { path, file: fileOf(path), bytes, ...itemsOf(bytes) };
  });
  return pick(
    random,
    all.filter(({ items }) => items.length >= itemsMin),
  );
}

function reordered({ bytes, first }: Excerpt, items: readonly Item[]): Buffer {
  return Buffer.concat([bytes.subarray(0, first), ...items.map(({ start, end }) => bytes.subarray(start, end))]);
}

function flip(bytes: Buffer, at: number, random: Random): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 + Math.floor(random() * 255)), at);
}

export const ofHeldRecords: Record<string, Manipulation> = {
  'a byte of held records': (files, random) => {
    const { path, file, bytes } = excerptOf(files, random);
    flip(bytes, Math.floor(random() * bytes.length), random);
    files.set(path, bytes);
    return { kinds: ['edited'], files: [file] };
  },
  'the content of a held frame, with its checksum': (files, random) => {
    const { path, file, bytes, items } = excerptOf(files, random);
    const { frame, end } = pick(random, items);
    const content = frame + FRAME_HEAD_BYTES;
    flip(bytes, content + Math.floor(random() * (end - content)), random);
    finishFrameHead(bytes.subarray(frame, content), [bytes.subarray(content, end)]);
    files.set(path, bytes);
    return { kinds: ['edited'], files: [file], frames: [bytes.readUInt32LE(frame + 8)] };
  },
  'held frames taken out': (files, random) => {
    const excerpt = excerptOf(files, random, 2);
    const gone = Math.floor(random() * excerpt.items.length);
    files.set(
      excerpt.path,
      reordered(
        excerpt,
        excerpt.items.filter((_, at) => at !== gone),
      ),
    );
    return { kinds: ['deleted'], files: [excerpt.file] };
  },
  'a held frame twice': (files, random) => {
    const excerpt = excerptOf(files, random);
    const at = Math.floor(random() * excerpt.items.length);
    files.set(excerpt.path, reordered(excerpt, excerpt.items.toSpliced(at, 0, ...excerpt.items.slice(at, at + 1))));
    return { kinds: ['duplicated'], files: [excerpt.file] };
  },
  'two held frames swapped': (files, random) => {
    const excerpt = excerptOf(files, random, 2);
    const at = Math.floor(random() * (excerpt.items.length - 1));
    const items = excerpt.items.toSpliced(at, 2, ...excerpt.items.slice(at, at + 2).reverse());
    files.set(excerpt.path, reordered(excerpt, items));
    return { kinds: ['swapped'], files: [excerpt.file] };
  },
  'a held record said to be none': (files, random) => {
    const { path, file, bytes, items } = excerptOf(files, random);
    const { start } = pick(
      random,
      items.filter((item) => bytes.readUInt16LE(item.start + 4) === 1 || item.start === items.at(-1)?.start),
    );
    bytes.writeUInt16LE(1 - bytes.readUInt16LE(start + 4), start + 4);
    files.set(path, bytes);
    return { kinds: ['edited'], files: [file] };
  },
  'an excerpt of held records removed': (files, random) => {
    const { path, file } = excerptOf(files, random);
    files.delete(path);
    return { kinds: ['missing_segment'], files: [file] };
  },
  'an excerpt of held records copied to a later name': (files, random) => {
    const { path, bytes } = excerptOf(files, random);
    const copy = path.replace(/\.\d+\.held$/, '.77.held');
    files.set(copy, bytes);
    return { kinds: ['duplicated'], files: [fileOf(copy)] };
  },
  'an excerpt put in the place of another': (files, random) => {
    const one = excerptOf(files, random);
    const other = pick(
      random,
      heldPaths(files).filter((path) => path !== one.path),
    );
    files.set(other, one.bytes);
    return { kinds: ['swapped', 'edited'], files: [fileOf(other)] };
  },
  'an excerpt put back to what was held before': (files, random, { heldBefore }) => {
    const laterOf = (path: string) => path.replace(/\.1\.held$/, '.2.held');
    const earlier = pick(
      random,
      heldPaths(heldBefore).filter((path) => files.has(laterOf(path))),
    );
    files.delete(laterOf(earlier));
    files.set(earlier, heldBefore.get(earlier) ?? Buffer.alloc(0));
    return { kinds: ['restored_backup'], files: [fileOf(earlier)] };
  },
};
