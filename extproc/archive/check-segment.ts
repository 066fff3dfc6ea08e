/** Judges one segment file by itself: what it holds, and what in it is not as it was written. Needs no key. */
import type { FileSystem } from '../journal/fs.ts';
import { type ChainState, SegmentChain } from './chain.ts';
import type { Finding } from './finding.ts';
import {
  decodeFrame,
  type Frame,
  headerMaxBytes,
  type JournalPlace,
  jsonOf,
  nextMarker,
  type SegmentHeader,
} from './format.ts';
import { leafHash } from './merkle.ts';
import { FileWindow, type ScannedItem, scanFrames, scanHeader } from './scan.ts';

export type CheckedExchange = { exchangeId: string; place: JournalPlace; frame: number; offset: number };

export type SegmentCheck = {
  file: string;
  /** Null: the header cannot be read. */
  header: SegmentHeader | null;
  /** The frames that are there in their order, and the state after each number of frames that somebody signed. */
  frames: number;
  states: Map<number, ChainState>;
  /** After the end frame; null where there is none. */
  ended: ChainState | null;
  exchanges: CheckedExchange[];
  findings: Finding[];
  /** Bytes at the end that are no whole frame. */
  tail: { offset: number; bytes: number } | null;
  bytes: number;
};

/** @param wanted numbers of frames after which the state is to be told, by the segment's id */
export async function checkSegment(
  fileSystem: FileSystem,
  path: string,
  file: string,
  wanted: (id: string) => ReadonlySet<number>,
): Promise<SegmentCheck> {
  const opened = await fileSystem.openRead(path);
  try {
    const window = new FileWindow(opened, await opened.size());
    const decoded = await scanHeader(window);
    const check: SegmentCheck = {
      file,
      header: null,
      frames: 0,
      states: new Map(),
      ended: null,
      exchanges: [],
      findings: [],
      tail: null,
      bytes: window.sizeBytes,
    };
    if (decoded.status === 'incomplete' && (await hasFrames(window))) {
      check.findings.push({ kind: 'edited', file, offset: 0, reason: 'the length of its header is wrong' });
      return check;
    }
    if (decoded.status === 'incomplete') return { ...check, tail: { offset: 0, bytes: window.sizeBytes } };
    if (decoded.status === 'damaged') {
      check.findings.push({ kind: 'edited', file, offset: 0, reason: decoded.reason });
      return check;
    }
    check.header = decoded.header;
    const walk = new Walk(check, new SegmentChain(decoded.hash), wanted(decoded.header.id));
    for await (const item of scanFrames(window, decoded.bytes)) walk.take(item);
    walk.finish();
    return check;
  } finally {
    await opened.close();
  }
}

/** A crash that leaves no whole header leaves no frame. */
async function hasFrames(window: FileWindow): Promise<boolean> {
  const bytes = await window.read(0, headerMaxBytes);
  const at = nextMarker(bytes, 0);
  return at !== undefined && decodeFrame(bytes.subarray(at)).status === 'frame';
}

type Misplaced = { kind: 'early' | 'late'; over: number[]; place: Omit<Finding, 'kind' | 'file'> };

/** A frame as it was met, until it is known whether the one behind it bears it out. */
type Met = { offset: number; frame: Frame; leaf: Buffer };

/**
 * Each frame names the chain up to it, so a changed frame is found at the one behind it. Numbers tell which frames are
 * missing, stand elsewhere or twice. After a fault the chain goes on with what the next frame says of itself.
 */
class Walk {
  readonly #check: SegmentCheck;
  readonly #chain: SegmentChain;
  readonly #wanted: ReadonlySet<number>;
  readonly #seen = new Map<number, string>();
  /** Numbers that were passed over, and where. */
  readonly #missing = new Map<number, number>();
  /** Frames that stand out of their order, by number; `over` are those that an early one passed over. */
  readonly #misplaced = new Map<number, Misplaced>();
  #suspect: { before: Met | undefined; met: Met } | undefined;
  #expected = 0;
  #last: Met | undefined;
  /** The chain cannot be followed any more, because a frame is not there. */
  #isBroken = false;
  #isTorn = false;

  constructor(check: SegmentCheck, chain: SegmentChain, wanted: ReadonlySet<number>) {
    this.#check = check;
    this.#chain = chain;
    this.#wanted = wanted;
    check.states.set(0, chain.state());
  }

  take(item: ScannedItem): void {
    if (this.#check.ended !== null) {
      this.#found({ kind: 'edited', offset: item.offset, reason: 'bytes follow the end of the segment' });
      return;
    }
    if (item.kind === 'bad') this.#takeBad(item);
    else
      this.#takeFrame({
        offset: item.offset,
        frame: item.frame,
        leaf: leafHash([item.frame.headBytes, item.frame.content]),
      });
  }

  finish(): void {
    if (this.#suspect !== undefined) this.#decide(this.#suspect, !this.#isEndAlone(this.#suspect.met));
    for (const { kind, place } of this.#misplaced.values())
      if (kind === 'late') this.#found({ kind: 'swapped', ...place });
    for (const [from, frames] of runsOf([...this.#missing.keys()])) {
      const offset = this.#missing.get(from) ?? 0;
      const reason = `${frames === 1 ? `frame ${from} is` : `frames ${from} to ${from + frames - 1} are`} missing here`;
      this.#found({ kind: 'deleted', offset, frame: from, frames, reason });
    }
  }

  #takeBad({ offset, bytes, isCut, reason, head }: ScannedItem & { kind: 'bad' }): void {
    if (offset + bytes >= this.#check.bytes && isCut) {
      this.#check.tail = { offset, bytes };
      return;
    }
    // Where the head can be read its number is that of the frame; else it is the one that is due.
    this.#found({ kind: 'edited', offset, frame: this.#expected, reason });
    this.#isBroken = true;
    this.#isTorn = head === undefined;
    this.#expected += 1;
    this.#last = undefined;
  }

  #takeFrame(met: Met): void {
    const { frameNumber } = met.frame.head;
    const leaf = met.leaf.toString('hex');
    if (this.#seen.get(frameNumber) === leaf && frameNumber < this.#expected) {
      this.#takeAgain(met);
      return;
    }
    this.#seen.set(frameNumber, leaf);
    if (frameNumber > this.#expected) this.#takeEarly(met);
    else if (frameNumber < this.#expected) this.#takeLate(met);
    else this.#takeDue(met);
  }

  #takeAgain({ offset, frame }: Met): void {
    const { frameNumber, exchangeId } = frame.head;
    const early = this.#misplaced.get(frameNumber);
    // The first one stood too early, and this one is where it belongs: those between were never out of their order.
    const copyOffset = early?.kind === 'early' ? (early.place.offset ?? offset) : offset;
    if (early?.kind === 'early') {
      for (const number of early.over) this.#misplaced.delete(number);
      this.#misplaced.delete(frameNumber);
    }
    const reason = `frame ${frameNumber} stands here once more`;
    const whose = exchangeId === '' ? {} : { exchangeId };
    this.#found({ kind: 'duplicated', offset: copyOffset, frame: frameNumber, ...whose, reason });
    this.#isBroken = true;
    this.#last = undefined;
  }

  #takeEarly(met: Met): void {
    const { frameNumber } = met.frame.head;
    const over: number[] = [];
    for (let number = this.#expected; number < frameNumber; number += 1) {
      over.push(number);
      // After a place that cannot be read, several frames may be gone in it.
      if (!this.#isTorn) this.#missing.set(number, met.offset);
    }
    const reason = `frame ${frameNumber} stands before frames that belong before it`;
    this.#misplaced.set(frameNumber, {
      kind: 'early',
      over,
      place: { offset: met.offset, frame: frameNumber, reason },
    });
    this.#expected = frameNumber;
    this.#isBroken = true;
    this.#last = undefined;
    this.#takeDue(met);
  }

  /** It was missing before: it stands behind one that belongs behind it. */
  #takeLate({ offset, frame }: Met): void {
    const { frameNumber, exchangeId } = frame.head;
    const whose = exchangeId === '' ? {} : { exchangeId };
    if (this.#missing.delete(frameNumber)) {
      const reason = `frame ${frameNumber} stands behind frames that belong behind it`;
      this.#misplaced.set(frameNumber, {
        kind: 'late',
        over: [],
        place: { offset, frame: frameNumber, ...whose, reason },
      });
    } else {
      const reason = `another frame ${frameNumber} stands where frame ${this.#expected} belongs`;
      this.#found({ kind: 'edited', offset, frame: frameNumber, ...whose, reason });
    }
    this.#isBroken = true;
    this.#last = undefined;
  }

  #takeDue(met: Met): void {
    const { head, headBytes, content } = met.frame;
    const isBorneOut = this.#chain.hash.equals(head.chain);
    if (this.#suspect !== undefined) this.#decide(this.#suspect, isBorneOut);
    else if (!isBorneOut && !this.#isBroken) this.#suspect = { before: this.#last, met };
    this.#chain.resume(head.chain);
    this.#isBroken = false;
    this.#isTorn = false;
    this.#last = met;
    if (head.kind === 'end') {
      this.#chain.close([headBytes, content]);
      this.#check.ended = this.#chain.state();
      return;
    }
    this.#chain.add([headBytes, content]);
    this.#expected = head.frameNumber + 1;
    this.#check.frames = this.#expected;
    if (this.#wanted.has(this.#expected)) this.#check.states.set(this.#expected, this.#chain.state());
    const { exchangeId, place } = head;
    if (head.kind === 'exchange')
      this.#check.exchanges.push({ exchangeId, place, frame: head.frameNumber, offset: met.offset });
  }

  /**
   * A frame says another chain than the one before it makes. When the frame behind it goes on from what it says, it is as
   * it was written, and the one before it was changed; else it was changed itself.
   */
  #decide({ before, met }: { before: Met | undefined; met: Met }, isBorneOut: boolean): void {
    this.#suspect = undefined;
    const changed = isBorneOut ? before : met;
    if (changed === undefined) {
      this.#found({
        kind: 'edited',
        offset: 0,
        reason: 'the header of the segment is not the one that its first frame names',
      });
      return;
    }
    const { frameNumber, exchangeId } = changed.frame.head;
    const reason = `frame ${frameNumber} is not the one that the frame behind it names`;
    this.#found({
      kind: 'edited',
      offset: changed.offset,
      frame: frameNumber,
      ...(exchangeId !== '' && { exchangeId }),
      reason,
    });
  }

  /** No frame is behind an end frame to bear it out; but it says the root of the tree over all frames before it. */
  #isEndAlone({ frame }: Met): boolean {
    if (frame.head.kind !== 'end') return false;
    const said = jsonOf(frame.content.toString());
    const root = this.#chain.state().root.toString('hex');
    return typeof said === 'object' && said !== null && Reflect.get(said, 'root') === root;
  }

  #found(finding: Omit<Finding, 'file'>): void {
    this.#check.findings.push({ ...finding, file: this.#check.file });
  }
}

/** Numbers that follow one another, as the first and how many. */
function runsOf(numbers: number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === number) last[1] += 1;
    else runs.push([number, 1]);
  }
  return runs;
}
