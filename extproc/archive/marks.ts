/**
 * What makes an exchange that comes again, after a crash, be archived once. Told from the archive itself: each segment's
 * header says up to where a journal was archived when the segment was begun, and from which segment on there are exchanges
 * beyond that; those are known by their ids. A place alone would not do for them: a crash may have come between the syncs
 * of two classes, and then a later exchange is there and an earlier one is not.
 */
import type { JournalMark, JournalPlace, SegmentHeader } from './format.ts';

/** The exchange that ended at this place of the journal; null when none did, or the place is not there any more. */
export type FindEnd = (place: JournalPlace) => Promise<string | null>;

/** The segment in which an exchange stands. */
export type Home = Pick<SegmentHeader, 'retentionClass' | 'sequence'>;

type Archived = JournalPlace & Home;

/** Of one journal; beyond it the oldest are dropped, which at worst archives something twice. */
const candidatesMax = 16;
/**
 * What lies further back is not looked at again at a start (inv. 10). So much is between only when a journal was left with
 * exchanges that no header covers, and nothing more came into it; those do not come again.
 */
const uncoveredSegmentsMax = 16;

export class JournalMarks {
  /** Of the headers, until one of them was looked up in its journal. */
  readonly #candidates = new Map<string, JournalMark>();
  /** What is archived and not known to be covered by a mark, by exchange id. */
  readonly #uncovered = new Map<string, Archived>();
  /** Null: the journal has nothing of what was archived. */
  readonly #certain = new Map<number, JournalMark | null>();
  readonly #underWay = new Map<number, JournalMark>();
  #written: string[] = [];

  /** What a header says. */
  addCandidate(mark: JournalMark): void {
    this.#candidates.set(JSON.stringify([mark.journal, mark.segment, mark.offset, mark.exchangeId]), mark);
  }

  /** An exchange that is in one of the newest segments. */
  addRecent({ exchangeId, ...place }: JournalMark, home: Home): void {
    this.#uncovered.set(exchangeId, { ...place, ...homeOf(home) });
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
    if (!this.#uncovered.has(exchangeId)) return false;
    // Of what was written before it in this batch it cannot be said yet that it is on disk.
    const covering = this.#underWay.has(place.journal) ? this.#underWay : this.#certain;
    covering.set(place.journal, { ...place, exchangeId });
    return true;
  }

  /** It is written, and not synced yet. */
  written(mark: JournalMark, home: Home): void {
    this.addRecent(mark, home);
    this.#written.push(mark.exchangeId);
    this.#underWay.set(mark.journal, mark);
  }

  /** Everything that was written is on disk, whatever its class. */
  synced(): void {
    for (const [journal, mark] of this.#underWay) this.#certain.set(journal, mark);
    this.#underWay.clear();
    for (const exchangeId of this.#written) this.#uncovered.delete(exchangeId);
    this.#written = [];
  }

  /** For the header of the next segment. */
  forHeader({ retentionClass, sequence }: Home): Required<Pick<SegmentHeader, 'journals' | 'uncoveredFrom'>> {
    let uncoveredFrom = sequence;
    for (const [exchangeId, archived] of this.#uncovered) {
      const mark = this.#certain.get(archived.journal) ?? null;
      if (mark !== null && !isLater(archived, mark)) this.#uncovered.delete(exchangeId);
      else if (archived.retentionClass === retentionClass) uncoveredFrom = Math.min(uncoveredFrom, archived.sequence);
    }
    return {
      journals: this.#marks(),
      uncoveredFrom: Math.max(uncoveredFrom, sequence - uncoveredSegmentsMax),
    };
  }

  #marks(): JournalMark[] {
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

function homeOf({ retentionClass, sequence }: Home): Home {
  return { retentionClass, sequence };
}

function isLater(a: JournalPlace, b: JournalPlace): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}
