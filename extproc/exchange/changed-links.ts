import type { AnswerChange } from './changed-answer.ts';
import { changedAnswerMaxBytes, tooLarge } from './changed-answer.ts';
import type { Reader } from './reader.ts';

const ofWhat = 'an answer whose links are changed';

/** The links of batches lead below `publicUrl`: those of an answer that cannot be read would lead around the gateway. */
export function changedLinks({ publicUrl, reader }: { publicUrl: string; reader: Reader }): AnswerChange {
  return {
    ofWhat,
    async change(body, contentEncoding) {
      const asked = { publicUrl, contentEncoding, maxBytes: changedAnswerMaxBytes };
      const changed = await reader.read('changed', asked, body);
      return changed.ok ? { ...changed, note: '' } : { ok: false, reason: faultTexts[changed.fault] };
    },
  };
}

const faultTexts = {
  too_large: tooLarge(ofWhat),
  not_json: `${ofWhat} is no JSON`,
  not_decoded: `${ofWhat} could not be decoded`,
} as const;
