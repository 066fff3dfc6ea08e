/**
 * What makes an exchange that comes again, after a crash, be archived once. Told from the archive itself: each segment's
 * header says up to where a journal was archived when the segment was begun, and of what came after it, the exchanges
 * in the newest segments are known by their ids. A place alone would not do for those: a crash may have come between the
 * syncs of two classes, and then a later exchange is there and an earlier one is not.
 */
import type { JournalMark, JournalPlace } from './format.ts';

/** The exchange that ended at this place of the journal; null when none did, or the place is not there any more. */
export type FindEnd = (place: JournalPlace) => Promise<string | null>;

/** Of one journal; beyond it the oldest are dropped, which at worst archives something twice. */
const candidatesMax = 16;

export class JournalMarks {
  /** Of the headers, until one of them was looked up in its journal. */
  readonly #candidates = new Map<string, JournalMark>();
  readonly #recent = new Set<string>();
  /** Null: the journal has nothing of what was archived. */
  readonly #certain = new Map<number, JournalMark | null>();
  readonly #underWay = new Map<number, JournalMark>();

  /** What a header says. */
  addCandidate(mark: JournalMark): void {
    this.#candidates.set(JSON.stringify([mark.journal, mark.segment, mark.offset, mark.exchangeId]), mark);
  }

  /** An exchange that is in one of the newest segments. */
  addRecent(exchangeId: string): void {
    this.#recent.add(exchangeId);
  }

  /**
   * Whether the exchange that ended there is in the archive. A journal that was moved away begins again at its first
   * segment, so a mark counts only when the journal has that end at that place.
   */
  async has(place: JournalPlace, exchangeId: string, findEnd: FindEnd): Promise<boolean> {
    const known = this.#certain.get(place.journal);
    const mark = known === undefined ? await this.#find(place.journal, findEnd) : known;
    this.#certain.set(place.journal, mark);
    if (mark !== null && !isLater(place, mark)) return true;
    if (!this.#recent.has(exchangeId)) return false;
    this.#passed({ ...place, exchangeId });
    return true;
  }

  /** It is written, and not synced yet. */
  written(mark: JournalMark): void {
    this.#underWay.set(mark.journal, mark);
  }

  /** Everything that was written is on disk, whatever its class. */
  synced(): void {
    for (const mark of this.#underWay.values()) this.#archivedUpTo(mark);
    this.#underWay.clear();
  }

  /**
   * It was found on disk. Were it not marked, the next headers would say less than there is, and it would lie too far
   * back to be looked at again.
   */
  #passed(mark: JournalMark): void {
    // Of what was written before it in this batch it cannot be said yet that it is on disk.
    if (this.#underWay.has(mark.journal)) this.#underWay.set(mark.journal, mark);
    else this.#archivedUpTo(mark);
  }

  #archivedUpTo(mark: JournalMark): void {
    this.#certain.set(mark.journal, mark);
  }

  /** For the header of the next segment. */
  list(): JournalMark[] {
    const certain = [...this.#certain.values()].filter((mark) => mark !== null);
    const others = [...this.#candidates.values()].filter(({ journal }) => !this.#certain.has(journal));
    const journals = new Set(others.map(({ journal }) => journal));
    const kept = [...journals].flatMap((one) => others.filter(({ journal }) => journal === one).slice(-candidatesMax));
    return [...certain, ...kept].sort((a, b) => a.journal - b.journal);
  }

  async #find(journal: number, findEnd: FindEnd): Promise<JournalMark | null> {
    const candidates = [...this.#candidates.values()].filter((mark) => mark.journal === journal);
    candidates.sort((a, b) => (isLater(a, b) ? -1 : 1));
    for (const mark of candidates) if ((await findEnd(mark)) === mark.exchangeId) return mark;
    return null;
  }
}

function isLater(a: JournalPlace, b: JournalPlace): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}
