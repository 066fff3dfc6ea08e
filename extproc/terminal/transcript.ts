import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument, JsonValue } from '../transcript/document.ts';
import { asJson, isObject, type Piece, piecesOf, stringAt } from './content.ts';
import { headerLines } from './header.ts';
import { sanitise, sanitiseLine } from './sanitise.ts';
import { type Style, styleFor } from './style.ts';
import { cutLine, wrap } from './wrap.ts';

/** `width` in columns. */
export type TerminalOptions = { color: boolean; width: number };

const widthMin = 40;
/** Begins every line of recorded text, so that no prompt can pass for a heading of ours. */
const gutter = '  | ';

/**
 * One exchange, or the exchanges of a session in the order given, as text for a terminal; ends with a newline.
 * Recorded text is hostile: all of it is sanitised, wrapped and put behind a gutter.
 */
export function renderTranscript(
  documents: readonly Masked<ExchangeDocument>[],
  { color, width }: TerminalOptions,
): string {
  const page = new Page(styleFor(color), Math.max(width, widthMin));
  documents.forEach((document, index) => {
    page.exchange(document, index > 0);
  });
  return page.text();
}

class Page {
  readonly #style: Style;
  readonly #width: number;
  readonly #lines: string[] = [];

  constructor(style: Style, width: number) {
    this.#style = style;
    this.#width = width;
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  exchange(document: Masked<ExchangeDocument>, follows: boolean): void {
    if (follows) this.#lines.push('', this.#style.dim('-'.repeat(this.#width)), '');
    this.#lines.push(...headerLines(document, this.#style, this.#width), '');
    const { skilltape } = document;
    this.#notes(document, follows);
    if (skilltape.system !== null) this.#message('system', skilltape.system);
    this.#tools(skilltape.tools);
    for (const message of skilltape.new_messages) {
      if (isObject(message)) this.#message(stringAt(message, 'role') || 'no role', message.content);
      else this.#pieces('message', [asJson('', message)]);
    }
    this.#answer(skilltape.answer);
    if (skilltape.error !== null) this.#pieces('error', [asJson('', skilltape.error)]);
  }

  #notes({ skilltape }: Masked<ExchangeDocument>, follows: boolean): void {
    const earlier = skilltape.history.message_count;
    if (earlier > 0)
      this.#note(
        `${earlier} earlier ${earlier === 1 ? 'message' : 'messages'} ${follows ? 'shown above' : 'indexed earlier'}`,
      );
    if (skilltape.masking.status === 'failed') this.#warning(failureOf(skilltape.masking));
    else if (skilltape.keep === 'metadata') {
      const judged = skilltape.verdict.decision !== 'none';
      const why = judged ? 'policy keeps' : 'the request was not judged, so skilltape keeps';
      this.#note(`${why} the metadata of this exchange only, not its text`);
    }
    if (!skilltape.decoded) {
      this.#warning(withReason('the bodies could not be read as a Claude exchange', skilltape.decoded_detail));
    }
    if (skilltape.truncated) this.#note('the searchable text of this exchange was cut at its size limit');
  }

  /** Descriptions fill pages and come with every request; `show --json` has them. */
  #tools(tools: JsonValue): void {
    if (!Array.isArray(tools) || tools.length === 0) return;
    const names = tools.map((tool) => (isObject(tool) ? stringAt(tool, 'name') || stringAt(tool, 'type') : ''));
    const known = names.filter((name) => name !== '');
    const count = tools.length === 1 ? '1 tool described' : `${tools.length} tools described`;
    this.#note(known.length === 0 ? count : `${count}: ${known.join(', ')}`);
  }

  #answer(answer: JsonValue): void {
    if (answer === null) return;
    if (!isObject(answer) || answer.content === undefined) {
      this.#pieces('answer', [asJson('', answer)]);
      return;
    }
    this.#message('answer', answer.content);
    const stopReason = stringAt(answer, 'stop_reason');
    if (stopReason !== '') this.#note(`stopped: ${stopReason}`);
  }

  #message(heading: string, content: JsonValue | undefined): void {
    this.#pieces(heading, piecesOf(content));
  }

  #pieces(heading: string, pieces: Piece[]): void {
    this.#lines.push(this.#style.bold(this.#cut(`[${sanitiseLine(heading)}]`)));
    for (const piece of pieces) {
      if (piece.title !== null && piece.title !== '') this.#guarded(`(${sanitiseLine(piece.title)})`, this.#style.dim);
      if (piece.text !== '') this.#guarded(sanitise(piece.text), piece.dim ? this.#style.dim : (line) => line);
    }
    this.#lines.push('');
  }

  #guarded(text: string, style: (line: string) => string): void {
    for (const line of wrap(text, this.#width - gutter.length)) this.#lines.push(gutter + style(line));
  }

  #note(text: string): void {
    this.#lines.push(this.#style.dim(cutLine(`-- ${sanitiseLine(text)}`, this.#width)), '');
  }

  #warning(text: string): void {
    this.#lines.push(this.#style.warn(`-- ${text}`), '');
  }

  /** A heading has one line; the role in it is whatever the caller sent. */
  #cut(text: string): string {
    return wrap(text, this.#width)[0] ?? '';
  }
}

/** The reason may name what a caller wrote. */
function withReason(text: string, reason: string): string {
  return reason === '' ? text : `${text}: ${sanitiseLine(reason)}`;
}

function failureOf({ reason }: ExchangeDocument['skilltape']['masking']): string {
  return withReason(
    'masking failed, so only the metadata of this exchange are here; `skilltape remask` tries again',
    reason,
  );
}
