/** What one part of an answer is made from, and what it gives. */
import type { ExchangeIds } from '../call.ts';
import type { ContentBlock, Json } from '../message.ts';
import type { MessagesRequest } from '../messages-request.ts';
import type { Resources } from '../resources.ts';

export type PartContext = {
  readonly request: MessagesRequest;
  readonly ids: ExchangeIds;
  readonly resources: Resources;
  readonly isBeta: boolean;
  /** Size of a file that code execution writes; undefined: a small table. */
  readonly producedFileBytes: number | undefined;
  /** A new id within the message, for example `srvtoolu_01Fake…`. */
  readonly blockId: (prefix: string) => string;
};

export type Part = {
  readonly content: readonly ContentBlock[];
  readonly stopReason?: string;
  readonly stopDetails?: Json;
  /** Code ran, so the answer names a container. */
  readonly runsCode?: boolean;
  readonly thinkingTokens?: number;
  /** Another model than the one that was asked for wrote the rest. */
  readonly model?: string;
};

const WORDS_CHARACTERS = 100;

/** The first words of the question without directives: what the fake searches for, or says it thought about. */
export function questionWords(request: MessagesRequest): string {
  const words = request.lastUserText
    .slice(0, 2_000)
    .replace(/\[fake: [^\]]{0,200}\]/g, '')
    .replace(/\s{1,2000}/g, ' ')
    .trim();
  return words.slice(0, WORDS_CHARACTERS).toWellFormed();
}

export function politeEcho({ lastUserText, imageCount }: MessagesRequest): string {
  const images = imageCount === 0 ? '' : ` You sent ${imageCount === 1 ? 'an image' : `${imageCount} images`}.`;
  if (lastUserText.trim() === '') return `Thank you, I have received that.${images} What shall we do next?`;
  const quoted = lastUserText.length > 2_000 ? `${lastUserText.slice(0, 2_000)}…` : lastUserText;
  return `Thank you for asking. You wrote: "${quoted.toWellFormed()}"${images} I am only a fake, but I am glad to help.`;
}
