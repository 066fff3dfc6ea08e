/** Thinking that is shown, hidden, or left out but signed. */
import { countTokens } from '../messages-request.ts';
import { type Part, type PartContext, questionWords } from './part-context.ts';

export const THINKING_PARTS = {
  thinking: (context: PartContext): Part => {
    const thinking = `They ask: ${questionWords(context.request)} I should answer briefly.`;
    return thought({ type: 'thinking', thinking, signature: signature(context) }, thinking.length);
  },
  omitted_thinking: (context: PartContext): Part =>
    thought({ type: 'thinking', thinking: '', signature: signature(context) }, 80),
  redacted_thinking: (context: PartContext): Part =>
    thought({ type: 'redacted_thinking', data: signature(context) }, 80),
} as const;

function thought(block: Part['content'][number], characters: number): Part {
  return { content: [block], thinkingTokens: countTokens(characters) };
}

function signature({ ids, blockId }: PartContext): string {
  return Buffer.from(`fake signature ${ids.serial} ${blockId('sig_')}`).toString('base64');
}
