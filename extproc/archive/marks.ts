/**
 * How far a journal was archived: what makes an exchange that comes again, after a crash, be archived once. Told from the
 * archive itself. A journal that was moved away begins again at its first segment, so a mark counts only when the journal
 * has that end at that place.
 */
import type { JournalMark, JournalPlace } from './format.ts';

/** The exchange that ended at this place of the journal; null when none did, or the place is not there any more. */
export type FindEnd = (place: JournalPlace) => Promise<string | null>;

/** Of one journal; beyond it the oldest are dropped, which at worst archives something twice. */
const candidatesMax = 16;

/** Those of one segment, in the order in which they were written: where places go back, another journal began. */
export class SegmentMarks {
  readonly all: JournalMark[];

  constructor(fromHeader: readonly JournalMark[]) {
    this.all = [...fromHeader];
  }

  take(mark: JournalMark): void {
    const at = this.all.findLastIndex(({ journal }) => journal === mark.journal);
    const last = this.all[at];
    if (last !== undefined && isLater(mark, last)) this.all[at] = mark;
    else this.all.push(mark);
  }
}

export class JournalMarks {
  readonly #found: SegmentMarks[] = [];
  /** Those that were looked up in their journal; null: it has nothing of what was archived. */
  readonly #certain = new Map<number, JournalMark | null>();

  add(marks: SegmentMarks): void {
    this.#found.push(marks);
  }

  /** Whether the exchange that ended there is in the archive. */
  async has(place: JournalPlace, findEnd: FindEnd): Promise<boolean> {
    const known = this.#certain.get(place.journal);
    const mark = known === undefined ? await this.#find(place.journal, findEnd) : known;
    this.#certain.set(place.journal, mark);
    return mark !== null && !isLater(place, mark);
  }

  set(mark: JournalMark): void {
    this.#certain.set(mark.journal, mark);
  }

  /** For the header of the next segment. */
  list(): JournalMark[] {
    const certain = [...this.#certain.values()].filter((mark) => mark !== null);
    const others = new Set(this.#candidates().map(({ journal }) => journal));
    const unknown = [...others].filter((journal) => !this.#certain.has(journal));
    return [
      ...certain,
      ...unknown.flatMap((journal) =>
        this.#candidates()
          .filter((mark) => mark.journal === journal)
          .slice(-candidatesMax),
      ),
    ];
  }

  async #find(journal: number, findEnd: FindEnd): Promise<JournalMark | null> {
    const candidates = this.#candidates().filter((mark) => mark.journal === journal);
    candidates.sort((a, b) => (isLater(a, b) ? -1 : 1));
    for (const mark of candidates) if ((await findEnd(mark)) === mark.exchangeId) return mark;
    return null;
  }

  #candidates(): JournalMark[] {
    const all = this.#found.flatMap(({ all: marks }) => marks);
    return [
      ...new Map(
        all.map((mark) => [JSON.stringify([mark.journal, mark.segment, mark.offset, mark.exchangeId]), mark]),
      ).values(),
    ];
  }
}

function isLater(a: JournalPlace, b: JournalPlace): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}
